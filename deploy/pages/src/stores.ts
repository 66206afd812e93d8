/**
 * The stores that files are read from: R2 buckets that are bound to the site, and public addresses of others.
 *
 * Invariant: a store is only read. Trouble is an exception, "not there" is `undefined`: only after the first the next
 * store is asked because of it.
 */

/** What a store gave. */
export interface StoredBody {
  readonly body: ReadableStream<Uint8Array<ArrayBuffer>>
  /** The store's validator, in quotes; `null` when it has none. */
  readonly etag: string | null
  /** Length of the whole object, in octets, when a part of it was asked for; `null` when the store does not say. */
  readonly totalOctets: number | null
  /** Whether the octets are as they lie there; not so when they were unpacked on the way. */
  readonly isAsStored: boolean
}

/** A part of an object. */
export interface StoredRange {
  readonly offset: number
  readonly length: number
}

/** A store. */
export interface Store {
  /** @returns `undefined` when there is no such object. @throws {StoreError} When the store cannot say. */
  read(key: string, range?: StoredRange): Promise<StoredBody | undefined>
}

/** A store is down, refuses, or answers what it should not. */
export class StoreError extends Error {
  override readonly name = 'StoreError'
}

interface R2Body {
  readonly body: ReadableStream<Uint8Array<ArrayBuffer>>
  readonly httpEtag: string
  readonly size: number
}

/** As much of Cloudflare's R2 binding as is needed. */
export interface R2Binding {
  get(key: string, options?: { readonly range: StoredRange }): Promise<R2Body | null>
}

/** One store that hangs must not hold up the others. */
const TIMEOUT_MS = 10_000
const STORES_MAX = 8

/**
 * Opens the stores that the variable `STORES` names, in its order.
 *
 * @param setting - Separated by blanks: `r2:BINDING`, `r2:BINDING/prefix/` or `https://…/`; without it, `r2:RESULTS`.
 * @throws {StoreError} When it names a binding that is not there, or is something else.
 */
export function openStores(setting: unknown, bindings: Readonly<Record<string, unknown>>): readonly Store[] {
  const words = typeof setting === 'string' && setting.trim() !== '' ? setting.trim().split(/\s+/) : ['r2:RESULTS']
  return words.slice(0, STORES_MAX).map((word) => {
    const [, name, prefix = ''] = /^r2:(\w+)(?:\/([\w./-]*))?$/.exec(word) ?? []
    if (name === undefined) return createUrlStore(word)
    const bucket = bindings[name]
    if (!isBucket(bucket)) throw new StoreError(`STORES names ${word}, and there is no such binding`)
    return createBucketStore(bucket, prefix)
  })
}

function isBucket(value: unknown): value is R2Binding {
  return typeof value === 'object' && value !== null && 'get' in value && typeof value.get === 'function'
}

function createBucketStore(bucket: R2Binding, prefix: string): Store {
  return {
    read: async (key, range) => {
      try {
        const object = await bucket.get(prefix + key, ...(range === undefined ? [] : [{ range }]))
        if (object === null) return undefined
        return { body: object.body, etag: object.httpEtag, totalOctets: object.size, isAsStored: true }
      } catch (cause) {
        throw new StoreError('R2 failed', { cause })
      }
    },
  }
}

function createUrlStore(base: string): Store {
  const url = URL.parse(base)
  if (url === null || !/^https?:$/.test(url.protocol) || !url.pathname.endsWith('/') || url.search !== '')
    throw new StoreError('STORES has an address that is none, or does not end in /')
  return {
    read: async (key, range) => {
      const headers = range === undefined ? {} : { range: `bytes=${range.offset}-${range.offset + range.length - 1}` }
      let response: Response
      try {
        const signal = AbortSignal.timeout(TIMEOUT_MS)
        response = await fetch(`${url.href}${key}`, { headers, redirect: 'manual', signal })
      } catch (cause) {
        throw new StoreError('the store does not answer', { cause })
      }
      // A public bucket that may not be listed says 403 for what is not there.
      if ([403, 404, 410].includes(response.status)) {
        await response.body?.cancel()
        return undefined
      }
      const isRight = response.status === (range === undefined ? 200 : 206)
      if (!isRight || response.body === null) throw new StoreError(`the store answers ${response.status}`)
      const isAsStored = response.headers.get('content-encoding') === null
      const total = /^bytes \d+-\d+\/(\d{1,15})$/.exec(response.headers.get('content-range') ?? '')?.[1]
      const totalOctets = total === undefined ? null : Number(total)
      return { body: response.body, etag: response.headers.get('etag'), totalOctets, isAsStored }
    },
  }
}
