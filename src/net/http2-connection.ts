/**
 * HTTP/2 over one connection, the client's side: many requests at once, each with one bounded response.
 *
 * Only what a client of DNS needs: no push, no priorities, bodies that fit into one window. Frames that are sent in the
 * same turn leave as one write.
 *
 * Invariant: header blocks, bodies, queues and what waits to be written are bounded; whatever breaks the protocol ends
 * the connection and fails everything on it. A request is sent once.
 *
 * Sources: RFC 9113.
 */
import { assert } from '../core/assert.ts'
import type { Clock, Timer } from '../core/clock.ts'
import type { Failure } from '../model/failure.ts'
import type { Header } from './hpack.ts'
import {
  CLIENT_PREFACE,
  decodeSettings,
  decodeUint32,
  encodeSettings,
  encodeUint32,
  FLAG,
  FRAME,
  FRAME_OCTETS_MAX,
  HTTP2_ERROR,
  SETTING,
  type FrameHead,
} from './http2-frame.ts'
import {
  createFrameWriter,
  createHeaderBlocks,
  HEADER_BLOCK_OCTETS_MAX,
  readFrames,
  unpadFrame,
  type FrameWriter,
} from './http2-io.ts'
import { joinOctets } from './join-octets.ts'
import type { Connection } from './net.ts'

const WAITING_MAX = 4_096
/** What may wait to be written besides requests: a server that makes us answer and does not read is left. */
const UNWRITTEN_OCTETS_MAX = 4_194_304
/** Until the server says how many it takes. */
const STREAMS_FIRST = 100
const WINDOW_FIRST_OCTETS = 65_535
const WINDOW_OCTETS_MAX = 2 ** 31 - 1
/** Of each stream: larger than any body that is allowed, so that it never has to be renewed. */
const STREAM_WINDOW_OCTETS = 524_288
const CONNECTION_WINDOW_OCTETS = 4_194_304
const PRIORITY_OCTETS = 5
const STREAM_ID_MAX = 2 ** 31 - 1
/** RFC 7541 section 4.2: our header blocks use no dynamic table, and say so. */
const EMPTY_TABLE = Uint8Array.of(0x20)

/** A request. */
export interface Http2Request {
  /** The header block. */
  readonly headers: Uint8Array
  /** At most 65,535 octets. */
  readonly body: Uint8Array | undefined
  /** A longer response ends the stream as `http_too_large`; at most 262,144. */
  readonly bodyOctetsMax: number
}

/** A whole response. */
export interface Http2Response {
  readonly status: number
  readonly headers: readonly Header[]
  readonly body: Uint8Array
}

/** What becomes of a request: one of the last three is called, once. */
export interface Http2Handlers {
  /** It is being written. */
  readonly onSent: () => void
  readonly onResponse: (response: Http2Response) => void
  readonly onFailure: (failure: Failure) => void
  /** It was never written and never will be on this connection. */
  readonly onReturned: () => void
}

/** A connection. */
export interface Http2Connection {
  /** Whether it takes no more requests. */
  readonly ended: boolean
  /** Grows with every frame that comes. */
  readonly framesReceived: number
  /** Begins a request, or lets it wait until the server takes one more. @returns A function that gives it up. */
  start(request: Http2Request, handlers: Http2Handlers): () => void
  /** Takes no more requests and ends when nothing is in flight. */
  retire(): void
  /** Ends at once. */
  end(failure: Failure): void
}

interface Stream {
  readonly request: Http2Request
  readonly handlers: Http2Handlers
  /** What of the request's body is not written yet. */
  unsent: Uint8Array
  window: number
  status: number | undefined
  headers: readonly Header[]
  readonly body: Uint8Array[]
  bodyOctets: number
}

function makeStream(request: Http2Request, handlers: Http2Handlers): Stream {
  const unsent = request.body ?? new Uint8Array(0)
  return { request, handlers, unsent, window: 0, status: undefined, headers: [], body: [], bodyOctets: 0 }
}

