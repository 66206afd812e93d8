/**
 * SHA-256 without waiting: keys of incidents are made inside pure functions, where Web Crypto's promise has no place.
 *
 * Sources: FIPS 180-4.
 */

const BLOCK_OCTETS = 64

/** The first 32 bits behind the point of the cube (or square) roots of the first primes. */
function rootBits(count: number, exponent: number): readonly number[] {
  const found: number[] = []
  for (let candidate = 2; found.length < count; candidate++) {
    let isPrime = true
    for (let divisor = 2; divisor * divisor <= candidate; divisor++) if (candidate % divisor === 0) isPrime = false
    if (isPrime) found.push(Math.trunc((candidate ** exponent % 1) * 0x1_0000_0000) | 0)
  }
  return found
}

const CONSTANTS = rootBits(64, 1 / 3)
const START = rootBits(8, 1 / 2)

/** @returns The digest of a text in UTF-8: 64 hexadecimal digits, lower case. */
export function hashText(text: string): string {
  const octets = new TextEncoder().encode(text)
  const padded = new Uint8Array(Math.ceil((octets.length + 9) / BLOCK_OCTETS) * BLOCK_OCTETS)
  padded.set(octets)
  padded[octets.length] = 0x80
  const view = new DataView(padded.buffer)
  view.setUint32(padded.length - 8, Math.floor(octets.length / 0x2000_0000))
  view.setUint32(padded.length - 4, (octets.length << 3) >>> 0)
  let digest = START
  for (let at = 0; at < padded.length; at += BLOCK_OCTETS) digest = addBlock(digest, view, at)
  return digest.map((word) => (word >>> 0).toString(16).padStart(8, '0')).join('')
}

function addBlock(digest: readonly number[], view: DataView, at: number): readonly number[] {
  const words = new Int32Array(64)
  for (let i = 0; i < 16; i++) words[i] = view.getInt32(at + i * 4)
  for (let i = 16; i < 64; i++) {
    const [w15, w2] = [words[i - 15] ?? 0, words[i - 2] ?? 0]
    const s0 = rotate(w15, 7) ^ rotate(w15, 18) ^ (w15 >>> 3)
    const s1 = rotate(w2, 17) ^ rotate(w2, 19) ^ (w2 >>> 10)
    words[i] = (words[i - 16] ?? 0) + s0 + (words[i - 7] ?? 0) + s1
  }
  let [a = 0, b = 0, c = 0, d = 0, e = 0, f = 0, g = 0, h = 0] = digest
  for (let i = 0; i < 64; i++) {
    const s1 = rotate(e, 6) ^ rotate(e, 11) ^ rotate(e, 25)
    const t1 = (h + s1 + ((e & f) ^ (~e & g)) + (CONSTANTS[i] ?? 0) + (words[i] ?? 0)) | 0
    const s0 = rotate(a, 2) ^ rotate(a, 13) ^ rotate(a, 22)
    const t2 = (s0 + ((a & b) ^ (a & c) ^ (b & c))) | 0
    ;[h, g, f, e, d, c, b, a] = [g, f, e, (d + t1) | 0, c, b, a, (t1 + t2) | 0]
  }
  return [a, b, c, d, e, f, g, h].map((word, i) => (word + (digest[i] ?? 0)) | 0)
}

function rotate(word: number, bits: number): number {
  return (word >>> bits) | (word << (32 - bits))
}
