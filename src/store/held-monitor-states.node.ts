/**
 * The states of watched names in memory, for the one program that watches them: a round a minute for each of thousands
 * of names must not be a write a minute.
 *
 * What matters (an incident, an acknowledgement, a value that became known) is on the disk with the next turn of writing,
 * seconds later; counters and times of last sight wait for minutes, and at the end for everything. Whoever is killed in
 * between has forgotten that a known value was seen once more, and nothing else.
 *
 * A command beside it (`candor monitor ack`) writes into the file. That is noticed before the next change: what is open of
 * such a name is read again.
 *
 * **Invariant**: whoever holds this holds the lock of the directory; nobody else watches.
 */
import type { DatabaseSync } from 'node:sqlite'
import type { MonitorState, MonitorStateStore } from '../model/monitor-state.ts'
import { createStateWriter, readMonitorState } from './monitor-store.node.ts'

/** States in memory. */
export interface HeldMonitorStates extends MonitorStateStore {
  /** The state of a name, from memory; read from the disk the first time. */
  peek(key: string): MonitorState | undefined
  /** Whether something that matters is not on the disk. */
  isPressing(): boolean
  /** Writes inside a transaction of the caller: what matters, or all. */
  write(isAll: boolean): void
  /** Says that what was written is on the disk. */
  settle(): void
}

/** Holds states over an open file. */
export function createHeldMonitorStates(database: DatabaseSync): HeldMonitorStates {
  const states = new Map<string, MonitorState | undefined>()
  const pressing = new Set<string>()
  const changed = new Set<string>()
  let written: readonly string[] = []
  const keep = createStateWriter(database)
  const version = database.prepare('PRAGMA data_version')
  let seenVersion: unknown = version.get()?.['data_version']
  /** Only names with an open incident can have been acknowledged. */
  const readOthers = (): void => {
    const now: unknown = version.get()?.['data_version']
    if (now === seenVersion) return
    seenVersion = now
    for (const [key, state] of states) {
      if (state?.incidents.some(({ status }) => status === 'open') === true)
        states.set(key, readMonitorState(database, key))
    }
  }
  const peek = (key: string): MonitorState | undefined => {
    if (!states.has(key)) states.set(key, readMonitorState(database, key))
    return states.get(key)
  }
  return {
    peek,
    load: (key) => Promise.resolve(peek(key)),
    update: (key, change) => {
      readOthers()
      const before = peek(key)
      const { state, result } = change(before)
      states.set(key, state)
      changed.add(key)
      if (before === undefined || digestOf(before) !== digestOf(state)) pressing.add(key)
      return Promise.resolve(result)
    },
    isPressing: () => pressing.size > 0,
    write: (isAll) => {
      written = [...(isAll ? changed : pressing)]
      for (const key of written) {
        const state = states.get(key)
        if (state !== undefined) keep(key, state)
      }
    },
    settle: () => {
      for (const key of written) {
        pressing.delete(key)
        changed.delete(key)
      }
      written = []
    },
  }
}

/** What must not be lost of a state, as a text. */
function digestOf({ profile, incidents }: MonitorState): string {
  const values = `${profile.baselineAtMs} ${Object.keys(profile.units).length} ${Object.keys(profile.asns).length}`
  if (incidents.length === 0) return values
  const parts = incidents.map(
    ({ key, openedAtMs, status, severity, toldAtMs, acknowledgement, isFlapping, units }) =>
      `${key} ${openedAtMs} ${status} ${severity} ${toldAtMs} ${acknowledgement?.untilMs} ${isFlapping} ${Object.keys(units).length}`,
  )
  return [values, ...parts].join('\n')
}
