/**
 * Reads the JSON body of a request: bounded in size and time.
 *
 * Invariant: never holds more than the limit and one chunk, whatever Content-Length says.
 */
import { withTimeout, type Clock } from '../core/clock.ts'
import type { ProblemName } from './problem.ts'

const BODY_OCTETS_MAX = 65_536
const BODY_DEADLINE_MS = 10_000

/** A body, or why there is none. */
export type JsonBody =
  | { readonly ok: true; readonly value: unknown }
  | { readonly ok: false; readonly problem: ProblemName; readonly detail: string }

/** Reads the body. */
export async function readJsonBody(request: Request, clock: Clock): Promise<JsonBody> {
  const type = request.headers.get('content-type') ?? ''
  if (!/^application\/json\s*(?:;\s*charset=(?:utf-8|"utf-8")\s*)?$/i.test(type))
    return refuse('unsupported-type', 'The Content-Type is not application/json.')
  if (request.headers.has('content-encoding')) return refuse('unsupported-type', 'A body has no Content-Encoding.')
  if (Number(request.headers.get('content-length') ?? '0') > BODY_OCTETS_MAX) return tooLarge()
  const octets = await readBodyOctets(request, clock)
  if (octets === 'too_large') return tooLarge()
  if (octets === 'too_slow') return refuse('body-too-slow', 'The body was not complete after ten seconds.')
  if (octets === 'broken') return refuse('bad-body', 'The body ended before its end.')
  try {
    return { ok: true, value: JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(octets)) }
  } catch {
    return refuse('bad-body', 'The body is no JSON in UTF-8.')
  }
}

function refuse(problem: ProblemName, detail: string): JsonBody {
  return { ok: false, problem, detail }
}

function tooLarge(): JsonBody {
  return refuse('body-too-large', `The body has more than ${BODY_OCTETS_MAX} octets.`)
}

/** Reads a body of any form, or says why there is none. */
export async function readBodyOctets(
  request: Request,
  clock: Clock,
): Promise<Uint8Array | 'too_large' | 'too_slow' | 'broken'> {
  const reader = request.body?.getReader()
  if (reader === undefined) return new Uint8Array()
  const endsAtMs = clock.nowMs() + BODY_DEADLINE_MS
  const octets = new Uint8Array(BODY_OCTETS_MAX)
  let length = 0
  try {
    for (;;) {
      const part = await withTimeout(clock, reader.read(), Math.max(0, endsAtMs - clock.nowMs()))
      if (part === undefined) return 'too_slow'
      if (part.done) return octets.subarray(0, length)
      if (length + part.value.length > BODY_OCTETS_MAX) return 'too_large'
      octets.set(part.value, length)
      length += part.value.length
    }
  } catch {
    return 'broken'
  } finally {
    // What is left of the body is the server's to drop; a failure of that is no news.
    reader.cancel().catch(() => {})
  }
}
