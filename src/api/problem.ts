/**
 * Errors for programs: problem details with a stable type, and a page that says what each type means.
 *
 * Sources: RFC 9457.
 */

/** What can be wrong with a request. The name is the last part of the type, `/problems/not-found`. */
export type ProblemName =
  | 'bad-parameter'
  | 'not-found'
  | 'method-not-allowed'
  | 'wrong-host'
  | 'too-many-streams'
  | 'internal'

/** Status, title and meaning of one type of problem. */
export interface ProblemType {
  readonly status: 400 | 404 | 405 | 421 | 500 | 503
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
  'not-found': {
    status: 404,
    title: 'There is nothing here',
    meaning: 'The address is wrong, or what it names does not exist (yet).',
  },
  'method-not-allowed': {
    status: 405,
    title: 'Only GET and HEAD are answered',
    meaning: 'This server shows runs. It takes no orders over HTTP.',
  },
  'wrong-host': {
    status: 421,
    title: 'The Host header does not name this server',
    meaning: 'Use 127.0.0.1 or localhost. Other names are refused, so that no web page can reach in by DNS rebinding.',
  },
  'too-many-streams': {
    status: 503,
    title: 'All event streams are taken',
    meaning: 'Close one, or try again later. Pages work without.',
  },
  internal: {
    status: 500,
    title: 'This request met a bug',
    meaning: 'The log of the program says more.',
  },
}

/** Makes the answer that tells a program what was wrong. `detail` is one sentence about this request. */
export function createProblemResponse(name: ProblemName, detail: string): Response {
  const { status, title } = PROBLEMS[name]
  const body = JSON.stringify({ type: `/problems/${name}`, title, status, detail })
  const headers = new Headers({
    'content-type': 'application/problem+json; charset=utf-8',
    'cache-control': 'no-store',
  })
  if (status === 405) headers.set('allow', 'GET, HEAD')
  if (status === 503) headers.set('retry-after', '10')
  return new Response(body, { status, headers })
}
