/**
 * Brings one store to where the directory of publication is.
 *
 * ```
 *   list ──► data ──► archives ──► their indexes ──► reports ──► latest.json ──► files-all.json ──► files.json ──► remove
 * ```
 *
 * What is missing is computed from the directory and the store's own list, so a store that was down for a week is caught
 * up by the next sync, and one that was interrupted goes on.
 *
 * Invariant: a list is uploaded only when everything that it names is in the store, in one of its three forms. An object
 * is removed only when it has been replaced by a later form, or has the age of deletion and no list that readers may still
 * hold names it.
 */
import type { Clock } from '../core/clock.ts'
import { FileError, joinPath, type Files } from '../core/files.ts'
import { parsePublishedName, type PublishedForm } from '../model/published-name.ts'
import { archiveIndexName, archiveName } from './archive-index.ts'
import type { ObjectStore, StoredObject } from './object-store.ts'
import { isExpired } from './plan-retention.ts'
import type { PublicSnapshot, SnapshotFile } from './public-snapshot.ts'
import { sha256 } from './sha256.ts'
import type { SyncMemory } from './sync-memory.ts'

/** An archive is the longest of all. */
const FILE_OCTETS_MAX = 1024 * 1024 * 1024
/** Uploads after which the memory is written down. */
const SAVE_EVERY = 100
/** Readers keep a list for a minute; as much again for those whose clocks differ. */
const LIST_KEPT_MS = 120_000

/** What a sync works with. */
export interface SyncDependencies {
  readonly files: Files
  readonly clock: Pick<Clock, 'wallNowMs'>
  readonly signal: AbortSignal
}

/** How a sync goes about it. */
export interface SyncOptions {
  /** Requests at once. */
  readonly concurrency: number
  /** Age of deletion; 0 for never. */
  readonly deleteAfterDays: number
  /** Counts, and sends nothing but questions. */
  readonly dryRun: boolean
}

/** What a sync came to. */
export interface SyncOutcome {
  readonly store: string
  readonly uploaded: number
  readonly removed: number
  /** Objects that were right already. */
  readonly unchanged: number
  readonly sentOctets: number
  /** Why the store is not where the directory is; `null` when it is. One sentence without secrets. */
  readonly failure: string | null
}

/** Syncs one store. Network trouble is an outcome. @throws {FileError} When the memory cannot be written. */
export async function syncStore(
  dependencies: SyncDependencies,
  store: ObjectStore,
  memory: SyncMemory,
  snapshot: PublicSnapshot,
  options: SyncOptions,
): Promise<SyncOutcome> {
  const sync = new StoreSync(dependencies, store, memory, snapshot, options)
  const failure = await sync.run()
  if (!options.dryRun) await memory.save()
  return { ...sync.counts, store: store.name, failure: failure ?? null }
}

class StoreSync {
  readonly counts = { uploaded: 0, removed: 0, unchanged: 0, sentOctets: 0 }
  readonly #dependencies: SyncDependencies
  readonly #store: ObjectStore
  readonly #memory: SyncMemory
  readonly #snapshot: PublicSnapshot
  readonly #options: SyncOptions
  /** Objects in the store: as listed, then as changed here. */
  readonly #there = new Map<string, StoredObject>()

  constructor(
    dependencies: SyncDependencies,
    store: ObjectStore,
    memory: SyncMemory,
    snapshot: PublicSnapshot,
    options: SyncOptions,
  ) {
    this.#dependencies = dependencies
    this.#store = store
    this.#memory = memory
    this.#snapshot = snapshot
    this.#options = options
  }

