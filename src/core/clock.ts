/**
 * Time as a capability, so that a test can own it.
 *
 * Two readings that are never mixed: the monotonic one measures durations, the wall one stands in records. A clock that
 * is set back by an hour therefore changes no timeout.
 *
 * Invariant: no other room calls `Date.now()` or `setTimeout`.
 */

/** A pending timer. */
export interface Timer {
  /** Forgets the callback; does nothing when it has run already. */
  cancel(): void
}

/** Time, as everything in Candor sees it. */
export interface Clock {
  /** Milliseconds since an arbitrary start, with fraction; never goes backwards. For durations only. */
  nowMs(): number
  /** Milliseconds since the Unix epoch, with fraction where the platform has it. For records only; may jump. */
  wallNowMs(): number
  /** Runs `callback` once after `delayMs` milliseconds (at least 0). */
  setTimer(delayMs: number, callback: () => void): Timer
}

/**
 * Waits.
 *
 * @returns After `delayMs` milliseconds, or at once when `signal` aborts (or is aborted already); the caller looks at
 *   the signal.
 */
export function sleep(clock: Clock, delayMs: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal?.aborted === true) {
      resolve()
      return
    }
    const finish = (): void => {
      timer.cancel()
      signal?.removeEventListener('abort', finish)
      resolve()
    }
    const timer = clock.setTimer(delayMs, finish)
    signal?.addEventListener('abort', finish)
  })
}

/**
 * Bounds a wait.
 *
 * @returns What `promise` gives, or `undefined` when `timeoutMs` milliseconds pass first. The promise itself goes on;
 *   whoever started it ends it. A rejection before the time-out is passed on, one after it is swallowed.
 */
export function withTimeout<T>(clock: Clock, promise: Promise<T>, timeoutMs: number): Promise<T | undefined> {
  return new Promise((resolve, reject) => {
    const timer = clock.setTimer(timeoutMs, () => {
      resolve(undefined)
    })
    promise.then(
      (value) => {
        timer.cancel()
        resolve(value)
      },
      (error: unknown) => {
        timer.cancel()
        reject(error instanceof Error ? error : new Error(String(error)))
      },
    )
  })
}

/** Formats Unix milliseconds as ISO 8601 UTC with milliseconds, `2026-01-31T23:59:59.000Z`: the form of our records. */
export function formatIsoTime(wallMs: number): string {
  return new Date(wallMs).toISOString()
}

/** Formats Unix milliseconds as 14 digits UTC, `20260131235959`: the form of run ids. */
export function formatCompactTime(wallMs: number): string {
  return new Date(wallMs).toISOString().slice(0, 19).replaceAll(/[-:T]/g, '')
}

/** Parses an ISO 8601 time or Tor's `2026-01-31 23:59:59` (UTC). @returns Unix milliseconds; NaN when it is neither. */
export function parseTime(text: string): number {
  return Date.parse(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d$/.test(text) ? `${text.replace(' ', 'T')}Z` : text)
}
