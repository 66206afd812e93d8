/**
 * What every request passes before anything looks at its path: method, Host header, and the headers of the answer.
 *
 * Invariant: no answer lets a browser run or load anything that this server did not send. There is no inline script or
 * style, so the policy needs no exception.
 *
 * Sources: RFC 9110 section 15.5.20 (421), W3C CSP level 3.
 */
import type { MiddlewareHandler } from 'hono'
import type { AccessGuard } from './access.ts'
import type { OwnerReach } from './owner-reach.ts'
import { createProblemResponse } from './problem.ts'
import { originOf } from './request-origin.ts'
import type { RequestCounter } from './request-counter.ts'

const CONTENT_SECURITY_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self'",
  "connect-src 'self'",
  "form-action 'self'",
  "base-uri 'none'",
  "frame-ancestors 'none'",
].join('; ')

const SECURITY_HEADERS: readonly (readonly [string, string])[] = [
  ['content-security-policy', CONTENT_SECURITY_POLICY],
  ['x-content-type-options', 'nosniff'],
  ['x-frame-options', 'DENY'],
  ['referrer-policy', 'no-referrer'],
  ['cross-origin-opener-policy', 'same-origin'],
  ['cross-origin-resource-policy', 'same-origin'],
  ['permissions-policy', 'camera=(), geolocation=(), microphone=()'],
]

/** Where other methods than reading ones are looked at. */
const ORDER_PATHS = /^\/(?:api\/.*|check|incidents\/monitor-[0-9a-f-]+\/acknowledge)$/

/**
 * Makes the guard.
 *
 * @param hosts - Host names that are answered besides the loopback ones, lower case, without port; asked at each request.
 */
export function createRequestGuard(hosts: () => readonly string[]): MiddlewareHandler {
  return async (context, next) => {
    const { method } = context.req
    const host = parseHost(context.req.header('host') ?? new URL(context.req.url).host)
    if (host === undefined || !(isLoopbackName(host) || hosts().includes(host))) {
      context.res = createProblemResponse(
        'wrong-host',
        'This server answers to 127.0.0.1, [::1], localhost and the names it was given.',
      )
    } else if (method === 'GET' || method === 'HEAD' || ORDER_PATHS.test(context.req.path)) {
      await next()
    } else {
      context.res = createProblemResponse('method-not-allowed', `${method.slice(0, 16)} is not answered here.`)
    }
    for (const [name, value] of SECURITY_HEADERS) context.res.headers.set(name, value)
  }
}

/**
 * Makes what stands before everything that is read, pages and files included, where reading needs a token. Whether the
 * process is alive is told to everybody.
 */
export function createReadGuard(access: AccessGuard, reach: OwnerReach): MiddlewareHandler {
  return async (context, next) => {
    const { method, path } = context.req
    const isReading = method === 'GET' || method === 'HEAD'
    if (!isReading || path === '/healthz' || !access.isReadProtected()) {
      await next()
      return
    }
    const decision = await access.check('read', originOf(context), context.req.header('authorization'))
    if (!decision.granted) context.res = createProblemResponse(decision.problem, decision.detail, decision)
    else if (decision.owner === undefined || (await reach(new URL(context.req.url), decision.owner))) await next()
    else context.res = createProblemResponse('not-allowed', `The token reads what belongs to ${decision.owner}.`)
  }
}

/** Makes what counts every answer. */
export function createCountingGuard(requests: RequestCounter): MiddlewareHandler {
  return async (context, next) => {
    await next()
    requests.add(context.req.path, context.res.status)
  }
}

/** @returns The host without port, lower case; `undefined` when the header is malformed. */
function parseHost(header: string): string | undefined {
  return /^(\[[0-9a-f:.]{2,45}\]|[a-z0-9.-]{1,253})(?::\d{1,5})?$/.exec(header.toLowerCase())?.[1]
}

function isLoopbackName(host: string): boolean {
  return host === 'localhost' || host === '[::1]' || /^127(?:\.\d{1,3}){3}$/.test(host)
}
