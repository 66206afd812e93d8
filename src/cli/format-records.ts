/** Records on stdout: a table for people, JSON Lines for programs. */
import { cleanLine } from '../alerts/plain-text.ts'

/** A wide text would push the columns behind it off the screen. */
const CELL_CHARS_MAX = 60

/** One record: names as in JSON, in the order of the columns. */
export type OutputRecord = Readonly<Record<string, string | number | boolean | null>>

/** Formats records that have the same names. Cells hold what strangers wrote: control characters do not get through. */
export function formatRecords(records: readonly OutputRecord[], isTable: boolean): string {
  if (!isTable) return records.map((record) => `${JSON.stringify(record)}\n`).join('')
  const [first] = records
  if (first === undefined) return ''
  const names = Object.keys(first)
  const rows = [names, ...records.map((record) => names.map((name) => formatCell(record[name] ?? null)))]
  const widths = names.map((_name, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)))
  return rows
    .map((row) => row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  '))
    .map((line) => `${line.trimEnd()}\n`)
    .join('')
}

function formatCell(value: string | number | boolean | null): string {
  return value === null ? '–' : cleanLine(String(value)).slice(0, CELL_CHARS_MAX)
}
