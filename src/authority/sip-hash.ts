/**
 * SipHash-2-4: a keyed hash for short inputs, which RFC 9018 prescribes for DNS cookies.
 *
 * Web Crypto has no SipHash and its HMAC is asynchronous, while an answer is made in one step.
 *
 * Sources: Aumasson and Bernstein, "SipHash: a fast short-input PRF", 2012.
 */

const MASK = 0xffff_ffff_ffff_ffffn

/** @returns The 8 octets of the hash (little-endian, as the reference code writes them). `key` has 16 octets. */
export function sipHash(key: Uint8Array, input: Uint8Array): Uint8Array {
  const k0 = readWord(key, 0)
  const k1 = readWord(key, 8)
  const state: State = [
    k0 ^ 0x736f_6d65_7073_6575n,
    k1 ^ 0x646f_7261_6e64_6f6dn,
    k0 ^ 0x6c79_6765_6e65_7261n,
    k1 ^ 0x7465_6462_7974_6573n,
  ]
  // The last block is padded with zeros and carries the length in its top octet.
  const padded = new Uint8Array((input.length >> 3) * 8 + 8)
  padded.set(input)
  padded[padded.length - 1] = input.length & 0xff
  for (let offset = 0; offset < padded.length; offset += 8) {
    const word = readWord(padded, offset)
    state[3] ^= word
    mix(state, 2)
    state[0] ^= word
  }
  state[2] ^= 0xffn
  mix(state, 4)
  const hash = new Uint8Array(8)
  new DataView(hash.buffer).setBigUint64(0, state[0] ^ state[1] ^ state[2] ^ state[3], true)
  return hash
}

type State = [bigint, bigint, bigint, bigint]

function readWord(octets: Uint8Array, offset: number): bigint {
  return new DataView(octets.buffer, octets.byteOffset + offset, 8).getBigUint64(0, true)
}

function rotate(word: bigint, bits: bigint): bigint {
  return ((word << bits) & MASK) | (word >> (64n - bits))
}

function mix(state: State, rounds: number): void {
  let [a, b, c, d] = state
  for (let round = 0; round < rounds; round++) {
    a = (a + b) & MASK
    b = rotate(b, 13n) ^ a
    a = rotate(a, 32n)
    c = (c + d) & MASK
    d = rotate(d, 16n) ^ c
    a = (a + d) & MASK
    d = rotate(d, 21n) ^ a
    c = (c + b) & MASK
    b = rotate(b, 17n) ^ c
    c = rotate(c, 32n)
  }
  state[0] = a
  state[1] = b
  state[2] = c
  state[3] = d
}