/** Begins to use `connection`, which belongs to the result from here on. */
export function startHttp2(connection: Connection, clock: Clock, idleTimeoutMs: number): Http2Connection {
  return new ClientConnection(connection, clock, idleTimeoutMs)
}

class ClientConnection implements Http2Connection {
  ended = false
  framesReceived = 0
  readonly #connection: Connection
  readonly #clock: Clock
  readonly #idleTimeoutMs: number
  readonly #streams = new Map<number, Stream>()
  readonly #waiting = new Set<Stream>()
  readonly #blocks = createHeaderBlocks()
  readonly #writer: FrameWriter
  #isClosed = false
  #nextStream = 1
  #streamsMax = STREAMS_FIRST
  #streamWindow = WINDOW_FIRST_OCTETS
  #window = WINDOW_FIRST_OCTETS
  #consumedOctets = 0
  #announcesTable = true
  #idleTimer: Timer | undefined

  constructor(connection: Connection, clock: Clock, idleTimeoutMs: number) {
    this.#connection = connection
    this.#clock = clock
    this.#idleTimeoutMs = idleTimeoutMs
    this.#writer = createFrameWriter(connection, (failure) => {
      this.end(failure)
    })
    this.#writer.write(CLIENT_PREFACE)
    this.#writer.writeFrame(
      FRAME.settings,
      0,
      0,
      encodeSettings([
        [SETTING.enablePush, 0],
        [SETTING.initialWindowSize, STREAM_WINDOW_OCTETS],
        [SETTING.maxHeaderListSize, HEADER_BLOCK_OCTETS_MAX],
      ]),
    )
    this.#writer.writeFrame(FRAME.windowUpdate, 0, 0, encodeUint32(CONNECTION_WINDOW_OCTETS - WINDOW_FIRST_OCTETS))
    if (idleTimeoutMs > 0) this.#endWhenIdle()
    void readFrames(connection, (head, payload) => this.#take(head, payload)).then((failure) => {
      this.end(failure)
    })
  }

  start(request: Http2Request, handlers: Http2Handlers): () => void {
    assert(!this.ended, 'a connection that has ended takes no request')
    assert(this.#waiting.size < WAITING_MAX, 'at most 4,096 requests wait on one connection')
    const stream = makeStream(request, handlers)
    this.#idleTimer?.cancel()
    this.#waiting.add(stream)
    this.#openWaiting()
    return () => {
      this.#giveUp(stream)
    }
  }

  retire(): void {
    this.ended = true
    const returned = [...this.#waiting]
    this.#waiting.clear()
    for (const { handlers } of returned) handlers.onReturned()
    this.#endWhenIdle()
  }

  end(failure: Failure): void {
    if (this.#isClosed) return
    this.#isClosed = true
    this.ended = true
    this.#idleTimer?.cancel()
    this.#writer.stop()
    this.#connection.close()
    const failed = [...this.#streams.values()]
    this.#streams.clear()
    for (const { handlers } of failed) handlers.onFailure(failure)
    this.retire()
  }

  #endWhenIdle(): void {
    this.#idleTimer?.cancel()
    if (this.#isClosed || this.#streams.size > 0 || this.#waiting.size > 0) return
    if (this.ended || this.#idleTimeoutMs <= 0) this.end('interrupted')
    else
      this.#idleTimer = this.#clock.setTimer(this.#idleTimeoutMs, () => {
        this.end('interrupted')
      })
  }

  #openWaiting(): void {
    for (const stream of this.#waiting) {
      if (this.#streams.size >= this.#streamsMax || this.ended) return
      this.#waiting.delete(stream)
      const id = this.#nextStream
      this.#nextStream += 2
      stream.window = this.#streamWindow
      this.#streams.set(id, stream)
      const { headers } = stream.request
      const block = this.#announcesTable ? joinOctets([EMPTY_TABLE, headers]) : headers
      this.#announcesTable = false
      const flags = FLAG.endHeaders | (stream.unsent.length === 0 ? FLAG.endStream : 0)
      this.#writer.writeFrame(FRAME.headers, flags, id, block)
      this.#sendBody(id, stream)
      stream.handlers.onSent()
      if (this.#nextStream > STREAM_ID_MAX) this.retire()
    }
  }

  #sendBody(id: number, stream: Stream): void {
    while (stream.unsent.length > 0) {
      const size = Math.min(stream.unsent.length, FRAME_OCTETS_MAX, stream.window, this.#window)
      if (size <= 0) return
      const part = stream.unsent.subarray(0, size)
      stream.unsent = stream.unsent.subarray(size)
      stream.window -= size
      this.#window -= size
      this.#writer.writeFrame(FRAME.data, stream.unsent.length === 0 ? FLAG.endStream : 0, id, part)
    }
  }

  #giveUp(stream: Stream): void {
    if (this.#waiting.delete(stream)) this.#endWhenIdle()
    for (const [id, other] of this.#streams) if (other === stream) this.#reset(id, HTTP2_ERROR.cancel)
  }

  #reset(id: number, code: number): void {
    this.#writer.writeFrame(FRAME.rstStream, 0, id, encodeUint32(code))
    this.#remove(id)
  }

  #remove(id: number): void {
    if (!this.#streams.delete(id)) return
    this.#openWaiting()
    this.#endWhenIdle()
  }

  /** @returns Why the connection has to end; `undefined` when it goes on. */
  #take(head: FrameHead, payload: Uint8Array): Failure | undefined {
    this.framesReceived++
    if (this.#writer.unwrittenOctets > UNWRITTEN_OCTETS_MAX) return 'http_protocol_error'
    const isPart = head.type === FRAME.continuation
    if (isPart ? head.stream !== this.#blocks.open : this.#blocks.open !== undefined) return 'http_protocol_error'
    switch (head.type) {
      case FRAME.data:
        return this.#takeData(head, payload)
      case FRAME.headers:
        return this.#takeHeaders(head, payload)
      case FRAME.continuation:
        return this.#takeBlock(head, payload)
      case FRAME.rstStream:
        return this.#takeReset(head)
      case FRAME.settings:
        return this.#takeSettings(head, payload)
      case FRAME.ping:
        if ((head.flags & FLAG.ack) === 0) this.#writer.writeFrame(FRAME.ping, FLAG.ack, 0, payload)
        return payload.length === 8 ? undefined : 'http_protocol_error'
      case FRAME.goaway:
        this.#takeGoaway(decodeUint32(payload, 0) & 0x7fff_ffff)
        return undefined
      case FRAME.windowUpdate:
        return this.#takeWindowUpdate(head, decodeUint32(payload, 0) & 0x7fff_ffff)
      case FRAME.pushPromise:
        return 'http_protocol_error'
      default:
        return undefined
    }
  }

  #takeData(head: FrameHead, payload: Uint8Array): Failure | undefined {
    const content = unpadFrame(head, payload)
    if (content === undefined || !this.#wasOpened(head.stream)) return 'http_protocol_error'
    this.#consumedOctets += payload.length
    if (this.#consumedOctets >= CONNECTION_WINDOW_OCTETS / 2) {
      this.#writer.writeFrame(FRAME.windowUpdate, 0, 0, encodeUint32(this.#consumedOctets))
      this.#consumedOctets = 0
    }
    const stream = this.#streams.get(head.stream)
    if (stream === undefined) return undefined
    if (stream.status === undefined) return 'http_protocol_error'
    stream.bodyOctets += content.length
    if (stream.bodyOctets > stream.request.bodyOctetsMax) {
      this.#reset(head.stream, HTTP2_ERROR.cancel)
      stream.handlers.onFailure('http_too_large')
      return undefined
    }
    if (content.length > 0) stream.body.push(content.slice())
    if ((head.flags & FLAG.endStream) !== 0) this.#finish(head.stream, stream)
    return undefined
  }

  #takeHeaders(head: FrameHead, payload: Uint8Array): Failure | undefined {
    const content = unpadFrame(head, payload)
    if (content === undefined || !this.#wasOpened(head.stream)) return 'http_protocol_error'
    return this.#takeBlock(head, (head.flags & FLAG.priority) === 0 ? content : content.subarray(PRIORITY_OCTETS))
  }

  #takeBlock(head: FrameHead, part: Uint8Array): Failure | undefined {
    const whole = this.#blocks.take(head, part)
    return typeof whole === 'object' ? this.#takeHeaderList(whole.head, whole.list) : whole
  }

  #takeHeaderList({ stream: id, flags }: FrameHead, list: readonly Header[]): Failure | undefined {
    const stream = this.#streams.get(id)
    if (stream === undefined) return undefined
    const isLast = (flags & FLAG.endStream) !== 0
    if (stream.status === undefined) {
      const text = list.find(([name]) => name === ':status')?.[1] ?? ''
      if (!/^[1-5]\d\d$/.test(text)) return 'http_protocol_error'
      // 1xx comes before the response; what is not the last of it may be followed by another.
      if (text.startsWith('1')) return isLast ? 'http_protocol_error' : undefined
      stream.status = Number(text)
      stream.headers = list
    } else if (!isLast) return 'http_protocol_error'
    if (isLast) this.#finish(id, stream)
    return undefined
  }

  #finish(id: number, stream: Stream): void {
    // A server may answer before it has read the whole request.
    if (stream.unsent.length > 0) this.#reset(id, HTTP2_ERROR.none)
    else this.#remove(id)
    const { status = 0, headers, body } = stream
    stream.handlers.onResponse({ status, headers, body: joinOctets(body) })
  }

  #takeReset({ stream: id }: FrameHead): Failure | undefined {
    if (!this.#wasOpened(id)) return 'http_protocol_error'
    const stream = this.#streams.get(id)
    this.#remove(id)
    stream?.handlers.onFailure('connection_reset')
    return undefined
  }

  #takeSettings({ flags, stream }: FrameHead, payload: Uint8Array): Failure | undefined {
    const settings = decodeSettings(payload)
    if (settings === undefined || stream !== 0) return 'http_protocol_error'
    if ((flags & FLAG.ack) !== 0) return undefined
    for (const [id, value] of settings) {
      if (id === SETTING.headerTableSize) this.#announcesTable = true
      if (id === SETTING.maxConcurrentStreams) this.#streamsMax = value
      if (id === SETTING.initialWindowSize) {
        if (value > WINDOW_OCTETS_MAX) return 'http_protocol_error'
        for (const open of this.#streams.values()) open.window += value - this.#streamWindow
        this.#streamWindow = value
      }
    }
    this.#writer.writeFrame(FRAME.settings, FLAG.ack, 0, new Uint8Array(0))
    this.#sendBodies()
    this.#openWaiting()
    return undefined
  }

  /** What the server did not take fails: sending it again would be a second measurement. */
  #takeGoaway(lastStream: number): void {
    const refused = [...this.#streams].filter(([id]) => id > lastStream)
    this.ended = true
    for (const [id] of refused) this.#streams.delete(id)
    for (const [, { handlers }] of refused) handlers.onFailure('connection_reset')
    this.retire()
  }

  #takeWindowUpdate({ stream: id }: FrameHead, increment: number): Failure | undefined {
    if (increment === 0) return 'http_protocol_error'
    const stream = this.#streams.get(id)
    if (id === 0) this.#window += increment
    else if (stream !== undefined) stream.window += increment
    if (Math.max(this.#window, stream?.window ?? 0) > WINDOW_OCTETS_MAX) return 'http_protocol_error'
    this.#sendBodies()
    return undefined
  }

  #sendBodies(): void {
    for (const [id, stream] of this.#streams) if (stream.unsent.length > 0) this.#sendBody(id, stream)
  }

  /** Streams of ours have odd numbers. */
  #wasOpened(id: number): boolean {
    return id % 2 === 1 && id < this.#nextStream
  }
}
