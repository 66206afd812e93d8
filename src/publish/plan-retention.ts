/**
 * What retention would do with a directory: a pure function of its names, the archives in it and the time.
 *
 * Ages are taken from the names, not from the times of files: copying a directory makes nothing younger.
 *
 * Invariant: only reports, which have a moment in their name, grow old. A month becomes an archive, and an archive is
 * deleted, when all of the month has the age; so an archive is written once, and what comes later stays beside it.
 */
import { parseTime } from '../core/clock.ts'
import { parsePublishedName, type PublishedName } from '../model/published-name.ts'
import type { StoredArchive } from './archive-index.ts'

const DAY_MS = 86_400_000

/** Ages in days; 0 means never. */
export interface RetentionPolicy {
  readonly gzipAfterDays: number
  readonly archiveAfterDays: number
  readonly deleteAfterDays: number
}

/** What to do, in the order of doing it. */
export interface RetentionPlan {
  /** Files to delete, `.gz` included in the name. */
  readonly deleteFiles: readonly string[]
  /** Months whose archive is to be deleted. */
  readonly deleteArchives: readonly string[]
  /** Names to compress: those whose plain file is there. */
  readonly compress: readonly string[]
  /** Months to archive, with the files that go into the archive. */
  readonly archive: readonly ArchiveStep[]
}

/** One month that becomes an archive, or whose archive is mended. */
export interface ArchiveStep {
  readonly month: string
  /** Names in the directory, plain and `.gz`. */
  readonly files: readonly string[]
}

/**
 * Makes the plan.
 *
 * @param names - Every name in the directory, in any order; what is not on the list of published names is left alone.
 */
export function planRetention(
  names: readonly string[],
  archives: readonly StoredArchive[],
  nowMs: number,
  policy: RetentionPolicy,
): RetentionPlan {
  const isOlder = (sinceMs: number, days: number): boolean => days > 0 && nowMs - sinceMs >= days * DAY_MS
  const reports = names.flatMap((name) => {
    const published = parsePublishedName(name)
    const atMs = published === undefined ? Number.NaN : momentOf(published)
    return published === undefined || Number.isNaN(atMs) ? [] : [{ name, published, atMs }]
  })
  const isMonthOld = (month: string): boolean => isOlder(endOfMonth(month), policy.archiveAfterDays)
  const expired = reports.filter(({ atMs }) => isOlder(atMs, policy.deleteAfterDays))
  const kept = reports.filter((report) => !expired.includes(report))
  const deleteArchives = archives
    .filter(({ month }) => isOlder(endOfMonth(month), policy.deleteAfterDays))
    .map(({ month }) => month)
  const indexes = new Map(archives.map(({ month, index }) => [month, index]))
  /** A report that came after its month was archived stays beside the archive. */
  const goesIntoArchive = ({ month, plain }: PublishedName): boolean => {
    if (month === null || !isMonthOld(month)) return false
    const index = indexes.get(month)
    return index === undefined || index.entries.some((entry) => entry.name === plain)
  }
  const months = new Map<string, string[]>()
  for (const { name, published } of kept.filter((report) => goesIntoArchive(report.published))) {
    const month = published.month ?? ''
    months.set(month, [...(months.get(month) ?? []), name])
  }
  for (const { month, index } of archives) {
    if (index === undefined && !deleteArchives.includes(month)) months.set(month, months.get(month) ?? [])
  }
  const present = new Set(names)
  const compress = kept.filter(({ name, published, atMs }) => {
    if (published.isCompressed || goesIntoArchive(published)) return false
    // Both forms are there when compressing was interrupted.
    return isOlder(atMs, policy.gzipAfterDays) || present.has(`${name}.gz`)
  })
  return {
    deleteFiles: expired.map(({ name }) => name).toSorted(),
    deleteArchives,
    compress: compress.map(({ name }) => name).toSorted(),
    archive: [...months].map(([month, files]) => ({ month, files: files.toSorted() })).toSorted(byMonth),
  }
}

/** When a report's run began, Unix milliseconds; NaN for what is of no run, or of a moment that no calendar has. */
export function momentOf({ moment }: PublishedName): number {
  const parts = /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)$/.exec(moment ?? '')
  return parts === null ? Number.NaN : parseTime(`${parts.slice(1, 4).join('-')}T${parts.slice(4).join(':')}Z`)
}

/** Whether a report, or all of an archive's month, has an age in days. Never with 0 days, nor for what is of no run. */
export function isExpired(published: PublishedName, wallNowMs: number, days: number): boolean {
  const atMs = published.moment === null ? endOfMonth(published.month ?? '') : momentOf(published)
  return days > 0 && wallNowMs - atMs >= days * DAY_MS
}

function endOfMonth(month: string): number {
  const [year = 0, number = 0] = month.split('-').map(Number)
  const [nextYear, nextNumber] = number === 12 ? [year + 1, 1] : [year, number + 1]
  return parseTime(`${nextYear}-${String(nextNumber).padStart(2, '0')}-01T00:00:00Z`)
}

function byMonth(a: ArchiveStep, b: ArchiveStep): number {
  return a.month < b.month ? -1 : 1
}
