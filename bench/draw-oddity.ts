/**
 * What the responder does to the n-th query of a name, computed without asking it.
 *
 * **Invariant:** draws the same as `draw` and `read_question` of responder.c; a test compares them query by query.
 */

/** What can happen to a query or its answer, in the order of the responder's draws. Also the names of its options. */
export const ODDITIES = [
  'loss-in',
  'loss-out',
  'reorder',
  'duplicate',
  'wrong-id',
  'wrong-source',
  'wrong-question',
  'truncate',
  'malformed',
  'delay',
  'nxdomain',
] as const

/** One of them. */
export type Oddity = (typeof ODDITIES)[number]

/** Probability of each oddity, 0 to 1; absent ones never happen. */
export type OddityShares = Readonly<Partial<Record<Oddity, number>>>

/** The hash of a question: FNV-1a, 32 bits, over the labels in lower case with their lengths, and the type. */
export function hashQuestion(name: string, type: number): number {
  const octets: number[] = []
  for (const label of name.replace(/\.$/, '').split('.')) {
    octets.push(label.length)
    for (const character of label.toLowerCase()) octets.push(character.charCodeAt(0))
  }
  octets.push(type >>> 8, type & 0xff)
  return octets.reduce((hash, octet) => Math.imul(hash ^ octet, 16_777_619) >>> 0, 2_166_136_261)
}

/** Whether the query that comes after `attempt` others of the same question meets the oddity. */
export function drawOddity(
  seed: number,
  shares: OddityShares,
  oddity: Oddity,
  questionHash: number,
  attempt: number,
): boolean {
  const place = ODDITIES.indexOf(oddity)
  const salt = (seed + Math.imul(place, 0x9e3779b9) + Math.imul(attempt, 0x632be5ab)) >>> 0
  return mix((questionHash ^ mix(salt)) >>> 0) < Math.trunc((shares[oddity] ?? 0) * 2 ** 32)
}

/** The address that the responder gives for a question of type A. */
export function trueAddress(questionHash: number): string {
  return `10.${(questionHash >>> 16) & 0xff}.${(questionHash >>> 8) & 0xff}.${questionHash & 0xff}`
}

/** The finalizer of MurmurHash3. */
function mix(value: number): number {
  let h = value ^ (value >>> 16)
  h = Math.imul(h, 0x85ebca6b)
  h ^= h >>> 13
  h = Math.imul(h, 0xc2b2ae35)
  return (h ^ (h >>> 16)) >>> 0
}
