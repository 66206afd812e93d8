/**
 * The Huffman code of HPACK, for decoding.
 *
 * The code is canonical: the codes of one length are consecutive numbers in the order of their symbols, so that the
 * lengths alone say everything.
 *
 * Sources: RFC 7541 section 5.2 and appendix B.
 */

/** Length in bits of the code of each octet, and last of the end-of-string symbol. */
const CODE_LENGTHS: readonly number[] = [
  13, 23, 28, 28, 28, 28, 28, 28, 28, 24, 30, 28, 28, 30, 28, 28, 28, 28, 28, 28, 28, 28, 30, 28, 28, 28, 28, 28, 28,
  28, 28, 28, 6, 10, 10, 12, 13, 6, 8, 11, 10, 10, 8, 11, 8, 6, 6, 6, 5, 5, 5, 6, 6, 6, 6, 6, 6, 6, 7, 8, 15, 6, 12, 10,
  13, 6, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 8, 7, 8, 13, 19, 13, 14, 6, 15, 5, 6, 5, 6,
  5, 6, 6, 6, 5, 7, 7, 6, 6, 6, 5, 6, 7, 6, 5, 5, 6, 7, 7, 7, 7, 7, 15, 11, 14, 13, 28, 20, 22, 20, 20, 22, 22, 22, 23,
  22, 23, 23, 23, 23, 23, 24, 23, 24, 24, 22, 23, 24, 23, 23, 23, 23, 21, 22, 23, 22, 23, 23, 24, 22, 21, 20, 22, 22,
  23, 23, 21, 23, 22, 22, 24, 21, 22, 23, 23, 21, 21, 22, 21, 23, 22, 23, 23, 20, 22, 22, 22, 23, 22, 22, 23, 26, 26,
  20, 19, 22, 23, 22, 25, 26, 26, 26, 27, 27, 26, 24, 25, 19, 21, 26, 27, 27, 26, 27, 24, 21, 21, 26, 26, 28, 27, 27,
  27, 20, 24, 20, 21, 22, 21, 21, 23, 22, 22, 25, 25, 24, 24, 26, 23, 26, 27, 26, 26, 27, 27, 27, 27, 27, 28, 27, 27,
  27, 27, 27, 26, 30,
]
const CODE_BITS_MAX = 30
const END_OF_STRING = 256
/** What is left at the end must be shorter than an octet and all ones. */
const PADDING_BITS_MAX = 7

interface CodeTable {
  /** First code of each length. */
  readonly firstCode: readonly number[]
  /** How many codes have each length. */
  readonly count: readonly number[]
  /** Where the symbols of each length begin in `symbols`. */
  readonly offset: readonly number[]
  readonly symbols: readonly number[]
}

const TABLE: CodeTable = makeTable()

function makeTable(): CodeTable {
  const lengths = Array.from({ length: CODE_BITS_MAX + 1 }, (_, bits) => bits)
  const count = lengths.map((bits) => (bits === 0 ? 0 : CODE_LENGTHS.filter((length) => length === bits).length))
  const firstCode: number[] = [0]
  const offset: number[] = [0]
  for (let bits = 1; bits <= CODE_BITS_MAX; bits++) {
    firstCode[bits] = ((firstCode[bits - 1] ?? 0) + (count[bits - 1] ?? 0)) * 2
    offset[bits] = (offset[bits - 1] ?? 0) + (count[bits - 1] ?? 0)
  }
  const symbols = lengths.flatMap((bits) =>
    CODE_LENGTHS.flatMap((length, symbol) => (bits > 0 && length === bits ? [symbol] : [])),
  )
  return { firstCode, count, offset, symbols }
}

/** Decodes octets to a string of one character per octet. @returns `undefined` when they are no code. */
export function decodeHuffman(octets: Uint8Array): string | undefined {
  let text = ''
  let code = 0
  let bits = 0
  for (const octet of octets) {
    for (let mask = 0x80; mask > 0; mask >>= 1) {
      code = code * 2 + ((octet & mask) === 0 ? 0 : 1)
      bits++
      const index = code - (TABLE.firstCode[bits] ?? 0)
      if (index < (TABLE.count[bits] ?? 0)) {
        const symbol = TABLE.symbols[(TABLE.offset[bits] ?? 0) + index] ?? END_OF_STRING
        if (symbol === END_OF_STRING) return undefined
        text += String.fromCharCode(symbol)
        code = 0
        bits = 0
      } else if (bits >= CODE_BITS_MAX) return undefined
    }
  }
  return bits <= PADDING_BITS_MAX && code === 2 ** bits - 1 ? text : undefined
}
