/**
 * Names in random case: a resolver repeats the spelling of a question, and somebody who does not see it has to guess one
 * more bit for each letter.
 *
 * **Sources**: draft-vixie-dnsext-dns0x20-00; RFC 4343 (names are equal whatever their case).
 */
import type { Random } from '../core/random.ts'
import type { Name } from './name.ts'

const CASE_BIT = 0x20

/** Spells a name anew: each letter of ASCII upper or lower case by chance. */
export function mixCase(name: Name, random: Random): Name {
  return name.map((label) => label.map((octet) => (isLetter(octet) ? mixOctet(octet, random) : octet)))
}

function mixOctet(octet: number, random: Random): number {
  // The highest bit of a number is as random as any.
  return random.nextUint32() >>> 31 === 0 ? octet | CASE_BIT : octet & ~CASE_BIT
}

function isLetter(octet: number): boolean {
  const lower = octet | CASE_BIT
  return lower >= 0x61 && lower <= 0x7a
}
