/**
 * The directory of publication as readers see it: a name answers from its file, from its `.gz`, or from the archive of
 * its month, whichever there is.
 *
 * ```
 *   NAME ──► NAME (as it is) ──► NAME.gz ──► archives/YYYY-MM.index.json ──► a part of archives/YYYY-MM.tar.gz
 * ```
 *
 * Retention moves files to the right only, and a step begins after the one before is whole; so a reader that looks from
 * left to right finds every name, whatever is going on.
 *
 * Invariant: only names of `published-name.ts` are opened. What is read into memory is bounded.
 */
import { FileError, joinPath, type FileInfo, type Files } from '../core/files.ts'
import { parsePublishedName, type PublishedName } from '../model/published-name.ts'
import type { PublishedFile, PublishedSource } from '../model/published-source.ts'
import { archiveName, readArchiveIndex, type ArchiveIndex } from './archive-index.ts'
import { gunzip } from '../core/gzip.ts'
import { sha256 } from './sha256.ts'

/** As much as a report may have. */
export const REPORT_OCTETS_MAX: number = 256 * 1024 * 1024
/** Hashes that are kept, so that a reader who asks whether something changed costs no reading. */
const DIGESTS_MAX = 4_096
const INDEXES_MAX = 64
/** Retention moves a file twice in its life; a third look finds it at rest. */
const LOOKS_MAX = 3
const STREAM_CHUNK_OCTETS = 65_536
/** Names of {@link PublishedSource.names}. */
const NAMES_MAX = 1_000

/** Opens a directory of publication for reading. It need not exist yet. */
export function openPublishedDirectory(files: Files, directory: string): PublishedSource {
  const reader = new DirectoryReader(files, directory)
  const open = (name: string, acceptsGzip: boolean): Promise<PublishedFile | undefined> =>
    reader.open(name, acceptsGzip)
  return {
    open,
    names: async () => {
      const names = await files.list(directory)
      const plain = names.flatMap((name) => parsePublishedName(name)?.plain ?? [])
      return [...new Set(plain)].toSorted().slice(0, NAMES_MAX)
    },
    read: async (name) => {
      const content = await (await open(name, false))?.read()
      return content instanceof Uint8Array ? content : undefined
    },
  }
}

class DirectoryReader {
  readonly #files: Files
  readonly #directory: string
  readonly #digests = new Map<string, string>()
  readonly #indexes = new Map<string, { readonly state: string; readonly index: ArchiveIndex | undefined }>()

  constructor(files: Files, directory: string) {
    this.#files = files
    this.#directory = directory
  }

  async open(name: string, acceptsGzip: boolean): Promise<PublishedFile | undefined> {
    const published = parsePublishedName(name)
    if (published === undefined) return undefined
    for (let look = 0; look < LOOKS_MAX; look++) {
      try {
        return await this.#look(name, published, acceptsGzip)
      } catch (error) {
        if (!(error instanceof FileError)) throw error
        if (error.code === 'EISDIR' || error.code === 'TOO_LARGE') return undefined
        // It was moved to the right while we looked at it, and is found there.
        if (error.code !== 'ENOENT') throw error
      }
    }
    return undefined
  }

