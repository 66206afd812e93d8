/**
 * The list of types in NSEC and NSEC3: windows of 256 types, as bits.
 *
 * **Invariant:** only the one form that RFC 4034 allows is understood, so that encoding gives back the same octets.
 *
 * **Sources:** RFC 4034 section 4.1.2, RFC 5155 section 3.2.1.
 */
import type { WireReader } from './wire-reader.ts'
import type { WireWriter } from './wire-writer.ts'

const WINDOW_OCTETS_MAX = 32

/** Reads up to the reader's end. @returns Types, lowest first; the reader fails on any other form. */
export function decodeTypeBitmap(reader: WireReader): readonly number[] {
  const types: number[] = []
  let previousWindow = -1
  while (reader.remaining() > 0) {
    const window = reader.uint8()
    const octets = reader.takeCounted()
    if (window <= previousWindow) reader.fail('type bitmap windows out of order')
    if (octets.length === 0 || octets.length > WINDOW_OCTETS_MAX) reader.fail('type bitmap window of a wrong size')
    if (octets.at(-1) === 0) reader.fail('type bitmap window with trailing zeros')
    previousWindow = window
    for (let i = 0; i < octets.length; i++) {
      for (let bit = 0; bit < 8; bit++) {
        if (((octets[i] as number) & (0x80 >> bit)) !== 0) types.push(window * 256 + i * 8 + bit)
      }
    }
  }
  return types
}

/** Writes types in any order. */
export function encodeTypeBitmap(writer: WireWriter, types: readonly number[]): void {
  const windows = new Map<number, Uint8Array>()
  for (const type of types) {
    const window = type >>> 8
    const octets = windows.get(window) ?? new Uint8Array(WINDOW_OCTETS_MAX)
    const at = (type & 0xff) >>> 3
    octets[at] = (octets[at] as number) | (0x80 >> (type & 7))
    windows.set(window, octets)
  }
  for (const [window, octets] of [...windows].sort(([a], [b]) => a - b)) {
    writer.uint8(window)
    writer.putCounted(octets.subarray(0, octets.findLastIndex((octet) => octet !== 0) + 1))
  }
}
