/**
 * Takes earlier reports into the archive: files as they were written, compressed ones, monthly archives, and directories
 * of all these.
 *
 * **Invariant**: importing again changes nothing. A file that cannot be read is named with its reason and stops nothing;
 * one file is in memory at a time.
 */
import { addFailureCounters } from '../campaigns/exits/failure-counters.ts'
import { buildExitReport } from '../campaigns/exits/exit-report.ts'
import { parseExitReport } from '../campaigns/exits/exit-report-reader.ts'
import { parseTime } from '../core/clock.ts'
import { ConfigError } from '../core/config-error.ts'
import { FileError, joinPath, type Files } from '../core/files.ts'
import type { KeptEvidence } from '../model/exit-archive.ts'
import type { ExitReport } from '../model/exit-result.ts'
import { parsePublishedName } from '../model/published-name.ts'
import type { RetentionPolicy } from '../model/retention.ts'
import { ArchiveError } from '../publish/archive-codec.ts'
import { gunzip } from '../core/gzip.ts'
import { tarCodec } from '../publish/tar-codec.node.ts'
import type { ExitArchiveStore } from '../store/exit-archive.node.ts'

/** A report of 10,000 relays with every attempt has some 60 megabytes. */
const REPORT_OCTETS_MAX = 256 * 1024 * 1024
const DAY_MS = 86_400_000

/** Where reports go, and how. */
export interface ImportTask {
  readonly files: Files
  readonly archive: ExitArchiveStore
  /** What retention would leave of a report of its age is what is kept of it. */
  readonly policy: Pick<RetentionPolicy, 'evidenceDays' | 'failureEvidenceDays'>
  /** Unix milliseconds. */
  readonly nowMs: number
  readonly signal?: AbortSignal
  /** Called after each report and each file that is none. */
  readonly onReport?: (record: ImportRecord) => Promise<void>
}

/** What became of one report. */
export interface ImportRecord {
  /** The file; within an archive `archives/2026-01.tar.gz:dnshealth_….json`. */
  readonly path: string
  readonly run_id: string | null
  /** `kept`, `known` (the archive had it) or `refused`. */
  readonly outcome: 'kept' | 'known' | 'refused'
  /** Why it was refused, or what was odd; `null` for nothing. */
  readonly note: string | null
}

/** How many reports became what. */
export interface ImportCounts {
  readonly kept: number
  readonly known: number
  readonly refused: number
  readonly interrupted: boolean
}

/**
 * Imports.
 *
 * @param paths - Files and directories. A directory is searched for reports and for `archives/` in it, no deeper; the
 *   earliest run comes first.
 * @throws {RunError} When the archive cannot be written.
 */
export async function importReports(task: ImportTask, paths: readonly string[]): Promise<ImportCounts> {
  const counts = { kept: 0, known: 0, refused: 0 }
  const isStopped = (): boolean => task.signal?.aborted === true
  for (const path of paths) {
    for (const file of await listReports(task.files, path)) {
      for await (const found of readReports(task.files, file)) {
        const record = await importOne(task, found)
        counts[record.outcome]++
        await task.onReport?.(record)
        if (isStopped()) return { ...counts, interrupted: true }
      }
    }
  }
  return { ...counts, interrupted: false }
}

/** The files that a path stands for: itself, or the reports and archives in a directory, earliest first. */
async function listReports(files: Files, path: string): Promise<readonly string[]> {
  if ((await files.info(path))?.kind !== 'directory') return [path]
  const found: { readonly order: string; readonly path: string }[] = []
  for (const name of await files.list(path)) {
    const published = parsePublishedName(name)
    if (published?.form === 'data') found.push({ order: published.moment ?? '', path: joinPath(path, name) })
  }
  for (const name of await files.list(joinPath(path, 'archives'))) {
    const published = parsePublishedName(`archives/${name}`)
    if (published?.form === 'archive') {
      found.push({ order: published.month?.replace('-', '') ?? '', path: joinPath(path, 'archives', name) })
    }
  }
  return found.toSorted((a, b) => (a.order < b.order ? -1 : 1)).map((each) => each.path)
}

/** A text that should be a report, or why there is none. */
interface FoundReport {
  readonly path: string
  readonly text: string | undefined
  readonly problem: string | null
}

async function* readReports(files: Files, path: string): AsyncGenerator<FoundReport> {
  try {
    if (path.endsWith('.tar.gz') || path.endsWith('.tgz')) {
      for await (const { name, octets } of tarCodec.readFiles(path, REPORT_OCTETS_MAX)) {
        const plainName = name.slice(name.lastIndexOf('/') + 1)
        if (parsePublishedName(plainName)?.form !== 'data') continue
        yield await unpack(`${path}:${name}`, octets, plainName.endsWith('.gz'))
      }
      return
    }
    yield await unpack(path, new Uint8Array(await files.read(path, REPORT_OCTETS_MAX)), path.endsWith('.gz'))
  } catch (error) {
    const problem = describeProblem(error)
    if (problem === undefined) throw error
    yield { path, text: undefined, problem }
  }
}

async function unpack(path: string, octets: Uint8Array<ArrayBuffer>, isCompressed: boolean): Promise<FoundReport> {
  const content = isCompressed ? await gunzip(octets, REPORT_OCTETS_MAX) : octets
  if (content === undefined) return { path, text: undefined, problem: 'it is damaged, or too long when unpacked' }
  return { path, text: new TextDecoder().decode(content), problem: null }
}

/** @returns Why a file cannot be read; `undefined` for what is no matter of the file. */
function describeProblem(error: unknown): string | undefined {
  if (error instanceof FileError) return `it cannot be read (${error.code})`
  return error instanceof ArchiveError ? error.message : undefined
}

async function importOne({ archive, policy, nowMs }: ImportTask, found: FoundReport): Promise<ImportRecord> {
  const { path, text, problem } = found
  const refused = (note: string): ImportRecord => ({ path, run_id: null, outcome: 'refused', note })
  if (text === undefined) return refused(problem ?? 'it cannot be read')
  let read
  try {
    read = parseExitReport(text, path)
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    return refused(error.message.replace(`${path} is no exit report: `, ''))
  }
  const { run_id: runId, shard, module, timestamp } = read.report.metadata
  if (module !== 'dnshealth')
    return refused(`it is a report of the module '${module}', which the archive does not keep`)
  if (await archive.has(runId, shard)) return { path, run_id: runId, outcome: 'known', note: null }
  const report = await withCounters(read.report, archive)
  const ageDays = (nowMs - parseTime(timestamp)) / DAY_MS
  await archive.keep([{ report, evidence: evidenceAt(ageDays, policy) }])
  return { path, run_id: runId, outcome: 'kept', note: read.warnings[0] ?? null }
}

function evidenceAt(ageDays: number, policy: ImportTask['policy']): KeptEvidence {
  if (ageDays < policy.evidenceDays) return 'all'
  return ageDays < policy.failureEvidenceDays ? 'failures' : 'none'
}

/** Counts failures where the scanner that wrote the report did not: from the runs that are in the archive before it. */
async function withCounters(report: ExitReport, archive: ExitArchiveStore): Promise<ExitReport> {
  if (report.results.some((result) => result.first_seen !== null || result.last_seen !== null)) return report
  const relays = report.results.map((result) => result.exit_fingerprint)
  const history = await archive.verdicts(report.metadata.run_id, relays)
  return buildExitReport(addFailureCounters(report.results, history, report.metadata), report.metadata)
}
