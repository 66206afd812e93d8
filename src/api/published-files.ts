/**
 * Published files over HTTP: reports, manifests and archives under the addresses that readers have always used.
 *
 * Invariant: only names on the list are looked for; a name is never a path. Anybody may read, from any page.
 *
 * Format: docs/formats/published.md
 *
 * Sources: RFC 9110 (conditional requests, content codings), RFC 8246 (immutable).
 */
import { parsePublishedName } from '../model/published-name.ts'
import type { PublishedSource } from '../model/published-source.ts'
import { createProblemResponse } from './problem.ts'

/** Paths that {@link readPublished} may answer: one name, or one below `archives/`. For a router. */
export const PUBLISHED_PATH = '/:file{(?:archives/)?[A-Za-z0-9][A-Za-z0-9_.-]*\\.(?:json|md|gz)}'

/** Reading is for everybody: other people's pages fetch these files. */
const CROSS_ORIGIN = {
  'access-control-allow-origin': '*',
  'access-control-expose-headers': 'etag, content-length, content-encoding',
}

/**
 * Answers GET and HEAD for a published file.
 *
 * @param name - The path without its first slash, decoded: `latest.json`, `archives/2026-01.tar.gz`.
 * @returns 200, 304 where the reader has the same octets already, or 404 as a problem.
 */
export async function readPublished(published: PublishedSource, name: string, request: Request): Promise<Response> {
  const described = parsePublishedName(name)
  const acceptsGzip = hasGzip(request.headers.get('accept-encoding'))
  const file = described === undefined ? undefined : await published.open(name, acceptsGzip)
  if (described === undefined || file === undefined) {
    const problem = createProblemResponse('not-found', 'No file of this name is published (yet).')
    problem.headers.set('access-control-allow-origin', '*')
    return problem
  }
  const headers = new Headers({ ...CROSS_ORIGIN, etag: file.etag, 'cache-control': described.cacheControl })
  if (file.varies) headers.set('vary', 'accept-encoding')
  if (isKnown(request.headers.get('if-none-match'), file.etag)) return new Response(null, { status: 304, headers })
  headers.set('content-type', described.contentType)
  headers.set('content-length', String(file.sizeOctets))
  if (file.encoding !== null) headers.set('content-encoding', file.encoding)
  return new Response(request.method === 'HEAD' ? null : await file.read(), { headers })
}

/** Whether an `Accept-Encoding` names gzip, or everything, with a weight above 0. */
function hasGzip(header: string | null): boolean {
  const weights = new Map(
    (header ?? '').split(',').map((part) => {
      const [coding = '', ...parameters] = part.toLowerCase().split(';')
      const weight = parameters.map((text) => /^\s*q=([\d.]+)\s*$/.exec(text)?.[1]).find((text) => text !== undefined)
      return [coding.trim(), Number(weight ?? 1)]
    }),
  )
  return (weights.get('gzip') ?? weights.get('x-gzip') ?? weights.get('*') ?? 0) > 0
}

/** Whether an `If-None-Match` names the validator; weak comparison, as RFC 9110 wants it here. */
function isKnown(header: string | null, etag: string): boolean {
  return (header ?? '').split(',').some((text) => {
    const given = text.trim().replace(/^W\//, '')
    return given === etag || given === '*'
  })
}
