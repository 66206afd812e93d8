/**
 * Questions asked over the API: a few at once, some waiting, results kept for a while.
 *
 * Invariant: bounded in number, in time and in memory, whatever is asked for.
 */
import { formatIsoTime, withTimeout, type Clock } from '../core/clock.ts'
import { ConfigError, RunError } from '../core/config-error.ts'
import type { Log } from '../core/log.ts'
import type { Measurement, MeasurementRequest } from '../model/daemon-control.ts'

const RUNNING_MAX = 4
const WAITING_MAX = 32
const KEPT_MAX = 512
const KEPT_MS = 3_600_000
/** Through Tor, a bootstrap is part of it. */
const TIMEOUT_DIRECT_MS = 30_000
const TIMEOUT_VIA_MS = 180_000
/** What was interrupted may take this long to end before its place is given to another. */
const ENDING_MS = 5_000

/** Asks one question. @returns The record. @throws {ConfigError} or {RunError}, in sentences for people. */
export type Ask = (request: MeasurementRequest, signal: AbortSignal) => Promise<unknown>

/** The questions. */
export interface MeasurementQueue {
  /** @returns `undefined` when too many wait. */
  add(request: MeasurementRequest): Measurement | undefined
  find(id: string): Measurement | undefined
  /** Ends all. */
  stop(): void
}

/** What the queue needs. */
export interface MeasurementDependencies {
  readonly clock: Clock
  readonly log: Log
  /** A new id that nobody can guess. */
  readonly newId: () => string
  readonly ask: Ask
}

/** Makes an empty queue. */
export function createMeasurementQueue({ clock, log, newId, ask }: MeasurementDependencies): MeasurementQueue {
  const kept = new Map<string, { measurement: Measurement; readonly addedAtMs: number }>()
  const waiting: string[] = []
  const stop = new AbortController()
  let running = 0
  const change = (id: string, to: Partial<Measurement>): void => {
    const entry = kept.get(id)
    if (entry !== undefined) entry.measurement = { ...entry.measurement, ...to }
  }
  const perform = async (id: string, request: MeasurementRequest): Promise<void> => {
    change(id, { state: 'running' })
    const controller = new AbortController()
    const signal = AbortSignal.any([controller.signal, stop.signal])
    const timeoutMs = request.via === null ? TIMEOUT_DIRECT_MS : TIMEOUT_VIA_MS
    try {
      const asked = ask(request, signal).then((record) => ({ record }))
      const outcome = await withTimeout(clock, asked, timeoutMs)
      if (outcome === undefined) {
        change(id, { state: 'failed', message: `There was no answer within ${timeoutMs / 1000} seconds.` })
        controller.abort()
        await withTimeout(clock, asked, ENDING_MS).catch(() => {})
      } else change(id, { state: 'done', record: outcome.record })
    } catch (error) {
      change(id, { state: 'failed', message: explain(error, log) })
    }
  }
  const next = (): void => {
    while (running < RUNNING_MAX) {
      const id = waiting.shift()
      const entry = id === undefined ? undefined : kept.get(id)
      if (id === undefined || entry === undefined) return
      running += 1
      void perform(id, entry.measurement.request).finally(() => {
        running -= 1
        next()
      })
    }
  }
  const forgetOld = (): void => {
    const nowMs = clock.nowMs()
    for (const [id, { measurement, addedAtMs }] of kept) {
      const isOver = measurement.state === 'done' || measurement.state === 'failed'
      if (isOver && (kept.size >= KEPT_MAX || nowMs - addedAtMs > KEPT_MS)) kept.delete(id)
    }
  }
  return {
    add: (request) => {
      forgetOld()
      if (stop.signal.aborted || waiting.length >= WAITING_MAX) return undefined
      const id = newId()
      const requestedAt = formatIsoTime(clock.wallNowMs())
      const measurement: Measurement = { id, state: 'waiting', request, requestedAt, record: null, message: null }
      kept.set(id, { measurement, addedAtMs: clock.nowMs() })
      waiting.push(id)
      next()
      return kept.get(id)?.measurement
    },
    find: (id) => {
      forgetOld()
      return kept.get(id)?.measurement
    },
    stop: () => {
      waiting.length = 0
      stop.abort()
    },
  }
}

function explain(error: unknown, log: Log): string {
  if (error instanceof ConfigError) return `${error.path}: ${error.message}; for example ${error.hint}`
  if (error instanceof RunError) return error.message
  if (error instanceof Error && error.name === 'AbortError') return 'The daemon ended before there was an answer.'
  log.error('daemon.measurement.bug', {
    error: error instanceof Error ? (error.stack ?? error.message) : String(error),
  })
  return 'A bug of Candor; the log of the daemon has more.'
}
