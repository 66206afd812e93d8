/**
 * S3-compatible stores: R2, DigitalOcean Spaces, Amazon's own, MinIO, Garage, Ceph.
 *
 * Every body is signed with its SHA-256, so that a store refuses what was damaged on the way; the same hash is kept as
 * metadata, so that a later run can compare without reading the object. Buckets are addressed by path.
 *
 * Invariant: no key, signature or address is in a reason. Retries, waits and answers are bounded.
 *
 * Sources: Amazon S3 API Reference; AWS Signature Version 4 (aws4fetch signs).
 */
import { AwsV4Signer } from 'aws4fetch'
import { formatCompactTime, sleep, type Clock } from '../core/clock.ts'
import { randomInt, type Random } from '../core/random.ts'
import { parsePublishedName } from '../model/published-name.ts'
import type { HttpClient, HttpRequest, HttpResponse } from '../net/http-client.ts'
import type { ObjectHeaders, ObjectStore, StoredObject, StoreResult } from './object-store.ts'
import { sha256 } from './sha256.ts'

/** A page of 1,000 keys has about 400 KiB. */
const BODY_OCTETS_MAX = 4 * 1024 * 1024
/** 200,000 objects: half a century of runs. */
const PAGES_MAX = 200
/** The pause before the second attempt; it doubles, and has a random part, so that stores are not asked in step. */
const BACK_OFF_MS = 1000
const BACK_OFF_MAX_MS = 60_000
/** Refusals that say "not now": time-outs, floods, and the store's own faults. */
const RETRIED = new Set([408, 425, 429, 500, 502, 503, 504])

/** What opens a store. */
export interface StoreCredentials {
  readonly accessKeyId: string
  readonly secretAccessKey: string
}

/** Where a store is and how it is spoken to. */
export interface S3StoreOptions {
  readonly name: string
  /** `https://ACCOUNT.r2.cloudflarestorage.com`; a path is allowed, a query is not. */
  readonly endpoint: string
  readonly bucket: string
  readonly region: string
  /** What keys begin with: empty, or ending in `/`. */
  readonly prefix: string
  /** Who may read objects by their address; `null` leaves it to the bucket. */
  readonly acl: 'private' | 'public-read' | null
  /** Certificates (PEM) of the authorities that are trusted; `null` for those of the platform. */
  readonly authorities: string | null
  readonly attempts: number
  /** For one request. */
  readonly timeoutMs: number
}

/** What a store is reached with. */
export interface S3Dependencies {
  readonly http: HttpClient
  readonly clock: Clock
  readonly random: Random
  /** Ends requests and pauses. */
  readonly signal: AbortSignal
}

/** Opens a store. Nothing is sent before the first operation. */
export function createS3Store(
  dependencies: S3Dependencies,
  options: S3StoreOptions,
  credentials: StoreCredentials,
): ObjectStore {
  const client = new S3Client(dependencies, options, credentials)
  return {
    name: options.name,
    list: () => listAll(client, options.prefix),
    readDigest: async (name) => {
      const result = await client.send('HEAD', name, {})
      if (!result.ok) return result.status === 404 ? { ok: true, value: null } : result
      return { ok: true, value: result.value.headers['x-amz-meta-sha256'] ?? null }
    },
    put: async (name, body, digest, headers) => {
      const result = await client.send('PUT', name, {
        headers: formatHeaders(headers, digest, options.acl),
        body,
        digest,
      })
      if (!result.ok) return result
      const etag = parseEtag(result.value.headers['etag'] ?? '')
      return etag === '' ? { ok: false, reason: `PUT ${name}: the answer has no ETag` } : { ok: true, value: etag }
    },
    remove: async (name) => {
      const result = await client.send('DELETE', name, {})
      return result.ok || result.status === 404 ? { ok: true, value: null } : result
    },
  }
}

function formatHeaders(
  headers: ObjectHeaders,
  digest: string,
  acl: S3StoreOptions['acl'],
): Readonly<Record<string, string>> {
  return {
    'content-type': headers.contentType,
    'cache-control': headers.cacheControl,
    ...(headers.contentEncoding === null ? {} : { 'content-encoding': headers.contentEncoding }),
    'x-amz-meta-sha256': digest,
    ...(acl === null ? {} : { 'x-amz-acl': acl }),
  }
}

interface S3Request {
  /** `?` and what follows; for the bucket itself. */
  readonly query?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: Uint8Array<ArrayBuffer>
  /** SHA-256 of the body. */
  readonly digest?: string
}

type Sent =
  | { readonly ok: true; readonly value: HttpResponse }
  | { readonly ok: false; readonly reason: string; readonly status: number }

class S3Client {
  readonly #dependencies: S3Dependencies
  readonly #options: S3StoreOptions
  readonly #credentials: StoreCredentials

  constructor(dependencies: S3Dependencies, options: S3StoreOptions, credentials: StoreCredentials) {
    this.#dependencies = dependencies
    this.#options = options
    this.#credentials = credentials
  }

