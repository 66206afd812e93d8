/**
 * Makes routes of operations: rights to give orders, checks, caching, and the same errors everywhere.
 *
 * Invariant: nothing of a request reaches a handler that its schemas have not let through, and no body is read of a
 * request that may not give orders.
 *
 * Sources: RFC 9110 (methods, validators), RFC 9111 (caching), the Fetch standard (CORS).
 */
import type { Context, Hono } from 'hono'
import type { z } from 'zod'
import type { Clock } from '../core/clock.ts'
import { findNearestName } from '../core/nearest-name.ts'
import type { AccessGuard } from './access.ts'
import type { Handled, Operation, Refusal } from './operation.ts'
import { refuse } from './operation.ts'
import { createProblemResponse } from './problem.ts'
import { readJsonBody } from './read-json-body.ts'
import { originOf } from './request-origin.ts'

/** What every route needs. */
export interface MountParts {
  readonly access: AccessGuard
  readonly clock: Clock
}

const CLOSED = 'max-age=31536000, immutable'

/** Adds a route for each operation, and for each of their addresses what answers other methods. */
export function mountOperations(app: Hono, operations: readonly Operation[], parts: MountParts): void {
  for (const operation of operations) {
    app.on(operation.method, toRoutePath(operation.path), (context) => answer(operation, context, parts))
  }
  for (const [path, ofPath] of Map.groupBy(operations, (operation) => operation.path)) {
    const methods = ofPath.flatMap(({ method }) => (method === 'GET' ? ['GET', 'HEAD'] : [method]))
    app.all(toRoutePath(path), (context) => answerOtherMethod(context, methods))
  }
}

/** Lets any page read what is open to everybody; says nothing to a page that wants more. */
export function allowReading(headers: Headers): void {
  headers.set('access-control-allow-origin', '*')
  headers.set('access-control-expose-headers', 'ETag')
}

/** Answers OPTIONS with the methods of an address, and every other method with a problem. */
export function answerOtherMethod(context: Context, methods: readonly string[]): Response {
  const allow = [...methods, 'OPTIONS'].join(', ')
  if (context.req.method !== 'OPTIONS') {
    const detail = `${context.req.method.slice(0, 16)} is not answered here.`
    return createProblemResponse('method-not-allowed', detail, { allow })
  }
  const headers = new Headers({ allow, 'cache-control': 'no-store' })
  if (methods.includes('GET')) {
    allowReading(headers)
    headers.set('access-control-allow-methods', 'GET, HEAD')
    headers.set('access-control-allow-headers', 'if-none-match, last-event-id')
    headers.set('access-control-max-age', '86400')
  }
  return new Response(null, { status: 204, headers })
}

async function answer(operation: Operation, context: Context, { access, clock }: MountParts): Promise<Response> {
  const isOrder = operation.method === 'POST'
  if (isOrder) {
    const decision = await access.check('write', originOf(context), context.req.header('authorization'))
    if (!decision.granted) return createProblemResponse(decision.problem, decision.detail, decision)
  }
  const handled = await run(operation, context, clock)
  const response =
    'problem' in handled
      ? createProblemResponse(handled.problem, handled.detail)
      : await createAnswer(operation, handled, context, access.isReadProtected())
  if (!isOrder) allowReading(response.headers)
  return response
}

async function run(operation: Operation, context: Context, clock: Clock): Promise<Handled<unknown> | Refusal> {
  const path = operation.pathSchema?.safeParse(context.req.param())
  if (path?.success === false) return refuse('not-found', describeIssue(path.error, 'The address'))
  const { searchParams } = new URL(context.req.url)
  const query = checkQuery(operation.querySchema, searchParams)
  if ('problem' in query) return query
  let body: unknown
  if (operation.bodySchema !== undefined) {
    const read = await readJsonBody(context.req.raw, clock)
    if (!read.ok) return refuse(read.problem, read.detail)
    const parsed = operation.bodySchema.safeParse(read.value)
    if (!parsed.success) return refuse('bad-body', describeIssue(parsed.error, 'The body'))
    body = parsed.data
  }
  return operation.handle({ path: path?.data, query: query.values, parameters: searchParams, body })
}

function checkQuery(
  schema: z.ZodObject | undefined,
  parameters: URLSearchParams,
): { readonly values: unknown } | Refusal {
  const known = Object.keys(schema?.shape ?? {})
  const given: Record<string, string> = {}
  for (const [name, value] of parameters) {
    if (!known.includes(name)) {
      const nearest = findNearestName(name, known)
      const hint = nearest === undefined ? '' : ` Did you mean ${nearest}?`
      return refuse('bad-parameter', `There is no parameter ${quote(name)}.${hint}`)
    }
    if (Object.hasOwn(given, name)) return refuse('bad-parameter', `The parameter ${name} is there twice.`)
    given[name] = value
  }
  // An empty value is an empty field of a form: not set.
  const filled = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== ''))
  const parsed = schema?.safeParse(filled)
  if (parsed?.success === false) return refuse('bad-parameter', describeIssue(parsed.error, 'The query'))
  return { values: parsed?.data ?? {} }
}

/** One sentence about the first thing that is wrong. Never repeats a value: it may be anything. */
function describeIssue(error: z.ZodError, what: string): string {
  const [issue] = error.issues
  const place = issue?.path.map(String).join('.') ?? ''
  const where = place === '' ? what : `${what}, ${quote(place)}`
  return `${where}: ${(issue?.message ?? 'not understood').slice(0, 200)}.`
}

function quote(name: string): string {
  return `"${name.slice(0, 60).replaceAll(/[^\x20-\x7E]|["\\]/g, '?')}"`
}

async function createAnswer(
  operation: Operation,
  handled: Handled<unknown>,
  context: Context,
  isProtected: boolean,
): Promise<Response> {
  const text = JSON.stringify(handled.body)
  const headers = new Headers({
    'content-type': 'application/json; charset=utf-8',
    'cache-control': handled.isClosed === true ? `${isProtected ? 'private' : 'public'}, ${CLOSED}` : 'no-store',
  })
  if (handled.location !== undefined) headers.set('location', handled.location)
  if (handled.isClosed !== true) return new Response(text, { status: operation.status, headers })
  const etag = await createEtag(text)
  headers.set('etag', etag)
  if (!matchesEtag(context.req.header('if-none-match'), etag)) return new Response(text, { headers })
  headers.delete('content-type')
  return new Response(null, { status: 304, headers })
}

async function createEtag(text: string): Promise<string> {
  const octets = new Uint8Array(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text)))
  return `"${Array.from(octets.subarray(0, 16), (octet) => octet.toString(16).padStart(2, '0')).join('')}"`
}

/** RFC 9110 section 13.1.2: weak comparison. */
function matchesEtag(header: string | undefined, etag: string): boolean {
  if (header === undefined) return false
  return header.trim() === '*' || header.split(',').some((candidate) => candidate.trim().replace(/^W\//, '') === etag)
}

/** `/runs/{run_id}` as hono writes it, `/runs/:run_id`. */
function toRoutePath(path: string): string {
  return path.replaceAll(/\{(\w+)\}/g, ':$1')
}
