/** Octets of the hexadecimal form. */

/** @returns `undefined` when the text is none: an odd number of digits, or something else than digits. */
export function parseHexOctets(text: string): Uint8Array | undefined {
  if (text.length % 2 !== 0 || !/^[\da-f]*$/i.test(text)) return undefined
  return Uint8Array.from({ length: text.length / 2 }, (_, index) =>
    Number.parseInt(text.slice(index * 2, index * 2 + 2), 16),
  )
}
