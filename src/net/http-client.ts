/**
 * HTTP as a capability, for services that the operator configured: webhooks, a bot's API, object stores.
 *
 * What asks DNS questions (DoH, page fetches of measurements) does not come this way: those have transports of their own.
 *
 * Invariant: one request is one exchange. Nothing is retried, no redirect is followed, no cookie is kept.
 *
 * Sources: RFC 9110, RFC 9112. Failures: docs/formats/failures.md
 */
import type { Failure, Operation } from '../model/failure.ts'

/** One request. */
export interface HttpRequest {
  readonly method: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'DELETE'
  /** Absolute, `http:` or `https:`. A user name and password in it become an `Authorization` header. */
  readonly url: string
  /** Names in any case. `Host` and `Content-Length` are added. */
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: Uint8Array
  /** For the whole exchange, from looking the name up to the last octet of the body, in milliseconds. */
  readonly timeoutMs: number
  /** A response with a longer body is the failure `http_too_large`. */
  readonly bodyOctetsMax: number
  /** Certificates (PEM) of the authorities that are trusted; without it those of the platform. */
  readonly authorities?: string
  /** Ends the exchange with the failure `interrupted`. */
  readonly signal?: AbortSignal
}

/** What the server answered, whatever the status. */
export interface HttpResponse {
  readonly kind: 'response'
  /** 200 to 599. */
  readonly status: number
  /** Names in lower case; a header that was sent several times has its values joined with `, `. */
  readonly headers: Readonly<Record<string, string>>
  /** Empty for HEAD. */
  readonly body: Uint8Array
  readonly elapsedMs: number
}

/** Why there is no answer. Never holds an address or a part of the URL. */
export interface HttpFailure {
  readonly kind: 'failure'
  readonly operation: Operation
  readonly failure: Failure
  /** Whether octets of the request may have reached the server: if not, it has certainly not acted on it. */
  readonly mayBeDelivered: boolean
  readonly elapsedMs: number
}

/** HTTP/1.1 over TCP or TLS. */
export interface HttpClient {
  /** Performs one exchange. Network trouble is data: the promise rejects only on a bug, such as a malformed URL. */
  request(request: HttpRequest): Promise<HttpResponse | HttpFailure>
}
