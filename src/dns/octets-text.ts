/**
 * Octets as the texts that master files use.
 *
 * **Sources:** RFC 1035 section 5.1 (character-strings), RFC 4648 (base 16, 32 with the extended hex alphabet, 64).
 */

const BASE32_HEX = '0123456789ABCDEFGHIJKLMNOPQRSTUV'

/** Formats octets as upper-case hexadecimal digits. */
export function formatHex(octets: Uint8Array): string {
  let text = ''
  for (const octet of octets) text += octet.toString(16).padStart(2, '0')
  return text.toUpperCase()
}

/** Formats octets as base64 with padding. */
export function formatBase64(octets: Uint8Array): string {
  let binary = ''
  for (const octet of octets) binary += String.fromCharCode(octet)
  return btoa(binary)
}

/** Formats octets as base32 with the extended hex alphabet, without padding: the form of NSEC3 owner names. */
export function formatBase32Hex(octets: Uint8Array): string {
  let text = ''
  let bits = 0
  let pending = 0
  for (const octet of octets) {
    pending = ((pending << 8) | octet) & 0xfff
    bits += 8
    while (bits >= 5) {
      bits -= 5
      text += BASE32_HEX.charAt((pending >> bits) & 31)
    }
  }
  return bits === 0 ? text : text + BASE32_HEX.charAt((pending << (5 - bits)) & 31)
}

/** Formats a character-string in quotes; octets outside of printable ASCII become `\DDD`. */
export function formatCharacterString(octets: Uint8Array): string {
  return `"${escapeOctets(octets)}"`
}

/** Escapes `"` and `\` with a backslash, and octets outside of printable ASCII (but not the space) as `\DDD`. */
export function escapeOctets(octets: Uint8Array): string {
  let text = ''
  for (const octet of octets) {
    if (octet < 0x20 || octet >= 0x7f) text += `\\${String(octet).padStart(3, '0')}`
    else text += octet === 0x22 || octet === 0x5c ? `\\${String.fromCharCode(octet)}` : String.fromCharCode(octet)
  }
  return text
}
