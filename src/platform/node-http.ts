/**
 * HTTP/1.1 from Node, one connection for each request.
 *
 * Names are looked up by the system, because only addresses that the operator configured come this way.
 *
 * Invariant: every exchange ends by its time-out, and what is held of a response is bounded.
 *
 * Sources: node:http, node:https.
 */
import { request as requestHttp, type ClientRequest, type IncomingMessage, type RequestOptions } from 'node:http'
import { request as requestHttps } from 'node:https'
import { assert } from '../core/assert.ts'
import type { Failure, Operation } from '../model/failure.ts'
import type { HttpClient, HttpFailure, HttpRequest, HttpResponse } from '../net/http-client.ts'
import { errorCode } from './node-failure.ts'
import { tlsFailureOf } from './node-tls.ts'

/** What a service sends beside its body is short; Node's own default. */
const HEADER_OCTETS_MAX = 16_384

/** HTTP of the machine. */
export const nodeHttp: HttpClient = { request: (request) => new Exchange(request).outcome }

class Exchange {
  readonly outcome: Promise<HttpResponse | HttpFailure>
  readonly #request: HttpRequest
  readonly #startedAtMs = performance.now()
  readonly #chunks: Uint8Array[] = []
  #length = 0
  #operation: Operation = 'connect'
  #mayBeDelivered = false
  #settle: (outcome: HttpResponse | HttpFailure) => void = () => {}

  constructor(request: HttpRequest) {
    this.#request = request
    const url = new URL(request.url)
    assert(url.protocol === 'http:' || url.protocol === 'https:', 'a request is for http: or https:')
    this.outcome = new Promise((resolve) => {
      this.#settle = resolve
    })
    this.#start(url)
  }

  #start(url: URL): void {
    const { body, timeoutMs, signal } = this.#request
    if (signal?.aborted === true) {
      this.#settle(this.#failed('interrupted'))
      return
    }
    const client = open(url, this.#request)
    const end = (outcome: HttpResponse | HttpFailure): void => {
      clearTimeout(timeout)
      signal?.removeEventListener('abort', abort)
      this.#settle(outcome)
      client.destroy()
    }
    const abort = (): void => {
      end(this.#failed('interrupted'))
    }
    const timeout = setTimeout(() => {
      end(this.#failed('generic_timeout_error'))
    }, timeoutMs)
    signal?.addEventListener('abort', abort)
    this.#followSteps(client, url.protocol === 'https:')
    client.on('error', (error) => {
      end(this.#failed(httpFailureOf(error)))
    })
    client.once('response', (response) => {
      this.#receive(response, end)
    })
    client.end(body)
  }

  /** Octets of the request leave when the connection stands: at once for TCP, after the handshake for TLS. */
  #followSteps(client: ClientRequest, isTls: boolean): void {
    const ready = (): void => {
      this.#operation = 'exchange'
      this.#mayBeDelivered = true
    }
    client.once('socket', (socket) => {
      socket.setNoDelay(true)
      socket.once('connect', () => {
        if (isTls) this.#operation = 'tls_handshake'
        else ready()
      })
      socket.once('secureConnect', ready)
    })
  }

  #receive(response: IncomingMessage, end: (outcome: HttpResponse | HttpFailure) => void): void {
    response.on('data', (chunk: Uint8Array) => {
      this.#length += chunk.length
      if (this.#length > this.#request.bodyOctetsMax) end(this.#failed('http_too_large'))
      else this.#chunks.push(chunk)
    })
    response.once('error', (error) => {
      end(this.#failed(httpFailureOf(error)))
    })
    response.once('end', () => {
      end({
        kind: 'response',
        status: response.statusCode ?? 0,
        headers: joinHeaders(response),
        body: this.#joinBody(),
        elapsedMs: performance.now() - this.#startedAtMs,
      })
    })
    response.once('close', () => {
      // After `end` this settles nothing: a promise is settled once.
      end(this.#failed('eof_error'))
    })
  }

  #joinBody(): Uint8Array {
    const body = new Uint8Array(this.#length)
    let offset = 0
    for (const chunk of this.#chunks) {
      body.set(chunk, offset)
      offset += chunk.length
    }
    return body
  }

  #failed(failure: Failure): HttpFailure {
    const elapsedMs = performance.now() - this.#startedAtMs
    return {
      kind: 'failure',
      operation: this.#operation,
      failure,
      mayBeDelivered: this.#mayBeDelivered,
      elapsedMs,
    }
  }
}

function open(url: URL, { method, headers = {}, body, authorities }: HttpRequest): ClientRequest {
  const options: RequestOptions = {
    method,
    // A connection that is kept would be used again after the server closed it, which is a hidden retry.
    agent: false,
    maxHeaderSize: HEADER_OCTETS_MAX,
    headers: { ...headers, ...(body === undefined ? {} : { 'Content-Length': String(body.length) }) },
  }
  if (url.protocol === 'http:') return requestHttp(url, options)
  return requestHttps(url, {
    ...options,
    minVersion: 'TLSv1.2',
    ...(authorities === undefined ? {} : { ca: authorities }),
  })
}

function joinHeaders({ headers }: IncomingMessage): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name, Array.isArray(value) ? value.join(', ') : (value ?? '')]),
  )
}

function httpFailureOf(error: Error): Failure {
  const code = errorCode(error)
  if (code === 'HPE_HEADER_OVERFLOW') return 'http_too_large'
  if (code.startsWith('HPE_')) return 'http_protocol_error'
  if (code === 'ENOTFOUND' || code.startsWith('EAI_')) return 'dns_lookup_error'
  // Node's words for a connection that ended before the response was whole.
  if (code === 'ECONNRESET' && /socket hang up|aborted/.test(error.message)) return 'eof_error'
  return tlsFailureOf(error)
}
