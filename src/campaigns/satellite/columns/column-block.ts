/**
 * Some thousand rows as columns of numbers: how they are collected, and how they lie in a file.
 *
 * **Invariant**: rows, their queries and the addresses of those stand in the order of the source; a row that is not usual has
 * a head of 0, and stands in `odd` as it came.
 *
 * Format: docs/formats/satellite.md
 */
import { RunError } from '../../../core/config-error.ts'

/** What there is one value for. */
type Per = 'row' | 'trial' | 'answer' | 'error' | 'moment' | 'odd'

interface ColumnKind {
  readonly per: Per
  readonly octets: 1 | 2 | 4
}

/** Name of a column. */
export type ColumnName =
  | 'head'
  | 'resolver'
  | 'name'
  | 'trials'
  | 'trialName'
  | 'trialFlags'
  | 'rcode'
  | 'answers'
  | 'answer'
  | 'matched'
  | 'location'
  | 'confidence'
  | 'reasons'
  | 'stamp'
  | 'fraction'
  | 'tail'
  | 'errorOctets'
  | 'oddOctets'

/** The columns in the order of the file. Numbers in tables are those of the dictionaries of the part. */
const COLUMNS: Readonly<Record<ColumnName, ColumnKind>> = {
  /** Which fields the row has, and its yes and no: {@link HEAD}. 0: the row is odd. */
  head: { per: 'row', octets: 4 },
  resolver: { per: 'row', octets: 4 },
  name: { per: 'row', octets: 4 },
  /** Number of queries. */
  trials: { per: 'row', octets: 1 },
  trialName: { per: 'trial', octets: 4 },
  /** {@link TRIAL}. */
  trialFlags: { per: 'trial', octets: 1 },
  /** Plus 32,768. */
  rcode: { per: 'trial', octets: 2 },
  /** Number of addresses. */
  answers: { per: 'trial', octets: 2 },
  /** An address with its tags. */
  answer: { per: 'answer', octets: 4 },
  /** {@link MATCHED_ITEMS} as bits; {@link MATCHED_NULL}. */
  matched: { per: 'answer', octets: 1 },
  location: { per: 'row', octets: 4 },
  confidence: { per: 'row', octets: 4 },
  reasons: { per: 'row', octets: 4 },
  /** Moments: those of the queries of a row, then those of the row, where its head says so. */
  stamp: { per: 'moment', octets: 4 },
  fraction: { per: 'moment', octets: 4 },
  /** 16 × number of what stands behind the fraction + digits of the fraction. */
  tail: { per: 'moment', octets: 2 },
  errorOctets: { per: 'error', octets: 4 },
  oddOctets: { per: 'odd', octets: 4 },
}
const COLUMN_NAMES = Object.keys(COLUMNS) as readonly ColumnName[]

/** Bits of the head of a row: fields that are there, and what they say. */
export const HEAD = {
  usual: 0x1,
  location: 0x2,
  passed_liveness: 0x4,
  passed_control: 0x8,
  connect_error: 0x10,
  in_control_group: 0x20,
  anomaly: 0x40,
  confidence: 0x80,
  start_time: 0x100,
  end_time: 0x200,
  excluded: 0x400,
  exclude_reason: 0x800,
  hasPassed: 0x10000,
  isConnectError: 0x20000,
  isInControlGroup: 0x40000,
  isAnomaly: 0x80000,
  isExcluded: 0x100000,
} as const

/** Bits of a query: `has_type_a`, the form of its addresses (none, a list, an object), and what it has besides. */
export const TRIAL = { hasTypeA: 1, list: 2, map: 4, timed: 8, error: 16 } as const

/** What an address can share with the control, in the order of the bits. */
export const MATCHED_ITEMS = ['ip', 'no_tags', 'http', 'cert', 'asnum', 'asname'] as const
/** `matched` is null. */
export const MATCHED_NULL = 0x40

/** How much there is of everything; with it the columns of a block can be found. */
export type BlockCounts = Readonly<Record<Per, number>> & {
  /** Octets of all errors, and of all odd rows. */
  readonly errorText: number
  readonly oddText: number
}

/** The columns of one block. */
export interface ColumnBlock {
  readonly counts: BlockCounts
  readonly columns: Readonly<Record<ColumnName, Uint8Array | Uint16Array | Uint32Array>>
  /** Errors as they stood between their quotes, one behind the other. */
  readonly errorText: Uint8Array
  /** Odd rows, and records that are no rows, as they came. */
  readonly oddText: Uint8Array
}

const ALIGNMENT = 8

/** Octets of a block in its file. */
export function blockOctets(counts: BlockCounts): number {
  const columns = COLUMN_NAMES.reduce((sum, name) => sum + columnOctets(name, counts), 0)
  return columns + align(counts.errorText) + align(counts.oddText)
}