  /** Sends a request until it is answered, refused for good, or the attempts are used up. Every operation may be repeated. */
  async send(method: HttpRequest['method'], name: string, request: S3Request): Promise<Sent> {
    const { clock, random, signal } = this.#dependencies
    const what = name === '' ? `${method} of the list` : `${method} ${name}`
    let failed: Sent = { ok: false, reason: `${what}: interrupted`, status: 0 }
    for (let attempt = 1; attempt <= this.#options.attempts && !signal.aborted; attempt++) {
      const outcome = await this.#exchange(method, name, request)
      if (typeof outcome === 'string') {
        failed = { ok: false, reason: `${what}: ${outcome}`, status: 0 }
      } else {
        if (outcome.status >= 200 && outcome.status < 300) return { ok: true, value: outcome }
        failed = { ok: false, reason: `${what}: ${describeRefusal(outcome)}`, status: outcome.status }
        if (!RETRIED.has(outcome.status)) return failed
      }
      const pauseMs = Math.min(BACK_OFF_MS * 2 ** (attempt - 1), BACK_OFF_MAX_MS)
      if (attempt < this.#options.attempts) await sleep(clock, pauseMs / 2 + randomInt(random, pauseMs) / 2, signal)
    }
    return failed
  }

  /** One exchange. @returns The response, whatever its status; or why there is none. */
  async #exchange(
    method: HttpRequest['method'],
    name: string,
    { query = '', headers = {}, body, digest }: S3Request,
  ): Promise<HttpResponse | string> {
    const { http, clock, signal } = this.#dependencies
    const { endpoint, bucket, prefix, region, timeoutMs, authorities } = this.#options
    const path = name === '' ? '' : `/${prefix}${name}`
    const moment = formatCompactTime(clock.wallNowMs())
    const signed = await new AwsV4Signer({
      method,
      url: `${endpoint.replace(/\/$/, '')}/${bucket}${path}${query}`,
      headers: { ...headers, 'x-amz-content-sha256': digest ?? (await sha256(new Uint8Array())) },
      service: 's3',
      region,
      datetime: `${moment.slice(0, 8)}T${moment.slice(8)}Z`,
      ...this.#credentials,
    }).sign()
    const outcome = await http.request({
      method,
      url: signed.url.href,
      headers: Object.fromEntries(signed.headers),
      ...(body === undefined ? {} : { body }),
      timeoutMs,
      bodyOctetsMax: BODY_OCTETS_MAX,
      ...(authorities === null ? {} : { authorities }),
      signal,
    })
    return outcome.kind === 'response' ? outcome : outcome.failure
  }
}

/** Status and S3's code for it; nothing else of the body, which may repeat our key. */
function describeRefusal({ status, body }: HttpResponse): string {
  const code = /<Code>([A-Za-z0-9]{1,64})<\/Code>/.exec(new TextDecoder().decode(body.subarray(0, 4096)))?.[1]
  return code === undefined ? String(status) : `${status} ${code}`
}

async function listAll(client: S3Client, prefix: string): Promise<StoreResult<ReadonlyMap<string, StoredObject>>> {
  const found = new Map<string, StoredObject>()
  let token: string | undefined = ''
  for (let page = 0; page < PAGES_MAX && token !== undefined; page++) {
    const query = `?encoding-type=url&list-type=2&max-keys=1000${parameter('prefix', prefix)}${parameter('continuation-token', token)}`
    const result = await client.send('GET', '', { query })
    if (!result.ok) return result
    const text = new TextDecoder().decode(result.value.body)
    for (const [, object = ''] of text.matchAll(/<Contents>(.*?)<\/Contents>/gs)) addObject(found, object, prefix)
    const next = readElement(text, 'NextContinuationToken')
    token = readElement(text, 'IsTruncated') === 'true' && next !== '' ? next : undefined
    if (!text.includes('<ListBucketResult')) return { ok: false, reason: 'the list is none' }
  }
  return token === undefined ? { ok: true, value: found } : { ok: false, reason: 'the bucket holds too many objects' }
}

function addObject(found: Map<string, StoredObject>, xml: string, prefix: string): void {
  const key = decodeQuietly(readElement(xml, 'Key'))
  const name = key.startsWith(prefix) ? key.slice(prefix.length) : ''
  if (parsePublishedName(name) === undefined) return
  found.set(name, { sizeOctets: Number(readElement(xml, 'Size')), etag: parseEtag(readElement(xml, 'ETag')) })
}

function parameter(name: string, value: string): string {
  return value === '' ? '' : `&${name}=${encodeURIComponent(value)}`
}

/** The text of the first element of that name, with the five entities of XML put back. */
function readElement(xml: string, name: string): string {
  const text = new RegExp(`<${name}>([^<]*)</${name}>`).exec(xml)?.[1] ?? ''
  const entities: Readonly<Record<string, string>> = { quot: '"', apos: "'", lt: '<', gt: '>', amp: '&', '#34': '"' }
  return text.replaceAll(/&(quot|apos|lt|gt|amp|#34);/g, (_, entity: string) => entities[entity] ?? '')
}

function parseEtag(text: string): string {
  return text.replace(/^W\//, '').replaceAll('"', '')
}

function decodeQuietly(text: string): string {
  try {
    return decodeURIComponent(text.replaceAll('+', '%20'))
  } catch (error) {
    if (error instanceof URIError) return ''
    throw error
  }
}
