/** Records on stdout: a table for people, JSON Lines or CSV for programs, Markdown for reports. */
import type { RecordFormat } from '../config/exit-settings.ts'
import { formatMarkdownReport } from '../campaigns/exits/markdown-report.ts'
import type { ExitResult } from '../model/exit-result.ts'
import type { ExitScanOutcome } from './exits-scan.ts'

const COLUMNS = [
  'exit_fingerprint',
  'exit_nickname',
  'exit_address',
  'status',
  'error_code',
  'resolved_ip',
  'latency_ms',
  'status_ipv6',
  'consecutive_failures',
  'flags',
] as const

/** The records of a run as texts to write one after the other. */
export function* formatResults(
  { report, moduleReports }: ExitScanOutcome,
  format: RecordFormat,
): Generator<string, void, void> {
  const results = report?.results ?? []
  const records = moduleReports.flatMap((module) => module.records)
  switch (format) {
    case 'jsonl':
      for (const record of [...results, ...records]) yield `${JSON.stringify(record)}\n`
      break
    case 'csv':
      if (report !== undefined) yield* formatCsv(results)
      // Modules have fields of their own, which no common header fits.
      for (const record of records) yield `${JSON.stringify(record)}\n`
      break
    case 'md':
      if (report !== undefined) yield formatMarkdownReport(report, { previous: null })
      for (const record of records) yield `    ${JSON.stringify(record)}\n`
      break
    case 'table':
      if (report !== undefined) yield* formatTable(results)
      for (const record of records) yield `${JSON.stringify(record)}\n`
      break
  }
}

function cells(result: ExitResult): readonly string[] {
  return COLUMNS.map((column) => {
    const value = result[column]
    return value === null ? '' : Array.isArray(value) ? value.join(' ') : String(value)
  })
}

function* formatCsv(results: readonly ExitResult[]): Generator<string, void, void> {
  yield `${COLUMNS.join(',')}\r\n`
  for (const result of results) yield `${cells(result).map(quoteCsv).join(',')}\r\n`
}

/** RFC 4180; a leading `=`, `+`, `-` or `@` is quoted too, because spreadsheets run those. */
function quoteCsv(text: string): string {
  const safe = /^[=+\-@]/.test(text) ? `'${text}` : text
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe
}

function* formatTable(results: readonly ExitResult[]): Generator<string, void, void> {
  const failing = results.filter(({ status }) => status !== 'success')
  const rows = [COLUMNS as readonly string[], ...failing.map(cells)]
  const widths = COLUMNS.map((_, index) => Math.max(...rows.map((row) => (row[index] ?? '').length)))
  for (const row of rows) {
    yield `${row
      .map((cell, index) => cell.padEnd(widths[index] ?? 0))
      .join('  ')
      .trimEnd()}\n`
  }
  yield `${results.length - failing.length} of ${results.length} relays are sound for this zone and not listed\n`
}
