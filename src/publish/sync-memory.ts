/**
 * What earlier syncs found out: the hash of each local file, and with which hash and validator each store has it.
 *
 * Invariant: only a memory. Without it a sync asks the store for hashes again; with a false one it would at worst upload
 * once more. Nothing is uploaded or removed because of it alone.
 */
import { z } from 'zod'
import { FileError, joinPath, readText, type Files } from '../core/files.ts'

const FILE_MODE = 0o600
const OCTETS_MAX = 64 * 1024 * 1024

/** One file that a store had. */
export interface RememberedObject {
  /** The store's validator. */
  readonly etag: string
  /** SHA-256, hexadecimal. */
  readonly digest: string
}

/** The hash of a local file of that size and time. */
interface LocalDigest {
  readonly sizeOctets: number
  readonly modifiedAtMs: number
  readonly digest: string
}

const object = z.object({ etag: z.string(), digest: z.string() })
const local = z.object({ sizeOctets: z.number(), modifiedAtMs: z.number(), digest: z.string() })
const schema = z.object({
  local: z.record(z.string(), local),
  objects: z.record(z.string(), object),
  listsAtMs: z.number().nullable(),
})

/** The memory about one store. */
export interface SyncMemory {
  readonly local: Map<string, LocalDigest>
  readonly objects: Map<string, RememberedObject>
  /** Since when the store has the lists that it has, Unix milliseconds; `null` when that is not known. */
  listsAtMs: number | null
  /** Writes it down. @throws {FileError} */
  save(): Promise<void>
}

/** Reads what is known about a store; nothing when the file is new or damaged. @throws {FileError} */
export async function openSyncMemory(files: Files, directory: string, store: string): Promise<SyncMemory> {
  const path = joinPath(directory, `store-${store}.json`)
  const read = schema.safeParse(await readJson(files, path))
  const locals = new Map(Object.entries(read.data?.local ?? {}))
  const objects = new Map(Object.entries(read.data?.objects ?? {}))
  const memory: SyncMemory = {
    local: locals,
    objects,
    listsAtMs: read.data?.listsAtMs ?? null,
    save: () => {
      const { listsAtMs } = memory
      const json = { local: Object.fromEntries(locals), objects: Object.fromEntries(objects), listsAtMs }
      return files.writeAtomic(path, `${JSON.stringify(json)}\n`, FILE_MODE)
    },
  }
  return memory
}

async function readJson(files: Files, path: string): Promise<unknown> {
  try {
    return JSON.parse(await readText(files, path, OCTETS_MAX))
  } catch (error) {
    if (error instanceof SyntaxError) return undefined
    if (error instanceof FileError && (error.code === 'ENOENT' || error.code === 'TOO_LARGE')) return undefined
    throw error
  }
}
