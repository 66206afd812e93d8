/** Feeds the authoritative log into the join while a run goes on. */
import { sleep, type Clock } from '../../core/clock.ts'
import type { Log } from '../../core/log.ts'
import type { AuthorityLogSource } from '../../model/authority-query.ts'
import type { AuthorityJoin } from './authority-join.ts'

const POLL_MS = 1_000
/** A log is written a moment after the answer: so long the last queries are waited for. */
const SETTLE_MS = 2_000
/** Takes at one time: a log that grows faster than it is read does not hold the run up for ever. */
const TAKES_MAX = 1_000

/** A running feed. */
export interface AuthorityFeed {
  readonly join: AuthorityJoin
  /** Reads what is still to come of the last questions, then ends. */
  finish(): Promise<void>
}

/** Starts feeding `source` into `join`. */
export function startAuthorityFeed(
  clock: Clock,
  log: Log,
  source: AuthorityLogSource,
  join: AuthorityJoin,
): AuthorityFeed {
  const stop = new AbortController()
  const drain = async (): Promise<void> => {
    for (let takes = 0; takes < TAKES_MAX; takes++) {
      const queries = await source.take()
      if (queries.length === 0) return
      join.add(queries)
    }
  }
  const poll = async (): Promise<void> => {
    while (!stop.signal.aborted) {
      await sleep(clock, POLL_MS, stop.signal)
      try {
        await drain()
      } catch (error) {
        // A log that cannot be read takes nothing away from what was seen through Tor.
        log.warn('exits.authority.unreadable', { message: error instanceof Error ? error.message : String(error) })
      }
    }
  }
  const polling = poll()
  return {
    join,
    finish: async () => {
      await sleep(clock, SETTLE_MS)
      stop.abort()
      await polling
    },
  }
}
