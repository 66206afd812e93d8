/**
 * One report out of a monthly archive, without the others: by the index that lies beside it.
 *
 * Invariant: what an index says is checked before it is used.
 *
 * Format: docs/formats/published.md
 */
import { StoreError, type Store } from './stores.ts'

/** 1,000 runs a month, two files each, with room. */
const INDEX_OCTETS_MAX = 4 * 1024 * 1024

/** A report, compressed, as it lies in the archive. */
export interface ArchiveMember {
  readonly body: ReadableStream<Uint8Array<ArrayBuffer>>
  readonly etag: string
}

/** @returns `undefined` when the archive of that month has no such file. @throws {StoreError} When the store cannot say. */
export async function findMember(store: Store, month: string, name: string): Promise<ArchiveMember | undefined> {
  const stored = await store.read(`archives/${month}.index.json`)
  if (stored === undefined) return undefined
  const index = parseIndex(await readText(stored.body))
  const entry = findEntry(index, name)
  if (entry === undefined) return undefined
  const { offset, compressed_octets: length, sha256 } = entry
  const part = await store.read(`archives/${month}.tar.gz`, { offset, length })
  if (part === undefined) return undefined
  if (part.totalOctets !== index.size_octets) {
    await part.body.cancel()
    throw new StoreError('an archive is not the one of its index')
  }
  return { body: part.body, etag: `"${sha256}-gzip"` }
}

interface IndexEntry {
  readonly offset: number
  readonly compressed_octets: number
  readonly sha256: string
}

interface Index {
  readonly size_octets?: unknown
  readonly entries?: unknown
}

function parseIndex(text: string): Index {
  try {
    return (JSON.parse(text) as Index | null) ?? {}
  } catch (cause) {
    throw new StoreError('the index of an archive is no JSON', { cause })
  }
}

function findEntry(index: Index, name: string): IndexEntry | undefined {
  const entries: readonly unknown[] = Array.isArray(index.entries) ? index.entries : []
  const found = entries.find(
    (entry) => typeof entry === 'object' && entry !== null && 'name' in entry && entry.name === name,
  )
  return isEntry(found) ? found : undefined
}

function isEntry(value: unknown): value is IndexEntry {
  const { offset, compressed_octets: length, sha256 } = (value ?? {}) as Partial<Record<keyof IndexEntry, unknown>>
  const isCount = (count: unknown): boolean => Number.isSafeInteger(count) && (count as number) >= 0
  return (
    isCount(offset) && isCount(length) && length !== 0 && typeof sha256 === 'string' && /^[0-9a-f]{64}$/.test(sha256)
  )
}

async function readText(body: ReadableStream<Uint8Array<ArrayBuffer>>): Promise<string> {
  const decoder = new TextDecoder()
  let text = ''
  let length = 0
  const reader = body.getReader()
  for (let part = await reader.read(); !part.done; part = await reader.read()) {
    length += part.value.length
    if (length > INDEX_OCTETS_MAX) {
      await reader.cancel()
      throw new StoreError('the index of an archive is too long')
    }
    text += decoder.decode(part.value, { stream: true })
  }
  return text + decoder.decode()
}
