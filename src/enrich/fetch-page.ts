/**
 * Fetches what stands at an address under a name: one GET over HTTP, one over HTTPS, and the certificate of the handshake.
 *
 * **Invariant**: one request each; no redirect is followed, no cookie sent, nothing is asked again. At most 64 KiB of a body are
 * read, and everything ends by its time-out. Whether the address may be asked is for whoever calls.
 *
 * **Sources**: RFC 9112 (HTTP/1.1), RFC 6066 section 3 (SNI).
 */
import { withTimeout, type Clock } from '../core/clock.ts'
import type { SatelliteCertificate, SatelliteFetch, SatellitePage } from '../model/satellite-evidence.ts'
import { joinOctets } from '../net/join-octets.ts'
import { NetError, type Connection, type Net, type TlsFacts } from '../net/net.ts'
import { parseHttpMessage, type HttpMessage } from './http-message.ts'

const HTTP_PORT = 80
const HTTPS_PORT = 443
/** Head and body, with what chunks add. */
const OCTETS_MAX = 256 * 1024

/** What is fetched. */
export interface PageRequest {
  readonly address: string
  /** Host and SNI; empty for none. */
  readonly domain: string
  /** For each of the two, from connecting to the last octet, in milliseconds. */
  readonly timeoutMs: number
  readonly userAgent: string
}

/** Fetches. Trouble of the network is data: rejects on bugs alone. */
export async function fetchPage(
  { net, clock }: { readonly net: Net; readonly clock: Clock },
  request: PageRequest,
): Promise<SatelliteFetch> {
  const startedAtMs = clock.wallNowMs()
  const { address, domain, timeoutMs } = request
  const [http, https] = await Promise.all([
    talk(clock, request, () => net.connectTcp({ address, port: HTTP_PORT }, timeoutMs)),
    fetchOverTls({ net, clock }, request),
  ])
  return { address, domain, http, ...https, startedAtMs, endedAtMs: clock.wallNowMs() }
}

async function fetchOverTls(
  { net, clock }: { readonly net: Net; readonly clock: Clock },
  request: PageRequest,
): Promise<Pick<SatelliteFetch, 'https' | 'certificate'>> {
  const { address, domain, timeoutMs } = request
  const serverName = domain === '' ? address : domain
  let facts: TlsFacts | undefined
  const https = await talk(clock, request, async () => {
    const options = { serverName, mode: 'opportunistic' as const, alpn: ['http/1.1'] }
    const connection = await net.connectTls({ address, port: HTTPS_PORT }, options, timeoutMs)
    facts = connection.tls
    return connection
  })
  return { https, certificate: facts === undefined ? null : certificateOf(facts) }
}

function certificateOf({ leaf, distrust }: TlsFacts): SatelliteCertificate | null {
  if (leaf === null) return null
  return {
    sha256: leaf.sha256,
    isChainValid: distrust === null || distrust === 'ssl_invalid_hostname',
    isNameValid: leaf.isNameValid,
    reason: distrust,
  }
}

async function talk(clock: Clock, request: PageRequest, connect: () => Promise<Connection>): Promise<SatellitePage> {
  const endAtMs = clock.nowMs() + request.timeoutMs
  let connection: Connection
  try {
    connection = await connect()
  } catch (error) {
    if (!(error instanceof NetError)) throw error
    return { error: error.operation === undefined ? error.failure : `${error.operation}: ${error.failure}` }
  }
  try {
    const message = await withTimeout(clock, exchange(connection, request), Math.max(0, endAtMs - clock.nowMs()))
    if (message === undefined) return { error: 'generic_timeout_error' }
    return 'error' in message ? message : await pageOf(message)
  } finally {
    connection.close()
  }
}

async function exchange(
  connection: Connection,
  { address, domain, userAgent }: PageRequest,
): Promise<HttpMessage | { readonly error: string }> {
  const host = domain === '' ? (address.includes(':') ? `[${address}]` : address) : domain
  const lines = [
    'GET / HTTP/1.1',
    `Host: ${host}`,
    `User-Agent: ${userAgent}`,
    'Accept: */*',
    'Connection: close',
    '',
    '',
  ]
  const parts: Uint8Array[] = []
  let length = 0
  try {
    await connection.write(new TextEncoder().encode(lines.join('\r\n')))
    for (let octets = await connection.read(); octets !== undefined; octets = await connection.read()) {
      parts.push(octets)
      length += octets.length
      const message = parseHttpMessage(joinOctets(parts), length >= OCTETS_MAX)
      if (message !== undefined) return message
    }
  } catch (error) {
    if (!(error instanceof NetError)) throw error
    // A server that resets behind its last octet has answered all the same.
    if (length === 0) return { error: error.failure }
  }
  return parseHttpMessage(joinOctets(parts), true) ?? { error: length === 0 ? 'eof_error' : 'http_protocol_error' }
}

async function pageOf({ statusLine, headers, body, isTruncated }: HttpMessage): Promise<SatellitePage> {
  const digest = await crypto.subtle.digest('SHA-256', Uint8Array.from(body))
  const bodySha256 = Array.from(new Uint8Array(digest), (octet) => octet.toString(16).padStart(2, '0')).join('')
  return { statusLine, headers, body: new TextDecoder().decode(body), isTruncated, bodySha256 }
}
