/**
 * Whether octets from the network answer a query of ours.
 *
 * Invariant: looks at the header and at the question, octet by octet, and decodes nothing else; what an answer says is
 * not asked here.
 *
 * Sources: RFC 1035 section 4.1; RFC 5452 section 9 (what a response must match).
 */
import { assert } from '../core/assert.ts'

const HEADER_OCTETS = 12
const RESPONSE_BIT = 0x80
const LABEL_OCTETS_MAX = 63
/** Type and class behind the name. */
const QUESTION_TAIL_OCTETS = 4

/** What octets from the network are to a query. */
export type ResponseMatch = 'response' | 'wrong_id' | 'wrong_question' | 'malformed'

/** The message id of a query or response of at least 12 octets. */
export function messageId(message: Uint8Array): number {
  return ((message[0] ?? 0) << 8) | (message[1] ?? 0)
}

/** Compares octets with a query of one question, which is ours and therefore well formed. @throws {BugError} If not. */
export function matchResponse(query: Uint8Array, octets: Uint8Array): ResponseMatch {
  if (octets.length < HEADER_OCTETS || ((octets[2] ?? 0) & RESPONSE_BIT) === 0) return 'malformed'
  if (messageId(octets) !== messageId(query)) return 'wrong_id'
  const end = questionEnd(query)
  // The count of questions, and behind the header the question itself.
  if (octets[4] !== query[4] || octets[5] !== query[5] || octets.length < end) return 'wrong_question'
  for (let at = HEADER_OCTETS; at < end; at++) if (octets[at] !== query[at]) return 'wrong_question'
  return 'response'
}

function questionEnd(query: Uint8Array): number {
  assert(query[4] === 0 && query[5] === 1, 'a query has one question')
  let at = HEADER_OCTETS
  for (let length = query[at]; length !== 0; length = query[at]) {
    assert(length !== undefined && length <= LABEL_OCTETS_MAX, 'the name in a query is whole and not compressed')
    at += 1 + length
  }
  at += 1 + QUESTION_TAIL_OCTETS
  assert(at <= query.length, 'the question in a query is whole')
  return at
}
