/**
 * Randomness as a capability: a seed repeats a run.
 *
 * Sources: sfc32 by Chris Doty-Humphrey (PractRand); the seed text is spread with cyrb128-style multiplications. Not for
 * secrets: those come from Web Crypto.
 */
import { assert } from './assert.ts'

/** A source of numbers. */
export interface Random {
  /** 0 to 2³² − 1, uniform. */
  nextUint32(): number
}

/** A generator whose sequence depends on `seed` alone. */
export function createSeededRandom(seed: string): Random {
  let [a, b, c, d] = spread(seed)
  const random: Random = {
    nextUint32: () => {
      const t = (((a + b) | 0) + d) | 0
      d = (d + 1) | 0
      a = b ^ (b >>> 9)
      b = (c + (c << 3)) | 0
      c = (((c << 21) | (c >>> 11)) + t) | 0
      return t >>> 0
    },
  }
  // The first outputs still resemble the seed.
  for (let i = 0; i < 16; i++) random.nextUint32()
  return random
}

/** @returns 0 to `maxExclusive` − 1. */
export function randomInt(random: Random, maxExclusive: number): number {
  assert(Number.isInteger(maxExclusive) && maxExclusive > 0, 'randomInt needs a positive bound')
  return Math.floor((random.nextUint32() / 0x1_0000_0000) * maxExclusive)
}

/** @returns A new array with the items in random order (Fisher-Yates). */
export function shuffle<T>(random: Random, items: readonly T[]): T[] {
  const result = [...items]
  for (let i = result.length - 1; i > 0; i--) {
    const j = randomInt(random, i + 1)
    const item = result[i] as T
    result[i] = result[j] as T
    result[j] = item
  }
  return result
}

function spread(text: string): [number, number, number, number] {
  let [a, b, c, d] = [1_779_033_703, 3_144_134_277, 1_013_904_242, 2_773_480_762]
  for (const char of text) {
    const k = char.codePointAt(0) ?? 0
    a = b ^ Math.imul(a ^ k, 597_399_067)
    b = c ^ Math.imul(b ^ k, 2_869_860_233)
    c = d ^ Math.imul(c ^ k, 951_274_213)
    d = a ^ Math.imul(d ^ k, 2_716_044_179)
  }
  return [a, b, c, d]
}
