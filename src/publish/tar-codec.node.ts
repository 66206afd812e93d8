/** Archives with tar-stream and Node's zlib, which reads gzip of many members. */
import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { pipeline } from 'node:stream/promises'
import { createGunzip } from 'node:zlib'
import { extract, pack } from 'tar-stream'
import { ArchiveError, type ArchiveCodec, type TarEntry } from './archive-codec.ts'

const HEADER_OCTETS = 512
const FILE_MODE = 0o644

/** tar and gzip of this machine. */
export const tarCodec: ArchiveCodec = {
  encodeHeader,
  readFiles,
  createSha256: () => {
    const hash = createHash('sha256')
    return {
      update: (octets) => void hash.update(octets),
      finish: () => hash.digest('hex'),
    }
  },
}

/** The library writes the header as soon as an entry begins; its content goes another way. */
async function encodeHeader(name: string, sizeOctets: number, modifiedAtMs: number): Promise<Uint8Array<ArrayBuffer>> {
  const stream = pack()
  // oxlint-disable-next-line no-restricted-globals -- the library takes a Date.
  const mtime = new Date(modifiedAtMs)
  stream.entry({ name, size: sizeOctets, mode: FILE_MODE, mtime, type: 'file' }).on('error', () => {})
  for await (const chunk of stream as AsyncIterable<Uint8Array>)
    return Uint8Array.from(chunk.subarray(0, HEADER_OCTETS))
  throw new ArchiveError('the tar has no header')
}

async function* readFiles(path: string, fileOctetsMax: number): AsyncGenerator<TarEntry> {
  const entries = extract()
  const reading = pipeline(createReadStream(path), createGunzip(), entries)
  // Its failure reaches us through the entries as well; nobody else may see it.
  reading.catch(() => undefined)
  try {
    for await (const entry of entries) {
      const { name, type, size } = entry.header
      if (size > fileOctetsMax) throw new ArchiveError('a file in the archive is too long')
      const chunks: Uint8Array[] = []
      for await (const chunk of entry as AsyncIterable<Uint8Array>) chunks.push(chunk)
      if (type === 'file') yield { name, octets: join(chunks) }
    }
    await reading
  } catch (error) {
    if (error instanceof ArchiveError) throw error
    throw new ArchiveError('the archive is damaged', { cause: error })
  } finally {
    entries.destroy()
  }
}

function join(chunks: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const all = new Uint8Array(chunks.reduce((length, chunk) => length + chunk.length, 0))
  let offset = 0
  for (const chunk of chunks) {
    all.set(chunk, offset)
    offset += chunk.length
  }
  return all
}
