/**
 * DNS over HTTPS: one server, many queries at once on one HTTP/2 connection, sessions resumed.
 *
 * Invariant: never retries, follows no redirect, and never falls back. A connection that breaks fails what is in flight
 * on it, and the next query opens a new one; so does the query after one that ran out of time while nothing came at all.
 * What the server did not let us send yet goes to the new connection: it was never asked.
 *
 * Sources: RFC 8484 (wire format, GET and POST); the JSON form: dns-json.ts.
 */
import { assert } from '../core/assert.ts'
import type { Clock } from '../core/clock.ts'
import { formatBase64 } from '../dns/octets-text.ts'
import type { Failure, Operation } from '../model/failure.ts'
import type { Exchange } from '../model/observation.ts'
import { formatDnsJsonQuery, matchDnsJson } from './dns-json.ts'
import { encodeHeaders, type Header } from './hpack.ts'
import { startHttp2, type Http2Connection, type Http2Request, type Http2Response } from './http2-connection.ts'
import { joinOctets } from './join-octets.ts'
import { NetError, type Net, type TlsFacts } from './net.ts'
import { startExchange, type ExchangeRequest, type PendingExchange } from './pending-exchange.ts'
import { createTlsConnector, type TlsTarget } from './tls-connector.ts'

/** RFC 9113 section 3.2. */
const ALPN = 'h2'
/** The largest DNS message. */
const MESSAGE_OCTETS_MAX = 65_535
/** JSON is longer than the wire format; the longest message makes about so much of it. */
const JSON_OCTETS_MAX = 262_144
/** Header blocks that are kept, by the length of the query: padded queries have few. */
const BLOCKS_MAX = 512
/** How often a query that was never sent moves on to another connection. */
const RETURNS_MAX = 3

/** How to reach a server. */
export interface DohOptions extends TlsTarget {
  /** What stands in the URL: host, and port where it is not 443. */
  readonly authority: string
  /** With a slash at the start, without a query. */
  readonly path: string
  readonly form: 'get' | 'post' | 'json'
  /**
   * Whether caches of HTTP are passed: with `cb=` and the time in the URL, and headers that say so. `false` by default.
   * The cache of the resolver answers as always.
   */
  readonly isFresh?: boolean
  /** For TCP and TLS together, in milliseconds. */
  readonly connectTimeoutMs: number
  /** How long a connection without queries is kept, in milliseconds. */
  readonly idleTimeoutMs: number
}

/** A server that is asked over HTTPS. */
export interface Doh {
  /**
   * Performs one exchange. There is one response at most, so the late window is of no meaning.
   *
   * @returns Always; rejects only on a bug. With `json` the octets of the response are JSON.
   */
  exchange(request: ExchangeRequest): Promise<Exchange>
  /** What the newest handshake agreed on; `undefined` before the first. */
  facts(): TlsFacts | undefined
  /** Closes everything; what is in flight ends as `interrupted`. */
  close(): void
}

/** Prepares to ask one server; connects when the first query comes. */
export function createDoh(net: Net, clock: Clock, options: DohOptions): Doh {
  const connections = createConnections(net, clock, options)
  const makeRequest = createRequestMaker(options, () => Math.round(clock.wallNowMs()))
  const inFlight = new Set<PendingExchange>()
  let isClosed = false

  const send = async (pending: PendingExchange, returns: number): Promise<void> => {
    try {
      const connection = await connections.get(pending)
      if (pending.ended) return
      startOn(connection, pending, makeRequest(pending.query), () => {
        if (returns >= RETURNS_MAX || isClosed) pending.fail('connection_reset')
        else void send(pending, returns + 1)
      })
    } catch (error) {
      if (!(error instanceof NetError)) throw error
      pending.fail(error.failure)
    }
  }
  return {
    facts: () => connections.facts(),
    exchange: async (request) => {
      assert(!isClosed, 'nothing is asked of a server that was closed')
      const match = options.form === 'json' ? { match: matchDnsJson } : {}
      const pending = startExchange(clock, { ...request, ...match, lateWindowMs: 0 }, 'connect')
      inFlight.add(pending)
      void send(pending, 0)
      const outcome = await pending.outcome
      inFlight.delete(pending)
      return outcome
    },
    close: () => {
      isClosed = true
      for (const pending of inFlight) pending.fail('interrupted')
      connections.close()
    },
  }
}

function startOn(
  connection: Http2Connection,
  pending: PendingExchange,
  request: Http2Request,
  onReturned: () => void,
): void {
  let isOver = false
  let framesBefore = connection.framesReceived
  const over =
    <T extends unknown[]>(act: (...args: T) => void) =>
    (...args: T): void => {
      isOver = true
      act(...args)
    }
  const giveUp = connection.start(request, {
    onSent: () => {
      framesBefore = connection.framesReceived
      pending.markSent()
    },
    onResponse: over((response) => {
      acceptResponse(pending, response)
    }),
    onFailure: over((failure) => {
      pending.fail(failure)
    }),
    onReturned: over(onReturned),
  })
  void pending.outcome.then((outcome) => {
    if (isOver) return
    giveUp()
    const isOurs = outcome.kind === 'failure' && outcome.failure === 'interrupted'
    if (!isOurs && connection.framesReceived === framesBefore) connection.retire()
  })
}

