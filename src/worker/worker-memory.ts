/**
 * What the Worker remembers in KV: `profile:index` (where everything is, what is being confirmed, what waits to be told) and
 * `profile:0`, `profile:1`, … with the states of up to 24 names each.
 *
 * **Invariant**: what cannot be read is an error and never an empty memory: a baseline that is taken again would make an attack
 * the normal state. What a newer version has written is left alone.
 *
 * Format: docs/formats/monitor-kv.md
 */
import { RunError } from '../core/config-error.ts'
import type { AlertMessage } from '../model/alert.ts'
import type { AnswerOutcome } from '../model/monitor-round.ts'
import type { MonitorClass, MonitorState } from '../model/monitor-state.ts'
import type { NameRecord } from './name-record.ts'
import type { KvNamespace } from './subrequests.ts'

const VERSION = 1

/** A message that waits, or of which a part waits. */
export interface WaitingMessage {
  readonly message: AlertMessage
  readonly partsDone: number
  readonly attempts: number
  /** Unix milliseconds. */
  readonly dueAtMs: number
}

/** What all names share. */
export interface WorkerIndex {
  readonly version: number
  /** Counts writes; what a cache holds of an older one is told by it. */
  readonly revision: number
  /** Keys of the names of each batch. */
  readonly batches: readonly (readonly string[])[]
  /** Keys of names with something new that is being looked at again, longest first. */
  readonly confirming: readonly string[]
  /** Writes that could not wait, of one day (UTC). */
  readonly writes: { readonly day: string; readonly count: number }
  /** Since when this vantage reaches nobody, Unix milliseconds; `null` while it does. */
  readonly downSinceMs: number | null
  readonly outbox: readonly WaitingMessage[]
  /** When somebody asked over HTTP for a round, Unix milliseconds; `null` before the first. */
  readonly checkedAtMs: number | null
  /** When it was written, Unix milliseconds. */
  readonly writtenAtMs: number
}

/** What one resolver said in the newest round. */
export interface RememberedAnswer {
  readonly resolver: string
  readonly outcome: AnswerOutcome
  /** RCODE or failure; `null` for an answer. */
  readonly reason: string | null
  readonly values: readonly string[]
  readonly class: MonitorClass
}

/** The newest round of a name that was kept. */
export interface RememberedRound {
  /** Unix milliseconds. */
  readonly atMs: number
  readonly class: MonitorClass
  readonly answers: readonly RememberedAnswer[]
}

/** What is remembered of one name. */
export interface RememberedName {
  readonly state: MonitorState
  /** What `dns:…` holds; `null` while there is none. */
  readonly record: NameRecord | null
  readonly last: RememberedRound | null
}

/** The names of one value of KV. */
export interface WorkerBatch {
  readonly version: number
  readonly revision: number
  /** By key: `www.zone.example/A`. */
  readonly names: Readonly<Record<string, RememberedName>>
  /** Lines that wait for the daily message. */
  readonly digest: readonly string[]
  /** When they are due, Unix milliseconds; of no meaning without lines. */
  readonly digestDueMs: number
  readonly writtenAtMs: number
}

const EMPTY_INDEX: WorkerIndex = {
  version: VERSION,
  revision: 0,
  batches: [],
  confirming: [],
  writes: { day: '', count: 0 },
  downSinceMs: null,
  outbox: [],
  checkedAtMs: null,
  writtenAtMs: 0,
}
const EMPTY_BATCH: WorkerBatch = {
  version: VERSION,
  revision: 0,
  names: {},
  digest: [],
  digestDueMs: 0,
  writtenAtMs: 0,
}

/** KV, and what this instance of the Worker knows that KV may not yet say. */
export interface WorkerMemory {
  /** @throws {RunError} When it cannot be read. */
  loadIndex(kv: KvNamespace): Promise<WorkerIndex>
  /** @throws {RunError} When it cannot be read. */
  loadBatch(kv: KvNamespace, number: number): Promise<WorkerBatch>
  /** Writes, and counts the revision up. */
  saveIndex(kv: KvNamespace, index: WorkerIndex): Promise<void>
  saveBatch(kv: KvNamespace, number: number, batch: WorkerBatch): Promise<void>
  /** Keeps what can wait in this instance alone. */
  holdBatch(number: number, batch: WorkerBatch): void
}

/** Makes the memory of one instance. */
export function createWorkerMemory(): WorkerMemory {
  // KV may give what is a minute old, and what can wait is not in it yet: the higher revision is the newer one.
  const held = new Map<string, WorkerIndex | WorkerBatch>()
  const load = async <T extends WorkerIndex | WorkerBatch>(kv: KvNamespace, key: string, empty: T): Promise<T> => {
    const stored = parse(key, await kv.get(key), empty)
    const own = held.get(key) as T | undefined
    return own !== undefined && own.revision >= stored.revision ? own : stored
  }
  const save = async (kv: KvNamespace, key: string, value: WorkerIndex | WorkerBatch): Promise<void> => {
    const next = { ...value, revision: value.revision + 1 }
    await kv.put(key, JSON.stringify(next))
    held.set(key, next)
  }
  return {
    loadIndex: (kv) => load(kv, 'profile:index', EMPTY_INDEX),
    loadBatch: (kv, number) => load(kv, `profile:${number}`, EMPTY_BATCH),
    saveIndex: (kv, index) => save(kv, 'profile:index', index),
    saveBatch: (kv, number, batch) => save(kv, `profile:${number}`, batch),
    holdBatch: (number, batch) => {
      held.set(`profile:${number}`, batch)
    },
  }
}

function parse<T extends WorkerIndex | WorkerBatch>(key: string, text: string | null, empty: T): T {
  if (text === null) return empty
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (cause) {
    if (!(cause instanceof SyntaxError)) throw cause
    throw new RunError(`${key} in KV is no JSON`, 'restore it, or delete all keys profile:… to begin anew', { cause })
  }
  if (typeof value !== 'object' || value === null || !Object.keys(empty).every((field) => field in value))
    throw new RunError(`${key} in KV has another form`, 'restore it, or delete all keys profile:… to begin anew')
  const found = value as T
  if (found.version > VERSION)
    throw new RunError(`${key} in KV was written by a newer version`, 'deploy that version again')
  return found
}
