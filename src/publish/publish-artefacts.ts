/**
 * Writes what a run publishes into a directory, in the order that keeps readers safe.
 *
 * ```
 *   data ──► report ──► latest.json ──► files-all.json ──► files.json
 * ```
 *
 * Each file replaces its predecessor as a whole, and nothing is named before it is there: whenever this is killed, every
 * name in a manifest is a file, and `latest.json` is a whole report. What an earlier run left unnamed is named by the
 * next one, because manifests are made from the directory.
 *
 * **Invariant**: files 0644, directory 0755. A part of a run changes neither `latest.json` nor the manifests.
 */
import { FileError, joinPath, readText, type Files } from '../core/files.ts'
import { inTurn } from './directory-turns.ts'
import { parseReportMoment } from './manifest.ts'
import { writeManifests } from './write-manifests.ts'

const FILE_MODE = 0o644
const DIRECTORY_MODE = 0o755
/** As much as a report may have. */
const LATEST_OCTETS_MAX = 256 * 1024 * 1024

/** One file to publish. */
export interface Artefact {
  /** Name without directory. */
  readonly name: string
  readonly content: string
}

/** What a run publishes. */
export interface RunArtefacts {
  readonly data: Artefact
  readonly report: Artefact
  /**
   * Whether this may become `latest.json`: not for a part of a run, another module or an invalid run. It becomes so
   * unless what is there is of a later run.
   */
  readonly isLatest: boolean
}

/**
 * Publishes a run.
 *
 * @returns The paths that were written, in order.
 * @throws {FileError} As soon as a step fails; the steps after it are not taken.
 */
export async function publishArtefacts(
  files: Files,
  directory: string,
  artefacts: RunArtefacts,
): Promise<readonly string[]> {
  const written: string[] = []
  const write = async (name: string, content: string): Promise<void> => {
    const path = joinPath(directory, name)
    await files.writeAtomic(path, content, FILE_MODE)
    written.push(path)
  }
  const { data, report } = artefacts
  await files.makeDirectory(directory, DIRECTORY_MODE)
  await write(data.name, data.content)
  await write(report.name, report.content)
  const moment = parseReportMoment(data.name)
  if (moment === undefined) return written
  if (artefacts.isLatest && (await latestMoment(files, directory)) <= moment) await write('latest.json', data.content)
  const lists = await inTurn(directory, () => writeManifests(files, directory))
  for (const name of lists) written.push(joinPath(directory, name))
  return written
}

/** @returns The 14 digits of the run that `latest.json` is of; empty (before any) when there is none or it is damaged. */
async function latestMoment(files: Files, directory: string): Promise<string> {
  let content: unknown
  try {
    content = JSON.parse(await readText(files, joinPath(directory, 'latest.json'), LATEST_OCTETS_MAX))
  } catch (error) {
    if (error instanceof SyntaxError) return ''
    if (error instanceof FileError && (error.code === 'ENOENT' || error.code === 'TOO_LARGE')) return ''
    throw error
  }
  const runId = (content as { readonly metadata?: { readonly run_id?: unknown } } | null)?.metadata?.run_id
  return typeof runId === 'string' && /^\d{8}_?\d{6}$/.test(runId) ? runId.replace('_', '') : ''
}
