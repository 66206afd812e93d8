/**
 * A DNS server over HTTPS (HTTP/2): the wire format with POST and GET under `/dns-query`, JSON under `/resolve`.
 *
 * Invariant: bodies, streams and sessions are bounded; a request that is none gets 400.
 *
 * Sources: RFC 8484; the JSON form: src/net/dns-json.ts.
 */
import { once } from 'node:events'
import { createSecureServer, type Http2SecureServer, type ServerHttp2Session, type ServerHttp2Stream } from 'node:http2'
import { decodeMessage } from '../dns/decode-message.ts'
import { encodeMessage, encodeQuery } from '../dns/encode-message.ts'
import type { DnsMessage } from '../dns/message.ts'
import { formatName, parseName } from '../dns/name.ts'
import { formatRdata } from '../dns/rdata.ts'
import { parseRrType } from '../dns/rr-type.ts'
import type { Endpoint } from '../net/net.ts'
import type { IssuedCertificate } from './certificate-authority.ts'

const BODY_OCTETS_MAX = 65_535
const SESSIONS_MAX = 256

/** What a request says beside its question. */
export interface DohRequestFacts {
  /** The URL, query included. */
  readonly url: string
  /** `''` without such a header. */
  readonly cacheControl: string
}

/** @returns The answer; a number for an HTTP status in its place. */
export type DohHandler = (query: DnsMessage, facts: DohRequestFacts) => Promise<DnsMessage | number>

/** A server that serves. */
export interface DohServer {
  readonly endpoint: Endpoint
  close(): Promise<void>
}

/** Starts serving on an address; the system chooses the port. */
export async function serveDoh(
  address: string,
  { certificate, key }: IssuedCertificate,
  handler: DohHandler,
): Promise<DohServer> {
  const server = createSecureServer({ cert: certificate, key, settings: { maxConcurrentStreams: 256 } })
  const sessions = new Set<ServerHttp2Session>()
  server.on('session', (session) => {
    session.on('error', () => {})
    if (sessions.size >= SESSIONS_MAX) session.destroy()
    else sessions.add(session)
    session.once('close', () => sessions.delete(session))
  })
  server.on('sessionError', () => {})
  server.on('stream', (stream, headers) => {
    const request = { url: headers[':path'] ?? '/', cacheControl: headers['cache-control'] ?? '' }
    readBody(stream, (body) => void answer(stream, request, headers[':method'] ?? '', body, handler))
  })
  server.listen(0, address)
  await once(server, 'listening')
  return { endpoint: endpointOf(server, address), close: () => closeServer(server, sessions) }
}

function endpointOf(server: Http2SecureServer, address: string): Endpoint {
  const local = server.address()
  return { address, port: typeof local === 'object' && local !== null ? local.port : 0 }
}

async function closeServer(server: Http2SecureServer, sessions: ReadonlySet<ServerHttp2Session>): Promise<void> {
  for (const session of sessions) session.destroy()
  await new Promise<void>((resolve) => {
    server.close(() => {
      resolve()
    })
  })
}

function readBody(stream: ServerHttp2Stream, onBody: (body: Uint8Array) => void): void {
  const parts: Uint8Array[] = []
  let length = 0
  stream.on('error', () => {})
  stream.on('data', (part: Uint8Array) => {
    length += part.length
    if (length > BODY_OCTETS_MAX) stream.close()
    else parts.push(part)
  })
  stream.on('end', () => {
    onBody(Uint8Array.from(Buffer.concat(parts)))
  })
}

async function answer(
  stream: ServerHttp2Stream,
  facts: DohRequestFacts,
  method: string,
  body: Uint8Array,
  handler: DohHandler,
): Promise<void> {
  const isJson = facts.url.startsWith('/resolve')
  const query = readQuery(facts.url, method, body)
  const reply = query === undefined ? 400 : await handler(query, facts)
  if (stream.destroyed) return
  if (typeof reply === 'number') {
    stream.respond({ ':status': reply })
    stream.end()
    return
  }
  const type = isJson ? 'application/dns-json' : 'application/dns-message'
  stream.respond({ ':status': 200, 'content-type': type })
  stream.end(isJson ? JSON.stringify(toJson(reply)) : encodeMessage(reply, { compress: true }))
}

function readQuery(url: string, method: string, body: Uint8Array): DnsMessage | undefined {
  const { pathname, searchParams } = new URL(url, 'https://localhost')
  if (pathname === '/resolve') return readJsonQuery(searchParams)
  const text = searchParams.get('dns') ?? ''
  const octets = method === 'POST' ? body : Uint8Array.from(Buffer.from(text, 'base64url'))
  const decoded = decodeMessage(octets)
  return decoded.kind === 'message' && pathname === '/dns-query' ? decoded.message : undefined
}

function readJsonQuery(parameters: URLSearchParams): DnsMessage | undefined {
  const name = parseName(parameters.get('name') ?? '')
  const word = parameters.get('type') ?? 'A'
  const type = /^\d{1,5}$/.test(word) ? Number(word) : parseRrType(word)
  if (name === undefined || type === undefined || type > 0xffff) return undefined
  const checkingDisabled = ['1', 'true'].includes(parameters.get('cd') ?? '')
  const decoded = decodeMessage(encodeQuery({ id: 0, name, type, recursionDesired: true, checkingDisabled }))
  return decoded.kind === 'message' ? decoded.message : undefined
}

/** Names have a dot at their end, as with Google. */
function toJson({ header, questions, answers }: DnsMessage): object {
  return {
    Status: header.rcode,
    TC: header.truncated,
    RD: header.recursionDesired,
    RA: header.recursionAvailable,
    AD: header.authenticData,
    CD: header.checkingDisabled,
    Question: questions.map(({ name, type }) => ({ name: `${formatName(name)}.`, type })),
    Answer: answers.map(({ name, type, ttl, rdata }) => ({
      name: `${formatName(name)}.`,
      type,
      TTL: ttl,
      data: rdata.kind === 'ns' || rdata.kind === 'cname' ? `${formatName(rdata.name)}.` : formatRdata(rdata),
    })),
  }
}
