/**
 * Reads reports back: ours, and those of scanners that follow the plan with fewer or other fields.
 *
 * **Invariant**: what a file says of itself is not believed: counts are computed from its results again, and
 * differences are named. Texts are kept as they are; whoever prints them escapes them.
 *
 * Format: docs/formats/exits.md
 */
import { ConfigError } from '../../core/config-error.ts'
import { readText, type Files } from '../../core/files.ts'
import type { ExitReport, ExitResult } from '../../model/exit-result.ts'
import { exitFactsSchema, exitResultSchema } from './exit-report-schema.ts'
import { buildExitReport } from './exit-report.ts'
import { formatRunIdAsTime, parseRunId } from './query-name.ts'

/** A report of 10,000 relays with every attempt has some 60 megabytes. */
const REPORT_OCTETS_MAX = 256 * 1024 * 1024
const RESULTS_MAX = 100_000
/** More of them tell a reader nothing new. */
const WARNINGS_MAX = 20

/** A report that was read. */
export interface ReadExitReport {
  readonly report: ExitReport
  /** What was not as it should be, one sentence each, at most 20. Empty for an intact report of ours. */
  readonly warnings: readonly string[]
}

/**
 * Reads a report from a file.
 *
 * @throws {FileError} When the file cannot be read, or is longer than 256 MiB.
 * @throws {ConfigError} When it is no report.
 */
export async function readExitReport(files: Files, path: string): Promise<ReadExitReport> {
  return parseExitReport(await readText(files, path, REPORT_OCTETS_MAX), path)
}

/**
 * Reads a report.
 *
 * @param path - Where the text came from, for errors.
 * @throws {ConfigError} When it is no JSON, has no list of results, or no run id anywhere.
 */
export function parseExitReport(text: string, path: string): ReadExitReport {
  const content = parseJson(text, path)
  const { metadata, results: rows } = content
  if (!Array.isArray(rows)) throw noReport(path, 'it has no list "results"')
  if (rows.length > RESULTS_MAX) throw noReport(path, `it has ${rows.length} results, more than ${RESULTS_MAX}`)
  const warnings = new Warnings()
  const results = readResults(rows, warnings)
  const facts = exitFactsSchema.safeParse({ run_id: findRunId(results), ...(isRecord(metadata) ? metadata : {}) })
  if (!facts.success) throw noReport(path, 'it has no run id of the form YYYYMMDDHHMMSS or YYYYMMDD_HHMMSS')
  const { run_id: runId, timestamp } = facts.data
  const report = buildExitReport(
    results.map((result) => withRunId(result, runId)),
    { ...facts.data, timestamp: timestamp === '' ? formatRunIdAsTime(runId) : timestamp },
  )
  if (isRecord(metadata)) compareCounts(metadata, report, warnings)
  return { report, warnings: warnings.texts }
}

class Warnings {
  readonly texts: string[] = []

  add(text: string): void {
    if (this.texts.length < WARNINGS_MAX) this.texts.push(text)
  }
}

function parseJson(text: string, path: string): Record<string, unknown> {
  let content: unknown
  try {
    content = JSON.parse(text)
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error
    throw noReport(path, `it is no JSON (${error.message})`, error)
  }
  if (!isRecord(content)) throw noReport(path, 'it is no JSON object')
  return content
}

/** Takes each row out of `rows` once it is read: a report of 16 MB is then in memory once and not twice. */
function readResults(rows: unknown[], warnings: Warnings): ExitResult[] {
  const byFingerprint = new Map<string, ExitResult>()
  for (const [index, row] of rows.entries()) {
    const parsed = exitResultSchema.safeParse(row)
    rows[index] = undefined
    if (!parsed.success) {
      const field = parsed.error.issues[0]?.path.join('.') ?? ''
      warnings.add(`result ${index + 1} cannot be read: ${field === '' ? 'it is no object' : `no valid ${field}`}`)
    } else if (byFingerprint.has(parsed.data.exit_fingerprint)) {
      warnings.add(`result ${index + 1} is a second one of ${parsed.data.exit_fingerprint}; the first one counts`)
    } else {
      byFingerprint.set(parsed.data.exit_fingerprint, parsed.data)
    }
  }
  return [...byFingerprint.values()]
}

/** Counts that a file states and that do not follow from its results. */
function compareCounts(metadata: Record<string, unknown>, report: ExitReport, warnings: Warnings): void {
  for (const name of ['total_relays', 'success', 'dns_fail', 'wrong_ip', 'timeout', 'error'] as const) {
    const stated = metadata[name]
    if (typeof stated === 'number' && stated !== report.metadata[name]) {
      warnings.add(`the metadata say ${name} ${stated}, the results have ${report.metadata[name]}`)
    }
  }
}

function withRunId(result: ExitResult, runId: string): ExitResult {
  return result.run_id === '' ? { ...result, run_id: runId } : result
}

function findRunId(results: readonly ExitResult[]): string | undefined {
  return results.map((result) => result.run_id).find((runId) => parseRunId(runId) !== undefined)
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function noReport(path: string, why: string, cause?: Error): ConfigError {
  return new ConfigError(
    path,
    `${path} is no exit report: ${why}`,
    'name a file dnshealth_YYYYMMDD_HHMMSS.json, as `candor exits run --analysis-dir DIRECTORY` writes it',
    cause && { cause },
  )
}
