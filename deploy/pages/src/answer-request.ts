/**
 * Answers a request: a published file from the first store that has it, the page, or 404.
 *
 * Invariant: what is not on the list is 404 before any store is asked. A store that fails is passed over for the next one;
 * only when none can say is the answer 503, which nobody keeps.
 *
 * Sources: Cloudflare, "Pages Functions"; RFC 9110.
 */
import { findMember } from './archive-member.ts'
import { parsePublishedPath, type PublishedPath, type StoredForm } from './published-path.ts'
import { openStores, StoreError, type Store } from './stores.ts'

/** What Cloudflare Pages hands to a function, as far as it is needed. */
export interface PagesContext {
  readonly request: Request
  readonly env: Readonly<Record<string, unknown>>
}

/** Files of the page itself, and nothing else of what lies beside them. */
const PAGE_PATHS = new Set(['/', '/dashboard.css', '/dashboard.js', '/elements.js', '/trend.js', '/favicon.svg'])
/** Nothing on the page comes from elsewhere, and nothing stands inline. */
export const PAGE_POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
/** A report is data: a browser that opens it runs nothing. */
const FILE_POLICY = "default-src 'none'; sandbox"

const COMMON_HEADERS = { 'x-content-type-options': 'nosniff', 'referrer-policy': 'no-referrer' }
const CROSS_ORIGIN = {
  'access-control-allow-origin': '*',
  'access-control-expose-headers': 'etag, content-length, content-encoding',
}

/** A file, ready to be sent. */
interface FoundFile {
  readonly body: ReadableStream<Uint8Array<ArrayBuffer>>
  readonly etag: string | null
  /** Whether the octets are gzip of what was asked for. */
  readonly isPacked: boolean
}

/** Answers a request. Never rejects because of a store. */
export async function answerRequest({ request, env }: PagesContext): Promise<Response> {
  const { pathname } = new URL(request.url)
  const published = parsePublishedPath(pathname)
  const isPage = PAGE_PATHS.has(pathname)
  if (published === undefined && !isPage) return refuse(404, 'There is nothing here.')
  if (request.method === 'OPTIONS') return allowReading()
  if (request.method !== 'GET' && request.method !== 'HEAD')
    return refuse(405, 'This site is for reading.', { allow: 'GET, HEAD, OPTIONS' })
  if (published === undefined) return sendPage(request, env)
  try {
    const found = await findFile(openStores(env['STORES'], env), published)
    if (found === undefined) return refuse(404, 'No file of this name is published (yet).')
    return sendFile(request, published, found)
  } catch (error) {
    if (!(error instanceof StoreError)) throw error
    return refuse(503, 'The stores do not answer.', { 'retry-after': '60' })
  }
}

/** @returns `undefined` when every store says that it has none. @throws {StoreError} When one cannot say, and none has it. */
async function findFile(stores: readonly Store[], { forms }: PublishedPath): Promise<FoundFile | undefined> {
  let trouble: StoreError | undefined
  for (const store of stores) {
    try {
      for (const form of forms) {
        const found = await readForm(store, form)
        if (found !== undefined) return found
      }
    } catch (error) {
      if (!(error instanceof StoreError)) throw error
      trouble = error
    }
  }
  if (trouble !== undefined) throw trouble
  return undefined
}

async function readForm(store: Store, form: StoredForm): Promise<FoundFile | undefined> {
  if (form.kind === 'member') {
    const found = await findMember(store, form.month, form.name)
    return found === undefined ? undefined : { ...found, isPacked: true }
  }
  const stored = await store.read(form.key)
  if (stored === undefined) return undefined
  return { body: stored.body, etag: stored.etag, isPacked: form.kind === 'gzip' && stored.isAsStored }
}

function sendFile(
  request: Request,
  { isCompressed, contentType, cacheControl }: PublishedPath,
  found: FoundFile,
): Response {
  const headers = new Headers({
    ...COMMON_HEADERS,
    ...CROSS_ORIGIN,
    'content-security-policy': FILE_POLICY,
    'content-type': contentType,
    'cache-control': cacheControl,
  })
  const isPackedForReader = isCompressed || (found.isPacked && acceptsGzip(request))
  if (isPackedForReader) headers.set('content-encoding', 'gzip')
  if (found.isPacked && !isCompressed) headers.set('vary', 'accept-encoding')
  // What is unpacked or packed here has other octets than what the store's validator is about.
  const isSame = found.isPacked === isPackedForReader
  if (found.etag !== null) headers.set('etag', isSame ? found.etag : `W/${found.etag.replace(/^W\//, '')}`)
  if (isKnown(request, headers.get('etag'))) return drop(found, new Response(null, { status: 304, headers }))
  if (request.method === 'HEAD') return drop(found, new Response(null, { headers }))
  if (isSame)
    return new Response(found.body, { headers, encodeBody: isPackedForReader ? 'manual' : 'automatic' } as ResponseInit)
  // The platform packs by itself where the header says so.
  const body = found.isPacked ? found.body.pipeThrough(new DecompressionStream('gzip')) : found.body
  return new Response(body, { headers })
}

function drop({ body }: FoundFile, response: Response): Response {
  void body.cancel()
  return response
}

/** Cloudflare writes its own `Accept-Encoding`; what the reader sent is beside it. */
function acceptsGzip(request: Request): boolean {
  const { cf } = request as { readonly cf?: { readonly clientAcceptEncoding?: unknown } }
  const given = typeof cf?.clientAcceptEncoding === 'string' ? cf.clientAcceptEncoding : null
  const header = given ?? request.headers.get('accept-encoding') ?? ''
  return header.split(',').some((part) => /^\s*(?:gzip|\*)\s*(?:;\s*q=(?!0(?:\.0*)?\s*$)[\d.]+\s*)?$/i.test(part))
}

function isKnown(request: Request, etag: string | null): boolean {
  const given = request.headers.get('if-none-match') ?? ''
  const strip = (text: string): string => text.trim().replace(/^W\//, '')
  return etag !== null && given.split(',').some((text) => strip(text) === strip(etag) || text.trim() === '*')
}

async function sendPage(request: Request, env: PagesContext['env']): Promise<Response> {
  const { ASSETS: assets } = env as { readonly ASSETS?: { fetch(request: Request): Promise<Response> } }
  const page = await assets?.fetch(request)
  if (page === undefined || !(page.ok || page.status === 304)) return refuse(404, 'There is nothing here.')
  const headers = new Headers(page.headers)
  for (const [name, value] of Object.entries(COMMON_HEADERS)) headers.set(name, value)
  headers.set('content-security-policy', PAGE_POLICY)
  return new Response(page.body, { status: page.status, headers })
}

function allowReading(): Response {
  const headers = { ...CROSS_ORIGIN, 'access-control-allow-methods': 'GET, HEAD', 'access-control-max-age': '86400' }
  return new Response(null, { status: 204, headers })
}

function refuse(status: number, text: string, more: Readonly<Record<string, string>> = {}): Response {
  const headers = { ...COMMON_HEADERS, 'access-control-allow-origin': '*', 'cache-control': 'no-store', ...more }
  return new Response(`${text}\n`, { status, headers: { ...headers, 'content-type': 'text/plain; charset=utf-8' } })
}
