/**
 * As much of DER as a certificate needs: types of X.690 written in their one canonical form.
 *
 * Sources: ITU-T X.690 (DER), RFC 5280 section 4.1.2.5 (which kind of time).
 */
import { formatIsoTime } from '../core/clock.ts'

/** Tags of X.680 that certificates use. */
export const DER_TAG = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  objectIdentifier: 0x06,
  utf8String: 0x0c,
  utcTime: 0x17,
  sequence: 0x30,
  set: 0x31,
} as const

/** One value: tag, length, content. */
export function encodeDer(tag: number, ...content: readonly Uint8Array[]): Uint8Array {
  const length = content.reduce((sum, part) => sum + part.length, 0)
  return Buffer.concat([Uint8Array.of(tag, ...encodeLength(length)), ...content])
}

/** A sequence of values. */
export function encodeDerSequence(...content: readonly Uint8Array[]): Uint8Array {
  return encodeDer(DER_TAG.sequence, ...content)
}

/** An integer that is not negative. @param octets - Big endian. */
export function encodeDerInteger(octets: Uint8Array): Uint8Array {
  const first = octets.findIndex((octet) => octet !== 0)
  const digits = first < 0 ? Uint8Array.of(0) : octets.subarray(first)
  return encodeDer(DER_TAG.integer, ...((digits[0] ?? 0) >= 0x80 ? [Uint8Array.of(0)] : []), digits)
}

/** An object identifier. @param text - `2.5.4.3`. */
export function encodeDerObjectIdentifier(text: string): Uint8Array {
  const [first = 0, second = 0, ...rest] = text.split('.').map(Number)
  const octets = [first * 40 + second, ...rest].flatMap((arc) => {
    const groups = [arc & 0x7f]
    for (let left = arc >>> 7; left > 0; left >>>= 7) groups.unshift((left & 0x7f) | 0x80)
    return groups
  })
  return encodeDer(DER_TAG.objectIdentifier, Uint8Array.from(octets))
}

/** A moment up to the year 2049. @param wallMs - Unix milliseconds. */
export function encodeDerTime(wallMs: number): Uint8Array {
  const digits = formatIsoTime(wallMs).slice(2, 19).replaceAll(/\D/g, '')
  return encodeDer(DER_TAG.utcTime, new TextEncoder().encode(`${digits}Z`))
}

/** Text. */
export function encodeDerText(text: string): Uint8Array {
  return encodeDer(DER_TAG.utf8String, new TextEncoder().encode(text))
}

function encodeLength(length: number): readonly number[] {
  if (length < 0x80) return [length]
  const octets: number[] = []
  for (let left = length; left > 0; left >>>= 8) octets.unshift(left & 0xff)
  return [0x80 | octets.length, ...octets]
}
