/** A directory of files as documents for the pages. */
import { FileError, joinPath, type Files } from '../core/files.ts'
import type { DocumentSource } from '../model/document-source.ts'

const NAMES_MAX = 1_000
/** A report about all exits of the public network has about 10 MiB. */
const DOCUMENT_OCTETS_MAX = 64 * 1024 * 1024

/**
 * Opens the files directly in `directory` whose name ends in one of `endings`.
 *
 * Invariant: a name is never a path, so nothing outside the directory is read. A directory or file that is not there is
 * an absence, not an error.
 */
export function openFileDocuments(files: Files, directory: string, endings: readonly string[]): DocumentSource {
  const isServed = (name: string): boolean =>
    /^[A-Za-z0-9][A-Za-z0-9._-]{0,120}$/.test(name) && endings.some((ending) => name.endsWith(ending))
  return {
    names: async () => (await files.list(directory)).filter(isServed).slice(0, NAMES_MAX),
    read: async (name) => {
      if (!isServed(name)) return undefined
      try {
        return await files.read(joinPath(directory, name), DOCUMENT_OCTETS_MAX)
      } catch (error) {
        if (error instanceof FileError) return undefined
        throw error
      }
    },
  }
}
