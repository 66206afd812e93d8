/**
 * An S3-compatible object store on loopback, in memory, with faults on command.
 *
 * It checks every signature by itself and knows what publication needs: ListObjectsV2, HEAD, GET with ranges, PUT, DELETE.
 *
 * Invariant: listens on 127.0.0.1 only; what it holds, and each request, is bounded.
 *
 * Sources: Amazon S3 API Reference; R2's and DigitalOcean Spaces' lists of what they support of it.
 */
import { createHash } from 'node:crypto'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { formatIsoTime, type Clock } from '../core/clock.ts'
import { findSignatureError, type StoreCredentials } from './verify-signature.ts'

const BODY_OCTETS_MAX = 512 * 1024 * 1024
const OBJECTS_MAX = 100_000
const PAGE_KEYS_MAX = 1000

/** An object and what was said about it. */
export interface HeldObject {
  readonly octets: Uint8Array
  /** In quotes: the MD5 of the octets, as S3 has it for objects that came in one piece. */
  readonly etag: string
  /** `content-type`, `cache-control`, `content-encoding`, `x-amz-acl` and `x-amz-meta-…`, as sent. */
  readonly headers: Readonly<Record<string, string>>
  readonly modifiedAt: string
}

/** What goes wrong with a request. */
export type StoreFault =
  | { readonly kind: 'status'; readonly status: number; readonly code: string }
  /** The connection is cut: before the request had an effect, or after it. */
  | { readonly kind: 'cut'; readonly when: 'before' | 'after' }
  /** The answer comes late. */
  | { readonly kind: 'slow'; readonly delayMs: number }

/** A request, for scripts of faults and for tests. */
export interface StoreRequest {
  readonly method: string
  /** Empty for a list. */
  readonly key: string
  /** Counted from 0. */
  readonly number: number
}

/** How the store is started. */
export interface ObjectStoreOptions extends StoreCredentials {
  readonly clock: Clock
  readonly bucket: string
  /** 0 lets the system choose. */
  readonly port?: number
  /** Whether anybody may read objects by their address, as from a public bucket. */
  readonly isPublic?: boolean
  /** Looks at each request. @returns What goes wrong with it. */
  readonly fault?: (request: StoreRequest) => StoreFault | undefined
}

/** A store that runs. */
export interface ObjectStoreServer extends AsyncDisposable {
  /** `http://127.0.0.1:PORT`. */
  readonly url: string
  /** Key → object. */
  readonly objects: ReadonlyMap<string, HeldObject>
  /** Requests so far, with the status of the answer; 0 where the connection was cut. */
  readonly requests: readonly (StoreRequest & { readonly status: number })[]
}

interface Answer {
  readonly status: number
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: Uint8Array | string
}

/** Starts a store with one empty bucket. */
export async function startObjectStore(options: ObjectStoreOptions): Promise<ObjectStoreServer> {
  const store = new Store(options)
  const server = createServer((request, response) => {
    void store.handle(request, response)
  })
  const port = await listen(server, options.port ?? 0)
  return {
    url: `http://127.0.0.1:${port}`,
    objects: store.objects,
    requests: store.requests,
    [Symbol.asyncDispose]: () =>
      new Promise((resolve) => {
        server.close(() => {
          resolve()
        })
        server.closeAllConnections()
      }),
  }
}

function listen(server: Server, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, '127.0.0.1', () => {
      const address = server.address()
      resolve(typeof address === 'object' && address !== null ? address.port : 0)
    })
  })
}

class Store {
  readonly objects = new Map<string, HeldObject>()
  readonly requests: (StoreRequest & { readonly status: number })[] = []
  readonly #options: ObjectStoreOptions
  #count = 0

  constructor(options: ObjectStoreOptions) {
    this.#options = options
  }

