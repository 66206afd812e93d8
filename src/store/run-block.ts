/**
 * All relays of a run as one block of octets: columns of 32-bit numbers, each taken apart into four planes of octets, so
 * that what is equal or small from relay to relay stands together and packs well.
 *
 * ```
 *   octet 0      octets 1–3   octets 4–7    then, for each column, rows × 4 octets
 *   version (1)  columns      rows          ┌ lowest octets ┬ … ┬ … ┬ highest octets ┐
 * ```
 *
 * **Invariant**: decoding never reads outside of the block; one that is not as long as its head says is refused.
 *
 * Format: docs/formats/archive.md
 */
import { assert } from '../core/assert.ts'

const VERSION = 1
const HEAD_OCTETS = 8
const PLANES = 4
/** What a number of a block can be at most. */
export const BLOCK_NUMBER_MAX = 0xffff_ffff

/** The columns, in the order in which they stand in a block. Only ever appended to. */
export const RUN_BLOCK_COLUMNS = [
  /** Number of the relay. */
  'relay',
  /** Number of what was known about it (nickname, address, …). */
  'fact',
  /** Number of the first hop; 0 for none. */
  'hop',
  /** Number of the verdict: both statuses, code and flags. */
  'kind',
  /** Number of the resolved address; 0 for none. */
  'resolved',
  /** Latency in milliseconds plus 1; 0 for none. */
  'latency',
  'failures',
  'failuresIpv6',
  /** Number of the text of `first_seen`; 0 for none. */
  'firstSeen',
  'lastSeen',
  /** Whole seconds from the moment of the run id to the deciding attempt, plus 1; 0 where that is no moment of the run. */
  'askedAt',
  /** Number of the family; 0 for none. */
  'family',
] as const

/** Name of a column. */
export type RunBlockColumn = (typeof RUN_BLOCK_COLUMNS)[number]

/** A run as columns of equal length; row n of each belongs to the same relay, in order of fingerprint. */
export type RunColumns = Readonly<Record<RunBlockColumn, Uint32Array>>

/** Columns of a length, all zero. */
export function createRunColumns(rows: number): RunColumns {
  return Object.fromEntries(RUN_BLOCK_COLUMNS.map((name) => [name, new Uint32Array(rows)])) as Record<
    RunBlockColumn,
    Uint32Array
  >
}

/** Puts a run into a block, not yet compressed. */
export function encodeRunBlock(columns: RunColumns): Uint8Array {
  const rows = columns.relay.length
  const block = new Uint8Array(HEAD_OCTETS + RUN_BLOCK_COLUMNS.length * rows * PLANES)
  const view = new DataView(block.buffer)
  view.setUint32(0, RUN_BLOCK_COLUMNS.length, true)
  block.copyWithin(1, 0, 3)
  block[0] = VERSION
  view.setUint32(4, rows, true)
  for (const [index, name] of RUN_BLOCK_COLUMNS.entries()) {
    const column = columns[name]
    const start = HEAD_OCTETS + index * rows * PLANES
    for (let row = 0; row < rows; row++) {
      const value = column[row] ?? 0
      block[start + row] = value
      block[start + rows + row] = value >>> 8
      block[start + 2 * rows + row] = value >>> 16
      block[start + 3 * rows + row] = value >>> 24
    }
  }
  return block
}

/** Takes a block apart. @throws {BugError} When it is none: the database only holds what {@link encodeRunBlock} made. */
export function decodeRunBlock(block: Uint8Array): RunColumns {
  const view = new DataView(block.buffer, block.byteOffset, block.byteLength)
  assert(block.length >= HEAD_OCTETS && block[0] === VERSION, 'a block of a run has an unknown version')
  const count = view.getUint32(0, true) >>> 8
  const rows = view.getUint32(4, true)
  assert(block.length === HEAD_OCTETS + count * rows * PLANES, 'a block of a run has another length than it says')
  const columns = createRunColumns(rows)
  for (const [index, name] of RUN_BLOCK_COLUMNS.entries()) {
    // A block from before the column was added has zeros in it.
    if (index >= count) break
    const column = columns[name]
    const start = HEAD_OCTETS + index * rows * PLANES
    for (let row = 0; row < rows; row++) {
      column[row] =
        (block[start + row] ?? 0) |
        ((block[start + rows + row] ?? 0) << 8) |
        ((block[start + 2 * rows + row] ?? 0) << 16) |
        ((block[start + 3 * rows + row] ?? 0) << 24)
    }
  }
  return columns
}
