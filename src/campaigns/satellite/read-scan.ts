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

/** Longer lines are put aside: two pages of 64 KiB, escaped, are 800 KiB at the worst. */
export const LINE_OCTETS_MAX: number = 4 * 1024 * 1024

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
      if (text === undefined) yield quarantine(TOO_LONG)
      else if (text.trim() !== '') {
        const content = readScanLine(file.kind, text)
        yield content.type === 'malformed' ? quarantine(content.reason) : { ...content, line }
      }
    }
  } catch (error) {
    if (!(error instanceof ScanReadError)) throw error
    line += 1
    yield quarantine(error.message)
  }
}

/** What a line gave, without its place. */
export type LineContent =
  | { readonly type: 'row'; readonly row: SatelliteRow }
  | { readonly type: 'record'; readonly kind: ScanFileKind; readonly fields: JsonFields }
  | { readonly type: 'malformed'; readonly reason: string }

/** Reads one line of a file of a kind. */
export function readScanLine(kind: ScanFileKind, text: string): LineContent {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return { type: 'malformed', reason: 'the line is no JSON' }
  }
  try {
    if (isRole(kind)) return { type: 'row', row: readRow(value, toRole(kind)) }
  } catch (error) {
    if (!(error instanceof MalformedRowError)) throw error
    return { type: 'malformed', reason: error.message }
  }
  return isFields(value)
    ? { type: 'record', kind, fields: value }
    : { type: 'malformed', reason: 'the line is no JSON object' }
}

/** The shape decides between rows that are judged and those that are not. */
function toRole(kind: SatelliteRole): SatelliteRole | undefined {
  return kind === 'result' ? undefined : kind
}

/** Why a line that is too long is put aside. */
export const TOO_LONG: string = `the line is longer than ${LINE_OCTETS_MAX} octets`
