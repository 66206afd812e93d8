/**
 * Retention: compresses, archives and deletes published reports.
 *
 * ```
 *   lists without the expired ──► delete ──► compress (NAME ──► NAME.gz) ──► archive months ──► lists
 * ```
 *
 * Invariant: what replaces a file is whole, on the disk and compared with it before the file is removed; what is deleted
 * is named by no list before. Killed at any moment nothing is lost, and the next run completes what was begun.
 */
import { FileError, joinPath, type Files } from '../core/files.ts'
import { parsePublishedName } from '../model/published-name.ts'
import { ArchiveError, type ArchiveCodec } from './archive-codec.ts'
import { archiveIndexName, archiveName, listArchives, readArchiveIndex, type ArchiveIndex } from './archive-index.ts'
import { inTurn } from './directory-turns.ts'
import { gunzip, gzip } from '../core/gzip.ts'
import { sha256 } from './sha256.ts'
import { planRetention, type ArchiveStep, type RetentionPlan, type RetentionPolicy } from './plan-retention.ts'
import { REPORT_OCTETS_MAX } from './published-directory.ts'
import { writeArchive, type ArchiveSource } from './write-archive.ts'
import { writeManifests } from './write-manifests.ts'

const FILE_MODE = 0o644
/** What a process that was killed left behind is removed when no living one can be at it. */
const TEMPORARY_MS = 3_600_000

/** What retention works with. */
export interface RetentionDependencies {
  readonly files: Files
  readonly codec: ArchiveCodec
  /** Unix milliseconds. */
  readonly wallNowMs: number
  /** Ends the work between two steps. */
  readonly signal: AbortSignal
}

/** One thing that was done. */
export interface RetentionStep {
  readonly action: 'delete' | 'delete_archive' | 'compress' | 'archive'
  /** The file or archive. */
  readonly name: string
  /** Reports in it: 1, but for archives. */
  readonly reports: number
}

/** What a run of retention did. */
export interface RetentionOutcome {
  readonly done: readonly RetentionStep[]
  /** What could not be done, one sentence each; nothing was removed there. */
  readonly problems: readonly string[]
  readonly interrupted: boolean
}

/** Looks at a directory and says what there is to do. @throws {FileError} */
export async function readRetentionPlan(
  files: Files,
  directory: string,
  wallNowMs: number,
  policy: RetentionPolicy,
): Promise<RetentionPlan> {
  const [names, archives] = await Promise.all([files.list(directory), listArchives(files, directory)])
  return planRetention(names, archives, wallNowMs, policy)
}

/** The steps of a plan, as {@link runRetention} would take them. */
export function listRetentionSteps(plan: RetentionPlan): readonly RetentionStep[] {
  return [
    ...plan.deleteFiles.map((name) => ({ action: 'delete' as const, name, reports: 1 })),
    ...plan.deleteArchives.map((month) => ({
      action: 'delete_archive' as const,
      name: archiveName(month),
      reports: 0,
    })),
    ...plan.compress.map((name) => ({ action: 'compress' as const, name, reports: 1 })),
    ...plan.archive.map(({ month, files }) => ({
      action: 'archive' as const,
      name: archiveName(month),
      reports: new Set(files.map((name) => name.replace(/\.gz$/, ''))).size,
    })),
  ]
}

/**
 * Runs retention once. The caller holds the lock of the directory.
 *
 * @throws {FileError} When the disk fails; what was done so far is done.
 */
export async function runRetention(
  dependencies: RetentionDependencies,
  directory: string,
  policy: RetentionPolicy,
): Promise<RetentionOutcome> {
  const { files, signal, wallNowMs } = dependencies
  await removeLeftovers(files, directory, wallNowMs)
  const plan = await readRetentionPlan(files, directory, wallNowMs, policy)
  const done: RetentionStep[] = []
  const problems: string[] = []
  const take = async (steps: readonly RetentionStep[]): Promise<void> => {
    for (const step of steps) {
      if (signal.aborted) return
      const problem = await takeStep(dependencies, directory, plan, step)
      if (problem === undefined) done.push(step)
      else problems.push(problem)
    }
  }
  const steps = listRetentionSteps(plan)
  const isDeletion = ({ action }: RetentionStep): boolean => action === 'delete' || action === 'delete_archive'
  // Nobody may make lists between the two: they would name what is going.
  await inTurn(directory, async () => {
    const expired = new Set([...plan.deleteFiles, ...plan.deleteArchives.map(archiveName)])
    await writeManifests(files, directory, expired)
    await take(steps.filter(isDeletion))
  })
  await take(steps.filter((step) => !isDeletion(step)))
  await inTurn(directory, () => writeManifests(files, directory))
  return { done, problems, interrupted: signal.aborted }
}

async function takeStep(
  dependencies: RetentionDependencies,
  directory: string,
  plan: RetentionPlan,
  { action, name }: RetentionStep,
): Promise<string | undefined> {
  const { files } = dependencies
  const path = joinPath(directory, name)
  switch (action) {
    case 'delete':
      await files.remove(path)
      return undefined
    case 'delete_archive':
      // Without its index an archive is not read; so nobody is sent to one that is going.
      await files.remove(joinPath(directory, archiveIndexName(monthOf(name))))
      await files.remove(path)
      return undefined
    case 'compress':
      return compress(files, path)
    case 'archive': {
      const step = plan.archive.find(({ month }) => archiveName(month) === name)
      return step === undefined ? undefined : archive(dependencies, directory, step)
    }
    default:
      return undefined
  }
}

