/** Names as strings that can be compared: as keys of a table, and in DNSSEC's canonical order. */
import type { Name } from '../dns/name.ts'

/** A key that two names share exactly when they are equal, ASCII case aside. */
export function nodeKey(name: Name): string {
  return name.map((label) => String.fromCharCode(label.length) + lowerCaseText(label)).join('')
}

/**
 * A key whose order is the canonical one of RFC 4034 section 6.1: by labels from the right, octet by octet, a name before
 * everything below it.
 */
export function canonicalKey(name: Name): string {
  // Octets are moved up by one, so that the end of a label (U+0000) sorts before all of them.
  const moveUp = (octet: number): string => String.fromCharCode(lowerCase(octet) + 1)
  return name
    .toReversed()
    .map((label) => `${Array.from(label, moveUp).join('')}\u0000`)
    .join('')
}

/** A label as text, one character for each octet, ASCII letters in lower case. */
export function lowerCaseText(label: Uint8Array): string {
  return Array.from(label, (octet) => String.fromCharCode(lowerCase(octet))).join('')
}

function lowerCase(octet: number): number {
  return octet >= 0x41 && octet <= 0x5a ? octet | 0x20 : octet
}