/** Finds the columns in the octets of a block. @throws {RunError} When there are fewer than the counts say. */
export function decodeBlock(octets: Uint8Array<ArrayBuffer>, counts: BlockCounts): ColumnBlock {
  if (octets.length !== blockOctets(counts)) throw new RunError('the column files are damaged', 'import the scan again')
  // Numbers of four octets have to begin at multiples of four.
  const aligned = octets.byteOffset % ALIGNMENT === 0 ? octets : octets.slice()
  const { buffer } = aligned
  let offset = aligned.byteOffset
  const columns: Partial<Record<ColumnName, Uint8Array | Uint16Array | Uint32Array>> = {}
  for (const name of COLUMN_NAMES) {
    const { per, octets: width } = COLUMNS[name]
    const count = counts[per]
    columns[name] =
      width === 1
        ? new Uint8Array(buffer, offset, count)
        : width === 2
          ? new Uint16Array(buffer, offset, count)
          : new Uint32Array(buffer, offset, count)
    offset += columnOctets(name, counts)
  }
  const errorText = new Uint8Array(buffer, offset, counts.errorText)
  const oddText = new Uint8Array(buffer, offset + align(counts.errorText), counts.oddText)
  return { counts, columns: columns as ColumnBlock['columns'], errorText, oddText }
}

function columnOctets(name: ColumnName, counts: BlockCounts): number {
  const { per, octets } = COLUMNS[name]
  return align(counts[per] * octets)
}

function align(octets: number): number {
  return Math.ceil(octets / ALIGNMENT) * ALIGNMENT
}

/** One column while it grows. */
class GrowingColumn {
  length = 0
  values: Int32Array = new Int32Array(4096)

  push(value: number): void {
    if (this.length === this.values.length) {
      const larger = new Int32Array(this.length * 2)
      larger.set(this.values)
      this.values = larger
    }
    this.values[this.length++] = value
  }
}

/** Octets one behind the other. */
class GrowingText {
  length = 0
  octets: Uint8Array = new Uint8Array(65_536)

  push(octets: Uint8Array, from: number, to: number): void {
    const length = this.length + to - from
    if (length > this.octets.length) {
      const larger = new Uint8Array(Math.max(length, this.octets.length * 2))
      larger.set(this.octets)
      this.octets = larger
    }
    this.octets.set(octets.subarray(from, to), this.length)
    this.length = length
  }
}

/** Collects the rows of a block. */
export class BlockBuilder {
  readonly columns: Readonly<Record<ColumnName, GrowingColumn>> = Object.fromEntries(
    COLUMN_NAMES.map((name) => [name, new GrowingColumn()]),
  ) as Record<ColumnName, GrowingColumn>
  readonly errorText: GrowingText = new GrowingText()
  readonly oddText: GrowingText = new GrowingText()
  readonly #marks = new Int32Array(COLUMN_NAMES.length + 1)

  /** Begins a row. */
  mark(): void {
    for (let at = 0; at < COLUMN_NAMES.length; at++)
      this.#marks[at] = this.columns[COLUMN_NAMES[at] as ColumnName].length
    this.#marks[COLUMN_NAMES.length] = this.errorText.length
  }

  /** Forgets the row that was begun. */
  rollBack(): void {
    for (let at = 0; at < COLUMN_NAMES.length; at++)
      this.columns[COLUMN_NAMES[at] as ColumnName].length = this.#marks[at] as number
    this.errorText.length = this.#marks[COLUMN_NAMES.length] as number
  }

  /** Adds a row, or a record that is none, as it came. */
  addOdd(octets: Uint8Array, from: number, to: number): void {
    for (const name of COLUMN_NAMES) if (COLUMNS[name].per === 'row') this.columns[name].push(0)
    this.columns.oddOctets.push(to - from)
    this.oddText.push(octets, from, to)
  }

  /** Begins a new block. */
  clear(): void {
    for (const name of COLUMN_NAMES) this.columns[name].length = 0
    this.errorText.length = 0
    this.oddText.length = 0
  }

  /** How much there is of everything. */
  counts(): BlockCounts {
    const { head, trialName, answer, errorOctets, stamp, oddOctets } = this.columns
    return {
      row: head.length,
      trial: trialName.length,
      answer: answer.length,
      error: errorOctets.length,
      moment: stamp.length,
      odd: oddOctets.length,
      errorText: this.errorText.length,
      oddText: this.oddText.length,
    }
  }

  /** The octets of the block, little-endian. */
  encode(): Uint8Array<ArrayBuffer> {
    const counts = this.counts()
    const octets = new Uint8Array(blockOctets(counts))
    const block = decodeBlock(octets, counts)
    for (const name of COLUMN_NAMES) {
      const { values, length } = this.columns[name]
      block.columns[name].set(values.subarray(0, length))
    }
    block.errorText.set(this.errorText.octets.subarray(0, counts.errorText))
    block.oddText.set(this.oddText.octets.subarray(0, counts.oddText))
    return octets
  }
}
