/**
 * Whole lines out of a stream of octets, some megabytes at once.
 *
 * **Invariant**: no line is cut, but one that is longer than the limit: of that as much is left as shows that it is too long.
 */

const NEWLINE = 0x0a

/** Some whole lines. */
export interface LineBatch {
  readonly octets: Uint8Array<ArrayBuffer>
  /** Whether nothing came before them, or comes after. */
  readonly isWholeFile: boolean
}

/**
 * Where the stream fails, the whole lines before come first.
 *
 * @param batchOctets - Octets of a batch, at least twice those of the longest line.
 * @param takeMemory - Gives memory of so many octets, new or used.
 */
export async function* batchLines(
  chunks: AsyncIterable<Uint8Array>,
  batchOctets: number,
  lineOctetsMax: number,
  takeMemory: () => ArrayBuffer,
): AsyncGenerator<LineBatch> {
  const pending: Pending = { memory: new Uint8Array(takeMemory()), length: 0, isSkipping: false }
  let isFirst = true
  try {
    for await (const chunk of chunks) {
      for (let rest = chunk; rest.length > 0;) {
        rest = fill(pending, rest, batchOctets)
        if (pending.length < batchOctets) continue
        const whole = takeWhole(pending, takeMemory)
        if (whole.length > 0) {
          yield { octets: whole, isWholeFile: false }
          isFirst = false
        }
        if (pending.length > lineOctetsMax) {
          pending.length = lineOctetsMax + 1
          pending.isSkipping = true
        }
      }
    }
  } catch (error) {
    const whole = takeWhole(pending, takeMemory)
    if (whole.length > 0) yield { octets: whole, isWholeFile: isFirst }
    throw error
  }
  yield { octets: pending.memory.subarray(0, pending.length), isWholeFile: isFirst }
}

interface Pending {
  memory: Uint8Array<ArrayBuffer>
  length: number
  /** Whether the rest of a line that is too long is coming. */
  isSkipping: boolean
}

/** @returns What there was no room for. */
function fill(pending: Pending, octets: Uint8Array, batchOctets: number): Uint8Array {
  let rest = octets
  if (pending.isSkipping) {
    const newline = rest.indexOf(NEWLINE)
    if (newline === -1) return rest.subarray(rest.length)
    rest = rest.subarray(newline)
    pending.isSkipping = false
  }
  const taken = rest.subarray(0, batchOctets - pending.length)
  pending.memory.set(taken, pending.length)
  pending.length += taken.length
  return rest.subarray(taken.length)
}

/** The lines that have an end; what is behind them stays. */
function takeWhole(pending: Pending, takeMemory: () => ArrayBuffer): Uint8Array<ArrayBuffer> {
  const { memory, length } = pending
  const end = memory.subarray(0, length).lastIndexOf(NEWLINE) + 1
  if (end === 0) return memory.subarray(0, 0)
  pending.memory = new Uint8Array(takeMemory())
  pending.memory.set(memory.subarray(end, length))
  pending.length = length - end
  return memory.subarray(0, end)
}