function monthOf(name: string): string {
  return parsePublishedName(name)?.month ?? ''
}

/** @returns What is wrong, in a sentence. */
async function compress(files: Files, path: string): Promise<string | undefined> {
  const content = await readWhole(files, path)
  if (content === undefined) return `${path} is no file of a size that a report may have`
  const packed = await readWhole(files, `${path}.gz`)
  if (packed === undefined || !equals(await gunzip(packed, REPORT_OCTETS_MAX), content)) {
    await files.writeAtomic(`${path}.gz`, await gzip(content), FILE_MODE)
    const written = await readWhole(files, `${path}.gz`)
    if (written === undefined || !equals(await gunzip(written, REPORT_OCTETS_MAX), content))
      return `${path}.gz does not read back as what was written`
  }
  await files.remove(path)
  return undefined
}

/** @returns What is wrong, in a sentence. */
async function archive(
  dependencies: RetentionDependencies,
  directory: string,
  step: ArchiveStep,
): Promise<string | undefined> {
  const { files } = dependencies
  const index = await readArchiveIndex(files, directory, step.month)
  // An earlier run was interrupted while it removed what it had archived.
  if (index !== undefined) return removeArchived(files, directory, step, index)
  const sources = new Map<string, ArchiveSource>()
  try {
    for (const source of await listArchived(dependencies, directory, step.month)) sources.set(source.name, source)
  } catch (error) {
    if (!(error instanceof ArchiveError)) throw error
    return `${archiveName(step.month)} is left as it is: ${error.message}`
  }
  for (const source of listLoose(files, directory, step.files)) sources.set(source.name, source)
  if (sources.size === 0) return undefined
  const written = await writeArchive(dependencies, directory, step.month, [...sources.values()])
  if (typeof written === 'string') return `${step.month} is not archived: ${written} is damaged`
  return removeArchived(files, directory, step, written)
}

/** Removes files that lie in an archive with the same content. @returns What is wrong, in a sentence. */
async function removeArchived(
  files: Files,
  directory: string,
  step: ArchiveStep,
  index: ArchiveIndex,
): Promise<string | undefined> {
  const digests = new Map(index.entries.map((entry) => [entry.name, entry.sha256]))
  let problem: string | undefined
  for (const name of step.files) {
    const path = joinPath(directory, name)
    const octets = await readWhole(files, path)
    const content = octets === undefined || !name.endsWith('.gz') ? octets : await gunzip(octets, REPORT_OCTETS_MAX)
    const isArchived = content !== undefined && (await sha256(content)) === digests.get(name.replace(/\.gz$/, ''))
    if (isArchived) await files.remove(path)
    else problem = `${name} is left: ${archiveName(step.month)} has another content for it`
  }
  return problem
}

/** What lies in an archive of somebody else's making, or whose index is lost. @throws {ArchiveError} When it is damaged. */
async function listArchived(
  { files, codec }: RetentionDependencies,
  directory: string,
  month: string,
): Promise<readonly ArchiveSource[]> {
  const path = joinPath(directory, archiveName(month))
  if ((await files.info(path)) === undefined) return []
  const sources: ArchiveSource[] = []
  for await (const { name, octets } of codec.readFiles(path, REPORT_OCTETS_MAX)) {
    const plain = name.replace(/^\.\//, '')
    const published = parsePublishedName(plain)
    if (published === undefined || published.month !== month)
      throw new ArchiveError(`it holds ${JSON.stringify(name.slice(0, 100))}, which is no report of the month`)
    // Compressed, a month of reports fits into memory; this happens only where an index was lost.
    const packed = published.isCompressed ? octets : await gzip(octets)
    sources.push({ name: published.plain, read: () => Promise.resolve(packed) })
  }
  return sources
}

/** The files of a step, each once: the plain form where it is there, since the other may be unfinished. */
function listLoose(files: Files, directory: string, names: readonly string[]): readonly ArchiveSource[] {
  const plain = new Set(names.map((name) => name.replace(/\.gz$/, '')))
  return [...plain].map((name) => ({
    name,
    read: async () => {
      const content = names.includes(name) ? await readWhole(files, joinPath(directory, name)) : undefined
      return content === undefined ? readWhole(files, joinPath(directory, `${name}.gz`)) : gzip(content)
    },
  }))
}

async function readWhole(files: Files, path: string): Promise<Uint8Array<ArrayBuffer> | undefined> {
  try {
    return new Uint8Array(await files.read(path, REPORT_OCTETS_MAX))
  } catch (error) {
    if (error instanceof FileError && ['ENOENT', 'EISDIR', 'TOO_LARGE'].includes(error.code)) return undefined
    throw error
  }
}

/** Removes temporary files of writers that were killed. */
async function removeLeftovers(files: Files, directory: string, wallNowMs: number): Promise<void> {
  for (const place of [directory, joinPath(directory, 'archives')]) {
    for (const name of await files.list(place)) {
      if (!/^\.[\w.-]+\.tmp$/.test(name)) continue
      const path = joinPath(place, name)
      const info = await files.info(path)
      if (info?.kind === 'file' && wallNowMs - info.modifiedAtMs > TEMPORARY_MS) await files.remove(path)
    }
  }
}

function equals(a: Uint8Array | undefined, b: Uint8Array): boolean {
  return a !== undefined && a.length === b.length && a.every((octet, index) => octet === b[index])
}