  /** @returns Why it ended before its end. */
  async run(): Promise<string | undefined> {
    const listed = await this.#store.list()
    if (!listed.ok) return listed.reason
    for (const [name, object] of listed.value) this.#there.set(name, object)
    for (const form of new Set(this.#snapshot.files.map((file) => file.form))) {
      const failure = await this.#inParallel(this.#filesOf(form), (file) => this.#bringFile(file))
      if (failure !== undefined) return failure
    }
    const missing = [...this.#snapshot.named].find((name) => !this.#answers(name))
    if (missing !== undefined) return `the lists name ${missing}, which is not there`
    const before = this.counts.uploaded
    for (const { name, octets } of this.#snapshot.changing) {
      const failure = await this.#bring(name, octets, await sha256(octets))
      if (failure !== undefined) return failure
    }
    return this.#removeOld(this.#areListsOld(this.counts.uploaded > before))
  }

  #filesOf(form: PublishedForm): readonly SnapshotFile[] {
    return this.#snapshot.files.filter((file) => file.form === form)
  }

  /** Works on items, a bounded number at a time, until one fails. */
  async #inParallel<T>(
    items: readonly T[],
    work: (item: T) => Promise<string | undefined>,
  ): Promise<string | undefined> {
    let failure: string | undefined
    const rest = items.values()
    const lane = async (): Promise<void> => {
      for (const item of rest) {
        if (failure === undefined && this.#dependencies.signal.aborted) failure = 'interrupted'
        if (failure !== undefined) return
        const problem = await work(item)
        failure ??= problem
      }
    }
    await Promise.all(Array.from({ length: Math.min(this.#options.concurrency, items.length) }, lane))
    return failure
  }

  async #bringFile({ name, sizeOctets, modifiedAtMs }: SnapshotFile): Promise<string | undefined> {
    const known = this.#memory.local.get(name)
    const isKnown = known?.sizeOctets === sizeOctets && known.modifiedAtMs === modifiedAtMs
    const remembered = this.#memory.objects.get(name)
    const there = this.#there.get(name)
    // The common case costs no reading: the store still has what we gave it, and the file is what it was.
    if (isKnown && there !== undefined && remembered?.etag === there.etag && remembered.digest === known.digest) {
      this.counts.unchanged += 1
      return undefined
    }
    const octets = await this.#read(name)
    if (octets === undefined) return `${name} was moved meanwhile`
    const digest = await sha256(octets)
    const published = parsePublishedName(name)
    const index = published?.form === 'archive' ? this.#snapshot.archives.get(published.month ?? '') : undefined
    if (index !== undefined && index.sha256 !== digest) return `${name} was replaced meanwhile`
    this.#memory.local.set(name, { sizeOctets, modifiedAtMs, digest })
    return this.#bring(name, octets, digest)
  }

  /** @returns `undefined` when retention moved the file since the directory was read. */
  async #read(name: string): Promise<Uint8Array<ArrayBuffer> | undefined> {
    const { files } = this.#dependencies
    try {
      return new Uint8Array(await files.read(joinPath(this.#snapshot.directory, name), FILE_OCTETS_MAX))
    } catch (error) {
      if (error instanceof FileError && error.code === 'ENOENT') return undefined
      throw error
    }
  }

  /** Uploads octets unless the store has them. */
  async #bring(name: string, octets: Uint8Array<ArrayBuffer>, digest: string): Promise<string | undefined> {
    const there = this.#there.get(name)
    if (there?.sizeOctets === octets.length) {
      const remembered = this.#memory.objects.get(name)
      const stored = remembered?.etag === there.etag ? remembered.digest : await this.#readDigest(name)
      if (typeof stored === 'object' && stored !== null) return stored.failure
      if (stored === digest) {
        this.#memory.objects.set(name, { etag: there.etag, digest })
        this.counts.unchanged += 1
        return undefined
      }
    }
    return this.#upload(name, octets, digest)
  }

  async #readDigest(name: string): Promise<string | null | { readonly failure: string }> {
    const result = await this.#store.readDigest(name)
    return result.ok ? result.value : { failure: result.reason }
  }

  async #upload(name: string, octets: Uint8Array<ArrayBuffer>, digest: string): Promise<string | undefined> {
    const published = parsePublishedName(name)
    if (published === undefined) return `${name} is not on the list of published names`
    let etag = ''
    if (!this.#options.dryRun) {
      const { contentType, cacheControl, isCompressed } = published
      const contentEncoding = isCompressed ? 'gzip' : null
      const result = await this.#store.put(name, octets, digest, { contentType, cacheControl, contentEncoding })
      if (!result.ok) return result.reason
      etag = result.value
      this.#memory.objects.set(name, { etag, digest })
      if (this.counts.uploaded % SAVE_EVERY === SAVE_EVERY - 1) await this.#memory.save()
    }
    this.#there.set(name, { sizeOctets: octets.length, etag })
    this.counts.uploaded += 1
    this.counts.sentOctets += octets.length
    return undefined
  }

  /** Whether a published name can be read from the store: as it is, compressed, or out of an archive. */
  #answers(name: string): boolean {
    return this.#there.has(name) || this.#there.has(`${name}.gz`) || this.#isArchived(name)
  }

  #isArchived(name: string): boolean {
    const month = parsePublishedName(name)?.month ?? ''
    const index = this.#snapshot.archives.get(month)
    const isThere = this.#there.has(archiveName(month)) && this.#there.has(archiveIndexName(month))
    return isThere && index?.entries.some((entry) => entry.name === name) === true
  }

  /** Whether no reader can hold a list that names something else than these lists do. */
  #areListsOld(isReplaced: boolean): boolean {
    const nowMs = this.#dependencies.clock.wallNowMs()
    if (isReplaced) this.#memory.listsAtMs = nowMs
    this.#memory.listsAtMs ??= nowMs
    return nowMs - this.#memory.listsAtMs >= LIST_KEPT_MS
  }

  /** @param areListsOld - Otherwise what an earlier list named is left for a later sync. */
  async #removeOld(areListsOld: boolean): Promise<string | undefined> {
    const nowMs = this.#dependencies.clock.wallNowMs()
    const local = new Set(this.#snapshot.files.map(({ name }) => name))
    const isReplaced = (plain: string, isCompressed: boolean): boolean =>
      (!isCompressed && local.has(`${plain}.gz`) && this.#there.has(`${plain}.gz`)) || this.#isArchived(plain)
    const old = [...this.#there.keys()].filter((name) => {
      const published = parsePublishedName(name)
      if (published === undefined || published.month === null || local.has(name)) return false
      const { plain, isCompressed, moment } = published
      if (moment !== null && isReplaced(plain, isCompressed)) return true
      const isNamed = this.#snapshot.named.has(plain)
      return areListsOld && !isNamed && isExpired(published, nowMs, this.#options.deleteAfterDays)
    })
    // An index goes before its archive: it would lead readers to nothing.
    const isIndex = (name: string): boolean => parsePublishedName(name)?.form === 'archive_index'
    const first = await this.#inParallel(old.filter(isIndex), (name) => this.#remove(name))
    return (
      first ??
      this.#inParallel(
        old.filter((name) => !isIndex(name)),
        (name) => this.#remove(name),
      )
    )
  }

  async #remove(name: string): Promise<string | undefined> {
    if (!this.#options.dryRun) {
      const result = await this.#store.remove(name)
      if (!result.ok) return result.reason
    }
    this.#there.delete(name)
    this.#memory.objects.delete(name)
    this.#memory.local.delete(name)
    this.counts.removed += 1
    return undefined
  }
}
