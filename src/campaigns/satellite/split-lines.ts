/**
 * Lines out of a stream of octets.
 *
 * **Invariant**: at most one line is in memory, and a line longer than the limit is skipped without being kept.
 */

/** One line, without its end. */
export interface StreamLine {
  /** 1 for the first. */
  readonly number: number
  /** `undefined` for a line that is too long. */
  readonly text: string | undefined
}

const NEWLINE = 0x0a

/** @param lineOctetsMax - Longer lines come without their text. */
export async function* splitLines(
  chunks: AsyncIterable<Uint8Array>,
  lineOctetsMax: number,
): AsyncGenerator<StreamLine> {
  const decoder = new TextDecoder()
  let number = 0
  let parts: Uint8Array[] = []
  let length = 0
  const take = (part: Uint8Array): void => {
    length += part.length
    if (length > lineOctetsMax) parts = []
    else if (part.length > 0) parts.push(part)
  }
  const finish = (): StreamLine => {
    const text = length > lineOctetsMax ? undefined : decoder.decode(joinParts(parts, length))
    parts = []
    length = 0
    return { number: ++number, text }
  }
  for await (const chunk of chunks) {
    let from = 0
    for (let at = chunk.indexOf(NEWLINE); at !== -1; at = chunk.indexOf(NEWLINE, from)) {
      take(chunk.subarray(from, at))
      yield finish()
      from = at + 1
    }
    // A copy: whoever gave the chunk may use its memory again.
    take(chunk.slice(from))
  }
  if (length > 0) yield finish()
}

function joinParts(parts: readonly Uint8Array[], length: number): Uint8Array {
  if (parts.length === 1 && parts[0] !== undefined) return parts[0]
  const all = new Uint8Array(length)
  let offset = 0
  for (const part of parts) {
    all.set(part, offset)
    offset += part.length
  }
  return all
}
