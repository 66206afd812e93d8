/**
 * Which queries are exempt from rate limiting because a run in progress depends on their answers.
 *
 * Much of Tor's exit capacity asks through a few central resolvers: limiting them by source would turn healthy exits into
 * `timeout`. Anybody can make up a name of the right form, so three bounds stand behind the exemption: its timestamp is
 * of now, the same name is answered a few times only, and all of them share one budget.
 */
import type { Clock } from '../core/clock.ts'
import type { Limit } from '../core/limit.ts'
import type { RunName } from './run-name.ts'

/** Exempt answers per second, over all sources. */
export const EXEMPT_RATE_LIMIT: Limit = {
  default: 4000,
  min: 1,
  max: 100_000,
  unit: 'answers/s',
  why: '100 relays per second, each asked three times for two types, with room for minimisation and retries',
}

/** How far the timestamp in a name may be from now. A circuit, its retries and a slow resolver fit into it. */
const FRESH_MS = 300_000
/** A name is asked for A and AAAA, by retrying resolvers and by a few members of one resolver farm. */
const SAME_NAME_MAX = 16
/** Remembered names; the oldest is forgotten. At the full exempt rate this is half a minute. */
const NAMES_MAX = 131_072

/** Decides about one query after the other. */
export interface RunNameGate {
  /** @returns Whether this query is exempt; `key` is the whole name in lower case. Each call counts. */
  admit(key: string, name: RunName): boolean
}

/** A gate with an empty memory. `ratePerSecond` bounds exempt answers over all sources; a second's worth may come at once. */
export function createRunNameGate(clock: Clock, ratePerSecond: number): RunNameGate {
  const counts = new Map<string, number>()
  let tokens = ratePerSecond
  let refilledAtMs = clock.nowMs()
  return {
    admit: (key, name) => {
      if (name.sentAtMs !== undefined && Math.abs(clock.wallNowMs() - name.sentAtMs) > FRESH_MS) return false
      const count = (counts.get(key) ?? 0) + 1
      if (count > SAME_NAME_MAX) return false
      const nowMs = clock.nowMs()
      tokens = Math.min(ratePerSecond, tokens + ((nowMs - refilledAtMs) * ratePerSecond) / 1000)
      refilledAtMs = nowMs
      if (tokens < 1) return false
      tokens -= 1
      counts.set(key, count)
      if (counts.size > NAMES_MAX) {
        for (const oldest of counts.keys()) {
          counts.delete(oldest)
          break
        }
      }
      return true
    },
  }
}