const CONTENT_TYPE = /^application\/(?:dns-message|dns-json|json|x-javascript)\b/i

function acceptResponse(pending: PendingExchange, { status, headers, body }: Http2Response): void {
  const type = headers.find(([name]) => name === 'content-type')?.[1] ?? ''
  if (status !== 200) pending.fail(`http_unexpected_status_code: ${status}`)
  else if (!CONTENT_TYPE.test(type)) pending.fail('http_unexpected_content_type')
  else pending.accept(body)
  // Nothing more will come. Why the body was no answer stands in the oddities.
  pending.fail('eof_error')
}

interface Connections {
  /** The connection for a query, which enters the steps of connecting. @throws {NetError} */
  get(pending: PendingExchange): Promise<Http2Connection>
  facts(): TlsFacts | undefined
  close(): void
}

function createConnections(net: Net, clock: Clock, options: DohOptions): Connections {
  const { connectTimeoutMs, idleTimeoutMs, authority: _a, path: _p, form: _f, isFresh: _i, ...target } = options
  const connector = createTlsConnector(net, target, ALPN)
  const waiting = new Set<PendingExchange>()
  let step: Operation = 'connect'
  let current: Http2Connection | undefined
  let opening: Promise<Http2Connection> | undefined
  let ending: Failure | undefined

  const open = async (): Promise<Http2Connection> => {
    step = 'connect'
    try {
      const connection = await connector.connect(connectTimeoutMs, (next) => {
        step = next
        for (const pending of waiting) pending.enter(next)
      })
      current = startHttp2(connection, clock, idleTimeoutMs)
      if (ending !== undefined) current.end(ending)
      if (connection.tls.alpn !== ALPN) current.end('ssl_no_application_protocol')
      if (current.ended) throw new NetError(ending ?? 'ssl_no_application_protocol')
      return current
    } finally {
      opening = undefined
    }
  }
  return {
    facts: () => connector.facts(),
    get: async (pending) => {
      if (current?.ended === false) return current
      waiting.add(pending)
      try {
        const opened = (opening ??= open())
        pending.enter(step)
        return await opened
      } finally {
        waiting.delete(pending)
      }
    },
    close: () => {
      ending = 'interrupted'
      current?.end('interrupted')
    },
  }
}

/** What is the same in every request is encoded once. */
function createRequestMaker(
  { authority, path, form, isFresh = false }: DohOptions,
  wallNowMs: () => number,
): (query: Uint8Array) => Http2Request {
  const type = form === 'json' ? 'application/dns-json' : 'application/dns-message'
  const fresh: readonly Header[] = isFresh ? [['cache-control', 'no-cache, no-store']] : []
  const head: readonly Header[] = [
    [':method', form === 'post' ? 'POST' : 'GET'],
    [':scheme', 'https'],
    [':authority', authority],
  ]
  const accept: readonly Header[] = [['accept', type], ...fresh]
  const cacheBuster = (): string => (isFresh ? `cb=${wallNowMs()}` : '')
  if (form === 'post') return createPostMaker({ head, path, accept, type }, isFresh ? cacheBuster : undefined)
  const constant = encodeHeaders(head)
  const tail = encodeHeaders(accept)
  return (query) => {
    const parameters = form === 'json' ? formatDnsJsonQuery(query) : `dns=${encodeBase64Url(query)}`
    assert(parameters !== undefined, 'a query can be decoded')
    const all = isFresh ? `${parameters}&${cacheBuster()}` : parameters
    return {
      headers: joinOctets([constant, encodeHeaders([[':path', `${path}?${all}`]]), tail]),
      body: undefined,
      bodyOctetsMax: form === 'json' ? JSON_OCTETS_MAX : MESSAGE_OCTETS_MAX,
    }
  }
}

interface PostParts {
  readonly head: readonly Header[]
  readonly path: string
  readonly accept: readonly Header[]
  readonly type: string
}

/** @param cacheBuster - Gives the query of the URL anew each time; `undefined` where the URL has none. */
function createPostMaker(
  { head, path, accept, type }: PostParts,
  cacheBuster: (() => string) | undefined,
): (query: Uint8Array) => Http2Request {
  const encodeFor = (url: string, length: number): Uint8Array =>
    encodeHeaders([...head, [':path', url], ...accept, ['content-type', type], ['content-length', String(length)]])
  const blocks = new Map<number, Uint8Array>()
  return (query) => {
    const { length } = query
    let headers = cacheBuster === undefined ? blocks.get(length) : encodeFor(`${path}?${cacheBuster()}`, length)
    if (headers === undefined) {
      headers = encodeFor(path, length)
      if (blocks.size < BLOCKS_MAX) blocks.set(length, headers)
    }
    return { headers, body: query, bodyOctetsMax: MESSAGE_OCTETS_MAX }
  }
}

/** RFC 4648 section 5, without padding. */
function encodeBase64Url(octets: Uint8Array): string {
  return formatBase64(octets).replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, '')
}
