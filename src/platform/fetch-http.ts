/**
 * HTTP over `fetch`, for workerd: there is no other way out of it.
 *
 * Invariant: nothing is cached, no redirect is followed, and a body is read no further than its bound.
 */
import type { Clock } from '../core/clock.ts'
import type { HttpClient, HttpFailure, HttpRequest, HttpResponse } from '../net/http-client.ts'

/** Makes a client. `authorities` of a request has no effect: the platform says whom it trusts. */
export function createFetchHttp(clock: Clock): HttpClient {
  return { request: (request) => exchange(clock, request) }
}

async function exchange(clock: Clock, request: HttpRequest): Promise<HttpResponse | HttpFailure> {
  const startMs = clock.nowMs()
  const elapsed = (): number => Math.max(0, clock.nowMs() - startMs)
  const fail = (failure: HttpFailure['failure']): HttpFailure => ({
    kind: 'failure',
    operation: 'exchange',
    failure,
    mayBeDelivered: true,
    elapsedMs: elapsed(),
  })
  const timeout = AbortSignal.timeout(request.timeoutMs)
  try {
    const response = await fetch(request.url, {
      method: request.method,
      headers: { ...request.headers },
      redirect: 'manual',
      cache: 'no-store',
      signal: request.signal === undefined ? timeout : AbortSignal.any([timeout, request.signal]),
      ...(request.body === undefined ? {} : { body: request.body.slice() }),
    })
    const body = await readBody(response, request.bodyOctetsMax)
    if (body === undefined) return fail('http_too_large')
    const headers = Object.fromEntries([...response.headers].map(([name, value]) => [name.toLowerCase(), value]))
    return { kind: 'response', status: response.status, headers, body, elapsedMs: elapsed() }
  } catch {
    // What the runtime says about a failure names the address, and nothing that a program could tell apart.
    if (request.signal?.aborted === true) return fail('interrupted')
    return fail(timeout.aborted ? 'generic_timeout_error' : 'connection_aborted')
  }
}

async function readBody(response: Response, octetsMax: number): Promise<Uint8Array | undefined> {
  const chunks: Uint8Array[] = []
  let length = 0
  const reader = response.body?.getReader()
  for (;;) {
    const part = await reader?.read()
    if (part === undefined || part.done) break
    length += part.value.length
    if (length > octetsMax) {
      await reader?.cancel()
      return undefined
    }
    chunks.push(part.value)
  }
  const body = new Uint8Array(length)
  let at = 0
  for (const chunk of chunks) {
    body.set(chunk, at)
    at += chunk.length
  }
  return body
}
