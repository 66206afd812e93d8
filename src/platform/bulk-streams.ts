/**
 * Files and pipes as the bulk engine wants them: read and written at once in its own thread, without events.
 *
 * Invariant: a pipe that is full makes nobody wait: what was not taken is offered again.
 */
import { closeSync, ftruncateSync, openSync, readSync, writeSync } from 'node:fs'
import type { OctetSource } from '../core/octet-source.ts'

const OUTPUT_MODE = 0o644
const STDOUT = 1
/** Octets that wait between the thread that reads a pipe and the engine. */
const RING_OCTETS = 1_048_576
const WRITTEN = 0
const READ = 1
const ENDED = 2
const HEADER_OCTETS = 16

/** Opens a file of names. @throws {Error} With the code of the operating system. */
export function openNameFile(path: string): OctetSource {
  const file = openSync(path, 'r')
  return {
    read: (octets, at) => {
      const taken = readSync(file, octets, at, octets.length - at, null)
      return taken === 0 ? -1 : taken
    },
  }
}

/** Where records go. */
export interface RecordOutput {
  /** @returns How many octets were taken. @throws {Error} With the code of the operating system: `ENOSPC`, `EPIPE`. */
  write(octets: Uint8Array, sizeOctets: number): number
  close(): void
}

/**
 * Opens the output.
 *
 * @param path - `null` for stdout.
 * @param keepOctets - What of an existing file is kept.
 */
export function openRecordOutput(path: string | null, keepOctets: number): RecordOutput {
  const file = path === null ? STDOUT : openSync(path, keepOctets > 0 ? 'r+' : 'w', OUTPUT_MODE)
  let at = keepOctets
  if (keepOctets > 0) ftruncateSync(file, keepOctets)
  return {
    write: (octets, sizeOctets) => {
      try {
        const taken = writeSync(file, octets, 0, sizeOctets, path === null ? null : at)
        at += taken
        return taken
      } catch (error) {
        if (error instanceof Error && 'code' in error && error.code === 'EAGAIN') return 0
        throw error
      }
    },
    close: () => {
      if (path !== null) closeSync(file)
    },
  }
}

/** Memory that one thread fills from a pipe and another empties. */
export function createRingMemory(): SharedArrayBuffer {
  return new SharedArrayBuffer(HEADER_OCTETS + RING_OCTETS)
}

/** The side that empties the ring. */
export function openRingSource(memory: SharedArrayBuffer): OctetSource {
  const places = new Int32Array(memory, 0, HEADER_OCTETS / 4)
  const ring = new Uint8Array(memory, HEADER_OCTETS)
  return {
    read: (octets, at) => {
      const ended = Atomics.load(places, ENDED) === 1
      const from = Atomics.load(places, READ)
      const waiting = (Atomics.load(places, WRITTEN) - from) | 0
      if (waiting === 0) return ended ? -1 : 0
      const start = from & (RING_OCTETS - 1)
      const taken = Math.min(waiting, octets.length - at, RING_OCTETS - start)
      octets.set(ring.subarray(start, start + taken), at)
      Atomics.store(places, READ, (from + taken) | 0)
      return taken
    },
  }
}

/** The side that fills the ring. */
export interface RingFeed {
  /** @returns How many octets found room. */
  write(octets: Uint8Array): number
  end(): void
}

/** Opens the side that fills the ring. */
export function openRingFeed(memory: SharedArrayBuffer): RingFeed {
  const places = new Int32Array(memory, 0, HEADER_OCTETS / 4)
  const ring = new Uint8Array(memory, HEADER_OCTETS)
  return {
    write: (octets) => {
      const to = Atomics.load(places, WRITTEN)
      const room = RING_OCTETS - ((to - Atomics.load(places, READ)) | 0)
      const start = to & (RING_OCTETS - 1)
      const taken = Math.min(room, octets.length, RING_OCTETS - start)
      ring.set(octets.subarray(0, taken), start)
      Atomics.store(places, WRITTEN, (to + taken) | 0)
      return taken
    },
    end: () => {
      Atomics.store(places, ENDED, 1)
    },
  }
}