  async handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = URL.parse(request.url ?? '/', 'http://store')
    const { clock, bucket, fault } = this.#options
    if (url === null || /%(?![0-9a-fA-F]{2})/.test(request.url ?? '')) {
      request.socket.destroy()
      return
    }
    // Published names need no encoding, so a key that does is nobody's.
    const key = url.pathname.replace(`/${bucket}`, '').replace(/^\//, '')
    const seen: StoreRequest = { method: request.method ?? '', key, number: this.#count++ }
    const finish = (status: number): void => {
      this.requests.push({ ...seen, status })
    }
    const body = await readBody(request)
    const wrong = fault?.(seen)
    if (body === undefined || (wrong?.kind === 'cut' && wrong.when === 'before')) {
      finish(0)
      request.socket.destroy()
      return
    }
    if (wrong?.kind === 'slow') {
      await new Promise<void>((resolve) => {
        clock.setTimer(wrong.delayMs, resolve)
      })
    }
    const answer =
      wrong?.kind === 'status'
        ? refuse(wrong.status, wrong.code)
        : this.#answer(request, url, key, new Uint8Array(body))
    if (wrong?.kind === 'cut') {
      finish(0)
      request.socket.destroy()
      return
    }
    finish(answer.status)
    response.writeHead(answer.status, answer.headers)
    response.end(request.method === 'HEAD' ? undefined : answer.body)
  }

  #answer(request: IncomingMessage, url: URL, key: string, body: Uint8Array): Answer {
    const { bucket, clock, isPublic = false } = this.#options
    const headers = Object.fromEntries(Object.entries(request.headers).map(([name, value]) => [name, String(value)]))
    const method = request.method ?? ''
    const isRead = (method === 'GET' || method === 'HEAD') && key !== ''
    const isOpen = isPublic || this.objects.get(key)?.headers['x-amz-acl'] === 'public-read'
    if (!isOpen || !isRead || 'authorization' in headers) {
      const signed = { method, target: request.url ?? '', headers, body }
      const error = findSignatureError(signed, this.#options, clock.wallNowMs())
      if (error !== undefined) return refuse(error === 'BadDigest' ? 400 : 403, error)
    }
    if (url.pathname !== `/${bucket}` && !url.pathname.startsWith(`/${bucket}/`)) return refuse(404, 'NoSuchBucket')
    if (key === '') return method === 'GET' ? this.#list(url.searchParams) : refuse(405, 'MethodNotAllowed')
    switch (method) {
      case 'PUT':
        return this.#put(key, body, headers)
      case 'DELETE':
        this.objects.delete(key)
        return { status: 204 }
      case 'GET':
      case 'HEAD':
        return this.#get(key, headers)
      default:
        return refuse(405, 'MethodNotAllowed')
    }
  }

  #put(key: string, octets: Uint8Array, headers: Readonly<Record<string, string>>): Answer {
    if (this.objects.size >= OBJECTS_MAX) return refuse(503, 'SlowDown')
    const kept = Object.entries(headers).filter(([name]) =>
      /^(?:content-type|cache-control|content-encoding|x-amz-acl|x-amz-meta-.+)$/.test(name),
    )
    const etag = `"${createHash('md5').update(octets).digest('hex')}"`
    const modifiedAt = formatIsoTime(this.#options.clock.wallNowMs())
    this.objects.set(key, { octets, etag, headers: Object.fromEntries(kept), modifiedAt })
    return { status: 200, headers: { etag } }
  }

  #get(key: string, headers: Readonly<Record<string, string>>): Answer {
    const object = this.objects.get(key)
    if (object === undefined) return refuse(404, 'NoSuchKey')
    const { octets, etag } = object
    const known = { ...object.headers, etag }
    const range = /^bytes=(\d+)-(\d+)$/.exec(headers['range'] ?? '')
    if (range === null)
      return { status: 200, headers: { ...known, 'content-length': `${octets.length}` }, body: octets }
    const part = octets.subarray(Number(range[1]), Number(range[2]) + 1)
    const place = `bytes ${range[1]}-${Number(range[1]) + part.length - 1}/${octets.length}`
    const headersOfPart = { ...known, 'content-length': `${part.length}`, 'content-range': place }
    return part.length === 0 ? refuse(416, 'InvalidRange') : { status: 206, headers: headersOfPart, body: part }
  }

  #list(parameters: URLSearchParams): Answer {
    if (parameters.get('list-type') !== '2') return refuse(400, 'InvalidArgument')
    const prefix = parameters.get('prefix') ?? ''
    const after = parameters.get('continuation-token') ?? ''
    const most = Math.min(Number(parameters.get('max-keys') ?? PAGE_KEYS_MAX), PAGE_KEYS_MAX)
    const keys = [...this.objects.keys()].filter((key) => key.startsWith(prefix) && key > after).toSorted(byCode)
    const page = keys.slice(0, most)
    const contents = page.map((key) => {
      const object = this.objects.get(key)
      const etag = (object?.etag ?? '').replaceAll('"', '&quot;')
      const facts = `<LastModified>${object?.modifiedAt}</LastModified><ETag>${etag}</ETag>`
      return `<Contents><Key>${encodeURIComponent(key)}</Key>${facts}<Size>${object?.octets.length}</Size></Contents>`
    })
    const isTruncated = keys.length > page.length
    const next = isTruncated ? `<NextContinuationToken>${page.at(-1)}</NextContinuationToken>` : ''
    const body = `<?xml version="1.0" encoding="UTF-8"?>\n<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><IsTruncated>${isTruncated}</IsTruncated>${next}${contents.join('')}</ListBucketResult>`
    return { status: 200, headers: { 'content-type': 'application/xml' }, body }
  }
}

function byCode(a: string, b: string): number {
  return a < b ? -1 : 1
}

function refuse(status: number, code: string): Answer {
  const body = `<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>${code}</Code><Message>${code}</Message></Error>`
  return { status, headers: { 'content-type': 'application/xml' }, body }
}

/** @returns `undefined` when it is too long or was cut off. */
async function readBody(request: IncomingMessage): Promise<Uint8Array | undefined> {
  const chunks: Uint8Array[] = []
  let length = 0
  try {
    for await (const chunk of request as AsyncIterable<Uint8Array>) {
      length += chunk.length
      if (length > BODY_OCTETS_MAX) return undefined
      chunks.push(chunk)
    }
  } catch {
    // The client went away; there is nobody to answer.
    return undefined
  }
  return Buffer.concat(chunks)
}
