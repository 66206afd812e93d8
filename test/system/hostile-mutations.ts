/** Requests that are almost right: a seed gives the same ones again. */
import { createSeededRandom, randomInt, type Random } from '../../src/core/random.ts'
import { formatRequest } from './hostile-client.ts'

/** One request, with the statuses that are right for it. */
export interface HostileRequest {
  readonly octets: string
  readonly right: readonly number[]
}

const FINGERPRINT = 'ABCDEF0123456789ABCDEF0123456789ABCDEF01'
const PATHS = [
  '/',
  '/exits',
  `/exits/${FINGERPRINT}`,
  '/how/servfail-class',
  '/problems/not-found',
  '/assets/candor.css',
  '/latest.json',
  '/files.json',
  '/dnshealth_20261120_221806.json',
  '/archives/2026-01.tar.gz',
  '/api/v1/runs?limit=5',
  '/api/v1/runs/20261120221806',
  '/api/v1/runs/20261120221806/stop',
  '/api/v1/exits?status=failing&sort=latency&order=desc&limit=10',
  `/api/v1/exits?cursor=a${FINGERPRINT}`,
  '/api/v1/exits/groups?by=as',
  `/api/v1/exits/${FINGERPRINT}/points`,
  `/api/v1/observations?fingerprint=${FINGERPRINT}`,
  '/api/v1/findings',
  '/api/v1/health?days=30',
  '/api/v1/incidents?status=open',
  '/api/v1/alerts/deliveries?state=dead',
  '/api/v1/measurements',
  '/api/v1/runs',
  '/api/v1/runs',
  '/api/v1/measurements/m1',
  '/api/status',
  `/latest/${FINGERPRINT}`,
  '/metrics',
  '/readyz',
  '/healthz',
  '/openapi.json',
]
const METHODS = [
  'GET',
  'GET',
  'GET',
  'HEAD',
  'POST',
  'POST',
  'POST',
  'PUT',
  'DELETE',
  'PATCH',
  'OPTIONS',
  'TRACE',
  'PROPFIND',
]
const PIECES = [
  '../',
  '..%2f',
  '%2e%2e/',
  '%252e%252e%252f',
  '..\\',
  '%00',
  '%0d%0aSet-Cookie:%20a=b',
  '//',
  '/./',
  ';',
  '%',
  '%zz',
  '%c0%ae%c0%ae/',
  '%ff',
  '\u00e9',
  '?',
  '&',
  '=',
  '#',
  '[]',
  '[0]=',
  '__proto__',
  'constructor',
  "' OR 1=1 --",
  '<script>alert(1)</script>',
  '${7*7}',
  '{{7*7}}',
  '|id',
  '$(id)',
  'etc/passwd',
  'tokens.json',
  'candor.sock',
  'history.db',
  '.git/config',
  'A'.repeat(300),
]
const HEADERS: readonly (readonly [string, string])[] = [
  ['X-Forwarded-For', '127.0.0.1'],
  ['X-Forwarded-Host', 'evil.example'],
  ['X-Original-URL', '/api/v1/runs'],
  ['X-HTTP-Method-Override', 'POST'],
  ['X-Candor-Owner', 'true'],
  ['Authorization', 'Bearer candor_wrong'],
  ['Authorization', `Basic ${btoa('a:b')}`],
  ['Authorization', 'Bearer '.repeat(50)],
  ['If-None-Match', '*'],
  ['If-None-Match', '"'.repeat(500)],
  ['Last-Event-ID', '20261120221806.99999999999999'],
  ['Accept-Encoding', 'gzip;q=NaN, *;q=1e999'],
  ['Range', 'bytes=0-,0-,0-,0-'],
  ['Content-Type', 'application/json'],
  ['Content-Type', 'text/plain'],
  ['Content-Encoding', 'gzip'],
  ['Cookie', 'a=b; '.repeat(100)],
  ['Expect', '100-continue'],
  ['Upgrade', 'h2c'],
  ['Upgrade', 'websocket'],
  ['Origin', 'https://evil.example'],
  ['Content-Length', '5'],
  ['Transfer-Encoding', 'chunked'],
  ['Transfer-Encoding', 'identity, chunked, chunked'],
]
const BODIES = [
  '',
  '',
  '{}',
  '{',
  '[]',
  'null',
  '{"campaign":"exits"}',
  '{"__proto__":{"a":1}}',
  '['.repeat(5_000),
  '\0',
]
/** What a server may say to whatever comes: never that it met a bug, never that an order was taken. */
const ANY_RIGHT = [200, 204, 301, 302, 303, 304, 400, 401, 404, 405, 408, 413, 415, 417, 421, 426, 429, 431, 503, 505]
/** No answer at all is right where the request ends in the middle, or asks for another protocol. */
const SILENCE = 0

/** Makes `count` requests. */
export function* mutateRequests(seed: string, count: number): Generator<HostileRequest> {
  const random = createSeededRandom(seed)
  for (let made = 0; made < count; made++) {
    yield randomInt(random, 10) < 3 ? breakOctets(random) : changeParts(random)
  }
}

/** A request that is well formed, about something that is not there. */
function changeParts(random: Random): HostileRequest {
  let target = pick(random, PATHS)
  for (let change = randomInt(random, 4); change > 0; change--) {
    const at = randomInt(random, target.length + 1)
    target = target.slice(0, at) + pick(random, PIECES) + target.slice(at + randomInt(random, 4))
  }
  target = `/${target.replace(/^\/+/, '').replaceAll(/[\s#]/g, '+')}`
  const method = pick(random, METHODS)
  const headers = Array.from({ length: randomInt(random, 4) }, () => pick(random, HEADERS))
  return { octets: formatRequest(method, target, headers, pick(random, BODIES)), right: [...ANY_RIGHT, SILENCE] }
}

/** A request some octets of which are others. */
function breakOctets(random: Random): HostileRequest {
  let octets = formatRequest(pick(random, METHODS), pick(random, PATHS), [pick(random, HEADERS)], pick(random, BODIES))
  for (let change = 1 + randomInt(random, 8); change > 0; change--) {
    const at = randomInt(random, octets.length)
    const removed = randomInt(random, 3)
    octets = octets.slice(0, at) + String.fromCharCode(randomInt(random, 256)) + octets.slice(at + removed)
  }
  // Otherwise a request that lost its last line would be waited for.
  return { octets: `${octets}\r\n\r\n`, right: [...ANY_RIGHT, SILENCE] }
}

function pick<T>(random: Random, values: readonly T[]): T {
  return values[randomInt(random, values.length)] as T
}
