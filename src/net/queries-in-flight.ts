/**
 * The queries that wait for an answer on one stream, by message id.
 *
 * Invariant: an answer is matched by id and question, never by order (RFC 7766 section 7).
 */
import { assert } from '../core/assert.ts'
import type { Failure } from '../model/failure.ts'
import { matchResponse, messageId } from './match-response.ts'
import type { Oddity, PendingExchange } from './pending-exchange.ts'

/** Whoever asks keeps to its own, smaller bound. */
const IN_FLIGHT_MAX = 4_096
/** Ids of queries that ended: an answer to one of them is late, not wrong. */
const LATE_IDS_MAX = 4_096
const HEADER_OCTETS = 12

/** Queries that wait for an answer. */
export interface QueriesInFlight {
  readonly size: number
  /** Adds a query until its outcome is decided; calls `onEnded` then. */
  add(pending: PendingExchange, onEnded: () => void): void
  /** Hands a message to the query that it answers, or counts it where it answers none. */
  dispatch(message: Uint8Array): void
  failAll(failure: Failure): void
}

/** An empty table. */
export function createQueriesInFlight(): QueriesInFlight {
  const byId = new Map<number, Set<PendingExchange>>()
  const all = new Set<PendingExchange>()
  const lateIds = new Set<number>()

  const remove = (pending: PendingExchange, id: number): void => {
    all.delete(pending)
    const same = byId.get(id)
    same?.delete(pending)
    if (same?.size === 0) byId.delete(id)
    lateIds.delete(id)
    lateIds.add(id)
    const [oldest] = lateIds
    if (lateIds.size > LATE_IDS_MAX && oldest !== undefined) lateIds.delete(oldest)
  }
  const countForAll = (oddity: Oddity): void => {
    for (const pending of all) pending.count(oddity)
  }
  return {
    get size() {
      return all.size
    },
    add: (pending, onEnded) => {
      assert(all.size < IN_FLIGHT_MAX, 'at most 4,096 queries are in flight on one stream')
      const id = messageId(pending.query)
      const same = byId.get(id) ?? new Set()
      byId.set(id, same.add(pending))
      all.add(pending)
      void pending.outcome.then(() => {
        remove(pending, id)
        onEnded()
      })
    },
    dispatch: (message) => {
      if (message.length < HEADER_OCTETS) {
        countForAll('malformed')
        return
      }
      const id = messageId(message)
      const candidates = [...(byId.get(id) ?? [])]
      if (candidates.length === 0 && !lateIds.has(id)) countForAll('wrongId')
      const asked = candidates.find(({ query }) => matchResponse(query, message) === 'response')
      // Where no question is the one that was asked, each of these counts what the message is to it.
      for (const pending of asked === undefined ? candidates : [asked]) pending.accept(message)
    },
    failAll: (failure) => {
      for (const pending of all) pending.fail(failure)
    },
  }
}
