/**
 * Every record of a scan, one after the other: rows of pairs in their canonical type, other records as they are, and what
 * could not be read.
 *
 * **Invariant**: one record in memory at a time; a line that cannot be read stops nothing.
 */
import type { JsonFields, SatelliteRole, SatelliteRow } from '../../model/satellite-row.ts'
import { readRow } from './read-row.ts'
import { isFields, MalformedRowError } from './row-fields.ts'
import { isRole, type ScanFileKind } from './scan-file-names.ts'
import { splitLines } from './split-lines.ts'

/** Two pages of 64 KiB, escaped, are 800 KiB at the worst. */
const LINE_OCTETS_MAX = 4 * 1024 * 1024

/** A line for `quarantine.jsonl`. */
export interface QuarantinedLine {
  readonly file: string
  /** 1 for the first; 0 for the file as a whole. */
  readonly line: number
  readonly reason: string
}

/** What one line gave. */
export type ScanRecord =
  | { readonly type: 'row'; readonly line: number; readonly row: SatelliteRow }
  | { readonly type: 'record'; readonly line: number; readonly kind: ScanFileKind; readonly fields: JsonFields }
  | { readonly type: 'quarantined'; readonly quarantined: QuarantinedLine }

/** A file cannot be read, or not further; the message says why. */
export class ScanReadError extends Error {
  override readonly name = 'ScanReadError'
}

/** One file of a scan. */
export interface ScanFile {
  /** For people; within an archive `scan.tar.gz:raw/results.json`. */
  readonly path: string
  readonly kind: ScanFileKind
  /** Unpacked. Rejects with a {@link ScanReadError}. */
  readonly chunks: AsyncIterable<Uint8Array>
}

/** Reads one file to its end, or to where it is damaged. Empty lines say nothing. */
export async function* readScanFile(file: ScanFile): AsyncGenerator<ScanRecord> {
  let line = 0
  const quarantine = (reason: string): ScanRecord => ({
    type: 'quarantined',
    quarantined: { file: file.path, line, reason },
  })
  try {
    for await (const { number, text } of splitLines(file.chunks, LINE_OCTETS_MAX)) {
      line = number
      if (text === undefined) yield quarantine(`the line is longer than ${LINE_OCTETS_MAX} octets`)
      else if (text.trim() !== '') yield readLine(file.kind, text, line, quarantine)
    }
  } catch (error) {
    if (!(error instanceof ScanReadError)) throw error
    line += 1
    yield quarantine(error.message)
  }
}

function readLine(
  kind: ScanFileKind,
  text: string,
  line: number,
  quarantine: (reason: string) => ScanRecord,
): ScanRecord {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return quarantine('the line is no JSON')
  }
  try {
    if (isRole(kind)) return { type: 'row', line, row: readRow(value, toRole(kind)) }
  } catch (error) {
    if (!(error instanceof MalformedRowError)) throw error
    return quarantine(error.message)
  }
  return isFields(value) ? { type: 'record', line, kind, fields: value } : quarantine('the line is no JSON object')
}

/** The shape decides between rows that are judged and those that are not. */
function toRole(kind: SatelliteRole): SatelliteRole | undefined {
  return kind === 'result' ? undefined : kind
}
