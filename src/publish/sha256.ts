/** SHA-256 as text. */

/** @returns 64 hexadecimal digits, lower case. */
export async function sha256(octets: Uint8Array<ArrayBuffer>): Promise<string> {
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', octets))
  return Array.from(digest, (octet) => octet.toString(16).padStart(2, '0')).join('')
}
