/**
 * Frames of HTTP/2 from and to a connection.
 *
 * Invariant: reading holds at most one frame and one read of the connection.
 *
 * Sources: RFC 9113 section 4.
 */
import type { Failure } from '../model/failure.ts'
import { createHpackDecoder, type Header } from './hpack.ts'
import { decodeFrameHead, FLAG, FRAME_HEAD_OCTETS, FRAME_OCTETS_MAX, putFrame, type FrameHead } from './http2-frame.ts'
import { joinOctets } from './join-octets.ts'
import { NetError, type Connection } from './net.ts'

/** Longest header block that is taken, in octets. */
export const HEADER_BLOCK_OCTETS_MAX = 16_384
const CONTINUATIONS_MAX = 16
/** A hundred padded queries fit; buffers grow for more. */
const BUFFER_OCTETS = 32_768

/** Writes frames; those of one turn leave together. */
export interface FrameWriter {
  /** What waits to be written. */
  readonly unwrittenOctets: number
  write(octets: Uint8Array): void
  writeFrame(type: number, flags: number, stream: number, payload: Uint8Array): void
  /** Forgets what is not written. */
  stop(): void
}

/** Begins to write. @param onFailure - Called once, when the connection breaks. */
export function createFrameWriter(connection: Connection, onFailure: (failure: Failure) => void): FrameWriter {
  // Two buffers in turn: small arrays for every frame would cost more than all the rest.
  let filling: Uint8Array = new Uint8Array(BUFFER_OCTETS)
  let spare: Uint8Array = new Uint8Array(BUFFER_OCTETS)
  let used = 0
  let isWriting = false
  let isStopped = false
  const writeAll = async (): Promise<void> => {
    try {
      await Promise.resolve()
      while (used > 0) {
        const full = filling
        const octets = full.subarray(0, used)
        filling = spare
        used = 0
        await connection.write(octets)
        spare = full
      }
    } catch (error) {
      if (!(error instanceof NetError)) throw error
      onFailure(error.failure)
    } finally {
      isWriting = false
    }
  }
  /** @returns Where octets of that length may be put; −1 when nothing is written any more. */
  const reserve = (length: number): number => {
    if (isStopped) return -1
    const at = used
    used += length
    if (used > filling.length) {
      const larger = new Uint8Array(2 * used)
      larger.set(filling.subarray(0, at))
      filling = larger
    }
    if (!isWriting) {
      isWriting = true
      void writeAll()
    }
    return at
  }
  return {
    get unwrittenOctets() {
      return used
    },
    write: (octets) => {
      const at = reserve(octets.length)
      if (at >= 0) filling.set(octets, at)
    },
    writeFrame: (type, flags, stream, payload) => {
      const at = reserve(FRAME_HEAD_OCTETS + payload.length)
      if (at >= 0) putFrame(filling, at, { length: payload.length, type, flags, stream }, payload)
    },
    stop: () => {
      isStopped = true
      used = 0
    },
  }
}

/**
 * Reads frames until one of them ends the connection.
 *
 * @param take - Gets each frame; the payload is valid during the call. @returns Why the connection has to end.
 * @returns Why there is nothing more to read. Rejects only on a bug.
 */
export async function readFrames(
  connection: Connection,
  take: (head: FrameHead, payload: Uint8Array) => Failure | undefined,
): Promise<Failure> {
  let held: Uint8Array = new Uint8Array(0)
  try {
    for (;;) {
      const octets = await connection.read()
      if (octets === undefined) return 'eof_error'
      held = held.length === 0 ? octets : joinOctets([held, octets])
      while (held.length >= FRAME_HEAD_OCTETS) {
        const head = decodeFrameHead(held)
        if (head.length > FRAME_OCTETS_MAX) return 'http_protocol_error'
        const end = FRAME_HEAD_OCTETS + head.length
        if (held.length < end) break
        const failure = take(head, held.subarray(FRAME_HEAD_OCTETS, end))
        if (failure !== undefined) return failure
        held = held.subarray(end)
      }
    }
  } catch (error) {
    if (!(error instanceof NetError)) throw error
    return error.failure
  }
}

/** A header block that arrives in parts. */
export interface HeaderBlocks {
  /** The stream whose block is not whole yet; then only its next part may come. */
  readonly open: number | undefined
  /** Takes a part, padding and priority removed. @returns The list with the first part's frame, when it is whole. */
  take(head: FrameHead, part: Uint8Array): WholeBlock | Failure | undefined
}

/** Headers, and the frame that they began with. */
export interface WholeBlock {
  readonly head: FrameHead
  readonly list: readonly Header[]
}

/** Joins and decodes header blocks of one connection. */
export function createHeaderBlocks(): HeaderBlocks {
  const decoder = createHpackDecoder()
  let block: { readonly head: FrameHead; readonly parts: Uint8Array[]; octets: number } | undefined
  return {
    get open() {
      return block?.head.stream
    },
    take: (head, part) => {
      block ??= { head, parts: [], octets: 0 }
      block.octets += part.length
      const count = block.parts.push(part.slice())
      if (block.octets > HEADER_BLOCK_OCTETS_MAX || count > CONTINUATIONS_MAX) return 'http_too_large'
      if ((head.flags & FLAG.endHeaders) === 0) return undefined
      const list = decoder.decode(joinOctets(block.parts))
      const whole = list && { head: block.head, list }
      block = undefined
      return whole ?? 'http_protocol_error'
    },
  }
}

/** @returns The content of a frame that may be padded; `undefined` when the padding is longer than the frame. */
export function unpadFrame({ flags }: FrameHead, payload: Uint8Array): Uint8Array | undefined {
  if ((flags & FLAG.padded) === 0) return payload
  const padding = payload[0]
  if (padding === undefined || padding >= payload.length) return undefined
  return payload.subarray(1, payload.length - padding)
}
