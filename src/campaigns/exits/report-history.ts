/**
 * History without a database: the earlier reports in the analysis directory.
 *
 * **Invariant**: invalid runs, damaged files and other modules' reports are no history; a relay has one verdict per
 * run, also where the report of the whole stands beside those of its parts.
 */
import { formatIsoTime, parseTime } from '../../core/clock.ts'
import { FileError, joinPath, readText, type Files } from '../../core/files.ts'
import type { Log } from '../../core/log.ts'
import type { ExitHistory, ExitVerdictPoint } from '../../model/exit-history.ts'
import type { ExitStatus } from '../../model/exit-result.ts'
import { isDnsVerdict } from '../../verdicts/exit-relay.ts'
import { formatRunIdAsTime, parseRunId } from './query-name.ts'

/** Runs that are looked back at: 25 days of six-hourly ones; each of them is megabytes to read. */
const RUNS_MAX = 100
const REPORT_OCTETS_MAX = 256 * 1024 * 1024

/** Reads history from the reports in a directory. */
export function createReportHistory(files: Files, directory: string, log: Log): ExitHistory {
  return {
    verdicts: (beforeRunId) => readVerdicts(files, directory, beforeRunId, log),
    close: () => Promise.resolve(),
  }
}

async function readVerdicts(
  files: Files,
  directory: string,
  beforeRunId: string,
  log: Log,
): Promise<ReadonlyMap<string, readonly ExitVerdictPoint[]>> {
  const byRelay = new Map<string, ExitVerdictPoint[]>()
  for (const { runId, names } of listRuns(await files.list(directory), beforeRunId)) {
    const seen = new Set<string>()
    for (const name of names) {
      const path = joinPath(directory, name)
      for (const { fingerprint, point } of readPoints(await readReport(files, path, log), runId, path, log)) {
        if (seen.has(fingerprint)) continue
        seen.add(fingerprint)
        const points = byRelay.get(fingerprint)
        if (points === undefined) byRelay.set(fingerprint, [point])
        else points.push(point)
      }
    }
  }
  return byRelay
}

/** @returns The text `null` for a report that cannot be read: counters are not worth the run that was just made. */
async function readReport(files: Files, path: string, log: Log): Promise<string> {
  try {
    return await readText(files, path, REPORT_OCTETS_MAX)
  } catch (error) {
    if (!(error instanceof FileError)) throw error
    log.warn('exits.history.unreadable', { path, code: error.code })
    return 'null'
  }
}

/** @returns Runs before a run, earliest first, each with its files: the whole before its parts. */
function listRuns(
  names: readonly string[],
  beforeRunId: string,
): readonly { readonly runId: string; readonly names: readonly string[] }[] {
  const byRun = new Map<string, string[]>()
  for (const name of names) {
    const match = /^dnshealth_(\d{8}_\d{6})(?:_shard-\d+-of-\d+)?\.json$/.exec(name)
    const runId = parseRunId(match?.[1] ?? '')
    if (runId === undefined || runId >= beforeRunId) continue
    byRun.set(runId, [...(byRun.get(runId) ?? []), name])
  }
  return [...byRun]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .slice(-RUNS_MAX)
    .map(([runId, ofRun]) => ({ runId, names: ofRun.toSorted((a, b) => a.length - b.length) }))
}

function readPoints(
  text: string,
  runId: string,
  path: string,
  log: Log,
): readonly { readonly fingerprint: string; readonly point: ExitVerdictPoint }[] {
  let report: unknown
  try {
    report = JSON.parse(text)
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error
    log.warn('exits.history.damaged', { path })
    return []
  }
  const metadata = fieldOf(report, 'metadata')
  const rows = fieldOf(report, 'results')
  if (!Array.isArray(rows) || typeof fieldOf(metadata, 'invalid') === 'string') return []
  const timestamp = readTime(fieldOf(metadata, 'timestamp')) ?? formatRunIdAsTime(runId)
  return rows.flatMap((row: unknown) => {
    const fingerprint = fieldOf(row, 'exit_fingerprint')
    const status = readStatus(fieldOf(row, 'status'))
    const statusIpv6 = readStatus(fieldOf(row, 'status_ipv6'))
    if (typeof fingerprint !== 'string' || (status === null && statusIpv6 === null)) return []
    // Where only AAAA has a verdict, what A was does not matter: it is none.
    const point = { runId, timestamp, status: status ?? 'circuit_fail', statusIpv6 } as const
    return [{ fingerprint: fingerprint.toUpperCase(), point }]
  })
}

/** @returns The status when it is a DNS verdict, else `null`. */
function readStatus(value: unknown): ExitStatus | null {
  return typeof value === 'string' && isDnsVerdict(value as ExitStatus) ? (value as ExitStatus) : null
}

function readTime(value: unknown): string | undefined {
  const timeMs = typeof value === 'string' ? parseTime(value) : Number.NaN
  return Number.isNaN(timeMs) ? undefined : formatIsoTime(timeMs)
}

function fieldOf(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null && Object.hasOwn(value, name)
    ? (value as Record<string, unknown>)[name]
    : undefined
}
