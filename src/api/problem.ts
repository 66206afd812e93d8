/**
 * Errors for programs: problem details with a stable type, and a page that says what each type means.
 *
 * Sources: RFC 9457, RFC 9110, RFC 6585.
 */

/** What can be wrong with a request. The name is the last part of the type, `/problems/not-found`. */
export type ProblemName =
  | 'bad-parameter'
  | 'bad-body'
  | 'token-needed'
  | 'not-allowed'
  | 'not-found'
  | 'method-not-allowed'
  | 'body-too-slow'
  | 'busy'
  | 'body-too-large'
  | 'unsupported-type'
  | 'wrong-host'
  | 'too-many-requests'
  | 'internal'
  | 'too-many-streams'
  | 'unavailable'

/** Status, title and meaning of one type of problem. */
export interface ProblemType {
  readonly status: 400 | 401 | 403 | 404 | 405 | 408 | 409 | 413 | 415 | 421 | 429 | 500 | 503
  readonly title: string
  /** What it means and what to do, in a sentence or two. */
  readonly meaning: string
}

/** Every type of problem. */
export const PROBLEMS: Readonly<Record<ProblemName, ProblemType>> = {
  'bad-parameter': {
    status: 400,
    title: 'A query parameter has no such value',
    meaning: 'The detail names the parameter. Nothing is guessed, because a filter that is ignored gives wrong data.',
  },
  'bad-body': {
    status: 400,
    title: 'The body is not what this address takes',
    meaning: 'The detail names the field. /openapi.json has the schema of every body.',
  },
  'token-needed': {
    status: 401,
    title: 'This needs a token',
    meaning:
      'Send it as "Authorization: Bearer TOKEN". Whoever runs the server makes one with "candor tokens add NAME".',
  },
  'not-allowed': {
    status: 403,
    title: 'The token does not allow this',
    meaning: 'A token for reading does not write. "candor tokens add NAME --write" makes one that does.',
  },
  'not-found': {
    status: 404,
    title: 'There is nothing here',
    meaning: 'The address is wrong, or what it names does not exist (yet).',
  },
  'method-not-allowed': {
    status: 405,
    title: 'This address does not take that method',
    meaning: 'The Allow header of the answer names those that it takes. Pages and files are only read.',
  },
  'body-too-slow': {
    status: 408,
    title: 'The body did not arrive in time',
    meaning: 'A body has ten seconds. Send it again.',
  },
  busy: {
    status: 409,
    title: 'That cannot be done just now',
    meaning: 'The detail says what goes on. One run at a time is made of each campaign.',
  },
  'body-too-large': {
    status: 413,
    title: 'The body is too large',
    meaning: 'A body has at most 65,536 octets.',
  },
  'unsupported-type': {
    status: 415,
    title: 'The body has the wrong type',
    meaning: 'Bodies are JSON: send "Content-Type: application/json".',
  },
  'wrong-host': {
    status: 421,
    title: 'The Host header does not name this server',
    meaning:
      'Use 127.0.0.1, localhost or a name of the setting serve.hosts. Other names are refused, so that no web page can reach in by DNS rebinding.',
  },
  'too-many-requests': {
    status: 429,
    title: 'Too many requests',
    meaning:
      'Wait as many seconds as the Retry-After header says. Orders and failed tokens are counted, reading is not.',
  },
  internal: {
    status: 500,
    title: 'This request met a bug',
    meaning: 'The log of the program says more.',
  },
  'too-many-streams': {
    status: 503,
    title: 'All event streams are taken',
    meaning: 'Close one, or try again later. Pages work without.',
  },
  unavailable: {
    status: 503,
    title: 'This cannot be served just now',
    meaning: 'The detail says why. It is worth another try.',
  },
}

/** What belongs to some problems. */
export interface ProblemParts {
  /** Methods that the address takes, for 405. */
  readonly allow?: string
  /** When to try again, in seconds; 10 where another try is worth it and nothing is said. */
  readonly retryAfterSeconds?: number | undefined
}

/** Makes the answer that tells a program what was wrong. `detail` is one sentence about this request. */
export function createProblemResponse(name: ProblemName, detail: string, parts: ProblemParts = {}): Response {
  const { status, title } = PROBLEMS[name]
  const body = JSON.stringify({ type: `/problems/${name}`, title, status, detail })
  const headers = new Headers({
    'content-type': 'application/problem+json; charset=utf-8',
    'cache-control': 'no-store',
  })
  if (status === 401) headers.set('www-authenticate', 'Bearer realm="candor", Basic realm="candor", charset="UTF-8"')
  if (status === 405) headers.set('allow', parts.allow ?? 'GET, HEAD')
  if (status === 429 || status === 503) headers.set('retry-after', String(parts.retryAfterSeconds ?? 10))
  return new Response(body, { status, headers })
}
