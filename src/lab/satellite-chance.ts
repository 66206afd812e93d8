/** Chance that depends on the seed and on what it is about, never on the order in which it is asked. */
import { createSeededRandom } from '../core/random.ts'

/** @returns A whole number from 0 to `maxExclusive` − 1, always the same for the same words. */
export function chooseBySeed(maxExclusive: number, ...words: readonly (string | number)[]): number {
  return createSeededRandom(words.join(' ')).nextUint32() % maxExclusive
}
