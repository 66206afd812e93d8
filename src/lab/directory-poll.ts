/**
 * What a laboratory authority publishes: asked over its DirPort, to know when a network is complete.
 *
 * Invariant: reads at most {@link BODY_OCTETS_MAX} octets, and believes only what it needs.
 *
 * Sources: dir-spec sections 3.4 (consensus), 2.1.1 (descriptors), 6 (URLs).
 */
import type { Clock } from '../core/clock.ts'
import { withTimeout } from '../core/clock.ts'
import { type Endpoint, type Net, NetError } from '../net/net.ts'
import type { Fingerprint } from '../tor/tor-session.ts'

/** 1,000 relays have about 3 MB of descriptors. */
const BODY_OCTETS_MAX = 8 * 1024 * 1024
const REQUEST_TIMEOUT_MS = 3_000

/** A relay as the consensus of a laboratory lists it. */
interface ListedRelay {
  readonly flags: ReadonlySet<string>
  /** Whether the authority also has the relay's descriptor. */
  readonly described: boolean
}

/**
 * Asks an authority for its consensus and descriptors.
 *
 * @returns Fingerprint → what is listed; empty while there is no consensus or nobody answers.
 */
export async function pollDirectory(
  { net, clock }: { readonly net: Net; readonly clock: Clock },
  dirPort: Endpoint,
): Promise<ReadonlyMap<Fingerprint, ListedRelay>> {
  const [consensus, descriptors] = await Promise.all([
    getDocument(net, clock, dirPort, '/tor/status-vote/current/consensus'),
    getDocument(net, clock, dirPort, '/tor/server/all'),
  ])
  const described = new Set(
    [...descriptors.matchAll(/^fingerprint ((?:[\dA-F]{4} ?){10})$/gm)].map((match) => match[1]?.replaceAll(' ', '')),
  )
  const relays = new Map<Fingerprint, ListedRelay>()
  for (const match of consensus.matchAll(/^r \S+ ([\w+/]{27}) [^]*?^s ?(.*)$/gm)) {
    const fingerprint = Buffer.from(match[1] ?? '', 'base64')
      .toString('hex')
      .toUpperCase()
    relays.set(fingerprint, { flags: new Set(match[2]?.split(' ')), described: described.has(fingerprint) })
  }
  return relays
}

/** @returns The body of a 200; an empty text otherwise. */
async function getDocument(net: Net, clock: Clock, endpoint: Endpoint, path: string): Promise<string> {
  try {
    const body = await withTimeout(clock, readDocument(net, endpoint, path), REQUEST_TIMEOUT_MS)
    return body ?? ''
  } catch (error) {
    if (!(error instanceof NetError)) throw error
    return ''
  }
}

async function readDocument(net: Net, endpoint: Endpoint, path: string): Promise<string> {
  const connection = await net.connectTcp(endpoint, REQUEST_TIMEOUT_MS)
  try {
    await connection.write(new TextEncoder().encode(`GET ${path} HTTP/1.0\r\nAccept-Encoding: identity\r\n\r\n`))
    const decoder = new TextDecoder()
    let text = ''
    for (let octets = await connection.read(); octets !== undefined; octets = await connection.read()) {
      text += decoder.decode(octets, { stream: true })
      if (text.length > BODY_OCTETS_MAX) return ''
    }
    const bodyAt = text.indexOf('\r\n\r\n')
    return bodyAt > 0 && /^HTTP\/1\.\d 200 /.test(text) ? text.slice(bodyAt + 4) : ''
  } finally {
    connection.close()
  }
}