  /** @throws {FileError} `ENOENT` when a file went away between two looks. */
  async #look(name: string, published: PublishedName, acceptsGzip: boolean): Promise<PublishedFile | undefined> {
    if (published.form === 'archive') return this.#openArchive(name, published)
    if (published.isCompressed) {
      return (await this.#openCompressed(name, true, false)) ?? (await this.#openMember(published, true, false))
    }
    if (published.moment === null) return this.#openChanging(name)
    return (
      (await this.#openPlain(name)) ??
      (await this.#openCompressed(`${name}.gz`, acceptsGzip, true)) ??
      (await this.#openMember(published, acceptsGzip, true))
    )
  }

  /**
   * What is replaced while it is read must not get the validator of its predecessor. Sizes and times do not tell: the
   * clock of a file system ticks in milliseconds.
   */
  async #openChanging(name: string): Promise<PublishedFile | undefined> {
    const content = await this.#read(joinPath(this.#directory, name))
    return ofContent(content, await sha256(content), false)
  }

  async #openPlain(name: string): Promise<PublishedFile | undefined> {
    const path = joinPath(this.#directory, name)
    const info = await this.#files.info(path)
    if (info?.kind !== 'file') return undefined
    const digest = await this.#digest(path, info, () => this.#read(path))
    const read = (): Promise<Uint8Array<ArrayBuffer>> => this.#readMoving(name, path)
    return { sizeOctets: info.sizeOctets, encoding: null, varies: false, etag: `"${digest}"`, read }
  }

  async #openCompressed(name: string, acceptsGzip: boolean, varies: boolean): Promise<PublishedFile | undefined> {
    const path = joinPath(this.#directory, name)
    const info = await this.#files.info(path)
    if (info?.kind !== 'file') return undefined
    const compressed = await this.#read(path)
    const read = (): Promise<Uint8Array<ArrayBuffer>> => Promise.resolve(compressed)
    if (acceptsGzip) {
      const digest = await this.#digest(path, info, read)
      return { sizeOctets: compressed.length, encoding: 'gzip', varies, etag: `"${digest}"`, read }
    }
    const content = await gunzip(compressed, REPORT_OCTETS_MAX)
    return content === undefined ? undefined : ofContent(content, await sha256(content), varies)
  }

  async #openMember(
    { plain, month }: PublishedName,
    acceptsGzip: boolean,
    varies: boolean,
  ): Promise<PublishedFile | undefined> {
    const entry = (await this.#index(month ?? ''))?.entries.find(({ name }) => name === plain)
    if (entry === undefined || entry.compressedOctets > REPORT_OCTETS_MAX) return undefined
    const path = joinPath(this.#directory, archiveName(month ?? ''))
    const read = (): Promise<Uint8Array<ArrayBuffer>> =>
      this.#files.readPart(path, entry.offset, entry.compressedOctets)
    const compressed = await read()
    if (acceptsGzip) {
      const etag = `"${await sha256(compressed)}"`
      return { sizeOctets: compressed.length, encoding: 'gzip', varies, etag, read: () => Promise.resolve(compressed) }
    }
    const content = await gunzip(compressed, REPORT_OCTETS_MAX)
    return content === undefined ? undefined : ofContent(content, entry.sha256, varies)
  }

  async #openArchive(name: string, { month }: PublishedName): Promise<PublishedFile | undefined> {
    const index = await this.#index(month ?? '')
    if (index === undefined) return undefined
    const path = joinPath(this.#directory, name)
    const { sizeOctets, sha256: digest } = index
    const read = (): Promise<ReadableStream<Uint8Array<ArrayBuffer>>> =>
      Promise.resolve(streamFile(this.#files, path, sizeOctets))
    return { sizeOctets, encoding: null, varies: false, etag: `"${digest}"`, read }
  }

  async #read(path: string): Promise<Uint8Array<ArrayBuffer>> {
    return new Uint8Array(await this.#files.read(path, REPORT_OCTETS_MAX))
  }

  /** Reads a plain file, wherever it was moved since it was opened: unpacked, its octets are the same. */
  async #readMoving(name: string, path: string): Promise<Uint8Array<ArrayBuffer>> {
    try {
      return await this.#read(path)
    } catch (error) {
      const moved =
        error instanceof FileError && error.code === 'ENOENT' ? await (await this.open(name, false))?.read() : undefined
      if (moved instanceof Uint8Array) return moved
      throw error
    }
  }

  /** The hash of a file, kept as long as its size and time are the same. */
  async #digest(path: string, info: FileInfo, read: () => Promise<Uint8Array<ArrayBuffer>>): Promise<string> {
    const key = `${path} ${info.sizeOctets} ${info.modifiedAtMs}`
    const known = this.#digests.get(key)
    if (known !== undefined) return known
    const digest = await sha256(await read())
    if (this.#digests.size >= DIGESTS_MAX) this.#digests.delete(this.#digests.keys().next().value ?? '')
    this.#digests.set(key, digest)
    return digest
  }

  async #index(month: string): Promise<ArchiveIndex | undefined> {
    const info = await this.#files.info(joinPath(this.#directory, archiveName(month)))
    const state = `${info?.sizeOctets} ${info?.modifiedAtMs}`
    const known = this.#indexes.get(month)
    if (known?.state === state && known.index !== undefined) return known.index
    const index = await readArchiveIndex(this.#files, this.#directory, month)
    if (this.#indexes.size >= INDEXES_MAX) this.#indexes.clear()
    this.#indexes.set(month, { state, index })
    return index
  }
}

function ofContent(content: Uint8Array<ArrayBuffer>, digest: string, varies: boolean): PublishedFile {
  const read = (): Promise<Uint8Array<ArrayBuffer>> => Promise.resolve(content)
  return { sizeOctets: content.length, encoding: null, varies, etag: `"${digest}"`, read }
}

/** Reads `sizeOctets` octets of a file as they are wanted. */
function streamFile(files: Files, path: string, sizeOctets: number): ReadableStream<Uint8Array<ArrayBuffer>> {
  let offset = 0
  return new ReadableStream({
    pull: async (controller) => {
      const wanted = Math.min(STREAM_CHUNK_OCTETS, sizeOctets - offset)
      const chunk = await files.readPart(path, offset, wanted)
      offset += chunk.length
      if (chunk.length > 0) controller.enqueue(chunk)
      if (chunk.length < wanted) controller.error(new FileError('TOO_SHORT', path))
      else if (offset >= sizeOctets) controller.close()
    },
  })
}
