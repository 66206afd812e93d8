/**
 * The lists of published reports, made from what is there: files, compressed files, and what lies in archives.
 *
 * Invariant: `files-all.json` is written before `files.json`, each as a whole, and neither names what is not there.
 */
import { FileError, joinPath, readText, type Files } from '../core/files.ts'
import { listArchives } from './archive-index.ts'
import { buildManifest } from './manifest.ts'

const FILE_MODE = 0o644
const MANIFEST_OCTETS_MAX = 16 * 1024 * 1024

/**
 * Writes both lists, where they say something else than what is there already.
 *
 * @param without - Names in the directory that are about to be deleted, and `archives/…` likewise.
 * @returns The names that were written, in order.
 * @throws {FileError} As soon as a step fails.
 */
export async function writeManifests(
  files: Files,
  directory: string,
  without: ReadonlySet<string> = new Set(),
): Promise<readonly string[]> {
  const names = (await files.list(directory)).filter((name) => !without.has(name))
  const archives = await listArchives(files, directory)
  const archived = archives
    .filter(({ month }) => !without.has(`archives/${month}.tar.gz`))
    .flatMap(({ index }) => index?.entries.map(({ name }) => name) ?? [])
  const { all, newest } = buildManifest([...names, ...archived])
  const written: string[] = []
  for (const [name, list] of [
    ['files-all.json', all],
    ['files.json', newest],
  ] as const) {
    const text = `${JSON.stringify(list, null, 2)}\n`
    const path = joinPath(directory, name)
    // A directory in which nothing was ever published stays as it is.
    if (list.length === 0 && !names.includes(name)) continue
    if ((await readIfThere(files, path)) === text) continue
    await files.writeAtomic(path, text, FILE_MODE)
    written.push(name)
  }
  return written
}

async function readIfThere(files: Files, path: string): Promise<string | undefined> {
  try {
    return await readText(files, path, MANIFEST_OCTETS_MAX)
  } catch (error) {
    if (error instanceof FileError && (error.code === 'ENOENT' || error.code === 'TOO_LARGE')) return undefined
    throw error
  }
}
