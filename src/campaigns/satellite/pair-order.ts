/**
 * A random order of the numbers 0 to n − 1 that needs no memory: a seed and a place give a number.
 *
 * Twenty million pairs in random order would be a list of 160 MB. A Feistel network over the next power of four gives each
 * place its number; places whose number is too large are passed on until it fits.
 *
 * **Invariant**: each number has exactly one place. The same seed gives the same order.
 *
 * **Sources**: J. Black, P. Rogaway, "Ciphers with Arbitrary Finite Domains", 2002 (cycle walking).
 */
import { assert } from '../../core/assert.ts'
import type { Random } from '../../core/random.ts'

const ROUNDS = 6
/** Two halves of 26 bits stay exact in a number. */
const COUNT_MAX = 2 ** 52

/** Gives the number at each place. @param random - Gives the keys; nothing is taken from it later. */
export function createPairOrder(random: Random, count: number): (place: number) => number {
  assert(count > 0 && count <= COUNT_MAX, 'an order has some numbers')
  let bits = 1
  while (2 ** (bits * 2) < count) bits++
  const size = 2 ** bits
  const keys = Array.from({ length: ROUNDS }, () => random.nextUint32())
  const permute = (number: number): number => {
    let left = Math.floor(number / size)
    let right = number % size
    for (const key of keys) [left, right] = [right, (left ^ mix(right, key)) & (size - 1)]
    return left * size + right
  }
  return (place) => {
    let number = permute(place)
    // Each walk ends: the network is a permutation, and the place itself is small enough.
    while (number >= count) number = permute(number)
    return number
  }
}

/** The last steps of MurmurHash3 spread every bit over all others. */
function mix(value: number, key: number): number {
  let hash = value ^ key
  hash = Math.imul(hash ^ (hash >>> 16), 0x85eb_ca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2_ae35)
  return hash ^ (hash >>> 16)
}
