/**
 * Cuts a stream of octets into lines of text.
 *
 * **Invariant**: what is longer than a line can be is cut short, so that memory is bounded.
 */

/** Longer lines are cut; whoever reads them then finds them malformed. */
const LINE_OCTETS_MAX = 8_192

/** Remembers what has no end yet. */
export interface LineSplitter {
  /** @returns The lines that ended within these octets, without their ends. */
  take(chunk: Uint8Array): readonly string[]
}

/** Cuts octets into lines. */
export function createLineSplitter(): LineSplitter {
  let rest: Uint8Array = new Uint8Array(0)
  const decoder = new TextDecoder()
  return {
    take: (chunk) => {
      const lines: string[] = []
      let start = 0
      for (let end = chunk.indexOf(0x0a); end >= 0; end = chunk.indexOf(0x0a, start)) {
        const line = concat(rest, chunk.subarray(start, end))
        rest = new Uint8Array(0)
        lines.push(decoder.decode(line.at(-1) === 0x0d ? line.subarray(0, -1) : line))
        start = end + 1
      }
      rest = concat(rest, chunk.subarray(start)).slice(0, LINE_OCTETS_MAX)
      return lines
    },
  }
}

function concat(a: Uint8Array, b: Uint8Array): Uint8Array {
  if (a.length === 0) return b
  const joined = new Uint8Array(a.length + b.length)
  joined.set(a)
  joined.set(b, a.length)
  return joined
}
