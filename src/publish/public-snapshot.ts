/**
 * The directory of publication at one moment, for uploading: what is there, and the lists as they were before.
 *
 * Invariant: the lists are read before the directory. A run writes its data before the lists, so every name in a list of
 * the snapshot is a file of the snapshot, or lies in an archive of it, whatever is being written meanwhile.
 */
import { FileError, joinPath, type Files } from '../core/files.ts'
import { parsePublishedName, type PublishedForm } from '../model/published-name.ts'
import { readArchiveIndex, type ArchiveIndex } from './archive-index.ts'
import { REPORT_OCTETS_MAX } from './published-directory.ts'

/** What is replaced with each run, in the order of uploading. */
const CHANGING_NAMES = ['latest.json', 'files-all.json', 'files.json']
/** The others, in the order of uploading: what is named before what names it. */
const FORMS: readonly PublishedForm[] = ['data', 'archive', 'archive_index', 'report']

/** A file that does not change any more. */
export interface SnapshotFile {
  /** Name below the directory, and key in a store. */
  readonly name: string
  readonly form: PublishedForm
  readonly sizeOctets: number
  readonly modifiedAtMs: number
}

/** A file that changes, with the content that it had. */
export interface ChangingFile {
  readonly name: string
  readonly octets: Uint8Array<ArrayBuffer>
}

/** The directory at one moment. */
export interface PublicSnapshot {
  readonly directory: string
  /** In the order of uploading; newest first within a form. */
  readonly files: readonly SnapshotFile[]
  /** In the order of uploading. */
  readonly changing: readonly ChangingFile[]
  /** Every name in a list. */
  readonly named: ReadonlySet<string>
  /** Month → index of its archive. */
  readonly archives: ReadonlyMap<string, ArchiveIndex>
}

/** Reads the directory. @throws {FileError} When it cannot be read. */
export async function readPublicSnapshot(files: Files, directory: string): Promise<PublicSnapshot> {
  const changing: ChangingFile[] = []
  for (const name of CHANGING_NAMES.toReversed()) {
    const octets = await readIfThere(files, joinPath(directory, name))
    if (octets !== undefined) changing.unshift({ name, octets })
  }
  const lists = changing.filter(({ name }) => name !== 'latest.json')
  const names = [
    ...(await files.list(directory)),
    ...(await files.list(joinPath(directory, 'archives'))).map((name) => `archives/${name}`),
  ]
  const found: SnapshotFile[] = []
  const archives = new Map<string, ArchiveIndex>()
  for (const name of names) {
    const published = parsePublishedName(name)
    if (published === undefined || !FORMS.includes(published.form)) continue
    const { form, month } = published
    if ((form === 'archive' || form === 'archive_index') && month !== null) {
      const index = archives.get(month) ?? (await readArchiveIndex(files, directory, month))
      // Without an index that fits, an archive is being written, or not ours; it is uploaded when it is whole.
      if (index === undefined) continue
      archives.set(month, index)
    }
    const info = await files.info(joinPath(directory, name))
    if (info?.kind === 'file') found.push({ name, form, sizeOctets: info.sizeOctets, modifiedAtMs: info.modifiedAtMs })
  }
  const rank = ({ form }: SnapshotFile): number => FORMS.indexOf(form)
  return {
    directory,
    files: found.toSorted((a, b) => rank(a) - rank(b) || (a.name < b.name ? 1 : -1)),
    changing,
    named: new Set(lists.flatMap(({ octets }) => parseNames(octets))),
    archives,
  }
}

function parseNames(octets: Uint8Array): readonly string[] {
  let list: unknown
  try {
    list = JSON.parse(new TextDecoder().decode(octets))
  } catch (error) {
    if (error instanceof SyntaxError) return []
    throw error
  }
  return Array.isArray(list) ? list.filter((name) => typeof name === 'string') : []
}

async function readIfThere(files: Files, path: string): Promise<Uint8Array<ArrayBuffer> | undefined> {
  try {
    return new Uint8Array(await files.read(path, REPORT_OCTETS_MAX))
  } catch (error) {
    if (error instanceof FileError && error.code === 'ENOENT') return undefined
    throw error
  }
}
