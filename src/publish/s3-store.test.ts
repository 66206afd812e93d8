import { describe, expect, test } from 'vitest'
import type { Clock } from '../core/clock.ts'
import { createSeededRandom } from '../core/random.ts'
import type { HttpClient, HttpFailure, HttpRequest, HttpResponse } from '../net/http-client.ts'
import { nodeClock } from '../platform/node-clock.ts'
import type { ObjectStore } from './object-store.ts'
import { createS3Store } from './s3-store.ts'

const KEYS = { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'a-secret-that-nobody-may-see' }
const NAME = 'dnshealth_20260131_120000.json'

type Answer = Partial<HttpResponse> | HttpFailure['failure']

/** A store whose answers are scripted; the last one is repeated. Pauses are noted and pass at once. */
function openScripted(
  answers: readonly Answer[],
  attempts = 1,
): {
  readonly store: ObjectStore
  readonly requests: HttpRequest[]
  readonly pausesMs: number[]
} {
  const requests: HttpRequest[] = []
  const pausesMs: number[] = []
  const http: HttpClient = {
    request: (request) => {
      const answer = answers[Math.min(requests.length, answers.length - 1)] ?? {}
      requests.push(request)
      const failure = { kind: 'failure', operation: 'exchange', mayBeDelivered: true, elapsedMs: 1 } as const
      return Promise.resolve(
        typeof answer === 'string'
          ? { ...failure, failure: answer }
          : { kind: 'response', status: 200, headers: {}, body: new Uint8Array(), elapsedMs: 1, ...answer },
      )
    },
  }
  const clock: Clock = {
    ...nodeClock,
    wallNowMs: () => Date.parse('2026-01-31T12:00:00Z'),
    setTimer: (delayMs, callback) => {
      pausesMs.push(delayMs)
      return nodeClock.setTimer(0, callback)
    },
  }
  const signal = new AbortController().signal
  const place = { endpoint: 'https://s3.zone.example', bucket: 'results', region: 'nyc3', prefix: 'exits/' }
  const store = createS3Store(
    { http, clock, random: createSeededRandom('seed'), signal },
    { name: 'own', ...place, acl: 'public-read', authorities: null, attempts, timeoutMs: 1000 },
    KEYS,
  )
  return { store, requests, pausesMs }
}

function text(content: string): Pick<HttpResponse, 'body'> {
  return { body: new TextEncoder().encode(content) }
}

function list(contents: string, more = ''): Pick<HttpResponse, 'body'> {
  return text(`<?xml version="1.0"?><ListBucketResult>${more}${contents}</ListBucketResult>`)
}

function object(key: string, etag = '&quot;abc&quot;'): string {
  return `<Contents><Key>${key}</Key><ETag>${etag}</ETag><Size>7</Size></Contents>`
}

describe('createS3Store', () => {
  test('signs what it sends: time, hash of the body, and everything that is meant for the store', async () => {
    const { store, requests } = openScripted([{ headers: { etag: '"x"' } }])
    const headers = { contentType: 'application/json', cacheControl: 'no-store', contentEncoding: 'gzip' } as const
    expect(await store.put(NAME, Uint8Array.of(1), 'f'.repeat(64), headers)).toEqual({ ok: true, value: 'x' })
    const sent = requests[0]?.headers ?? {}
    expect(requests[0]).toMatchObject({ method: 'PUT', url: `https://s3.zone.example/results/exits/${NAME}` })
    expect(sent).toMatchObject({
      'x-amz-date': '20260131T120000Z',
      'x-amz-content-sha256': 'f'.repeat(64),
      'x-amz-meta-sha256': 'f'.repeat(64),
      'x-amz-acl': 'public-read',
      'content-type': 'application/json',
      'cache-control': 'no-store',
      'content-encoding': 'gzip',
    })
    expect(sent['authorization']).toMatch(
      /^AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE\/20260131\/nyc3\/s3\/aws4_request, SignedHeaders=[^,]*host[^,]*x-amz-acl;x-amz-content-sha256;x-amz-date;x-amz-meta-sha256, /,
    )
  })

  test('lists published names below its prefix, page by page, and nothing else', async () => {
    const { store, requests } = openScripted([
      list(
        object(`exits%2F${NAME}`) + object('exits%2Fsecret.json') + object(NAME) + object('other%2Flatest.json'),
        '<IsTruncated>true</IsTruncated><NextContinuationToken>a&amp;b/c=</NextContinuationToken>',
      ),
      list(
        object('exits/latest.json', '&#34;def&#34;') + object('exits%2F%ZZ') + object('exits/archives/2026-01.tar.gz'),
      ),
    ])
    const result = await store.list()
    expect(result).toEqual({
      ok: true,
      value: new Map([
        [NAME, { sizeOctets: 7, etag: 'abc' }],
        ['latest.json', { sizeOctets: 7, etag: 'def' }],
        ['archives/2026-01.tar.gz', { sizeOctets: 7, etag: 'abc' }],
      ]),
    })
    expect(new URL(requests[1]?.url ?? '').searchParams.get('continuation-token')).toBe('a&b/c=')
  })

  test.each<readonly [string, Answer, string]>([
    ['no list', text('<html>welcome to the hotel</html>'), 'the list is none'],
    ['an empty answer', {}, 'the list is none'],
    [
      'a list without end',
      list('', '<IsTruncated>true</IsTruncated><NextContinuationToken>x</NextContinuationToken>'),
      'the bucket holds too many objects',
    ],
    ['a redirect', { status: 301 }, 'GET of the list: 301'],
    ['a broken connection', 'connection_reset', 'GET of the list: connection_reset'],
  ])('says so for %s', async (_name, answer, reason) => {
    expect(await openScripted([answer]).store.list()).toMatchObject({ ok: false, reason })
  })

  test('repeats nothing of an answer but its code, since answers repeat keys', async () => {
    const echo = `<Error><Code>SignatureDoesNotMatch</Code><AWSAccessKeyId>AKIDEXAMPLE</AWSAccessKeyId><StringToSign>…</StringToSign></Error>`
    const { store } = openScripted([{ status: 403, ...text(echo) }])
    expect(await store.remove(NAME)).toMatchObject({ ok: false, reason: `DELETE ${NAME}: 403 SignatureDoesNotMatch` })
    const hostile = openScripted([{ status: 403, ...text('<Code>a\u001B[31m b</Code>') }])
    expect(await hostile.store.remove(NAME)).toMatchObject({ ok: false, reason: `DELETE ${NAME}: 403` })
  })

  test('tries again later and later, a bounded number of times', async () => {
    const { store, requests, pausesMs } = openScripted(
      [{ status: 503 }, 'eof_error', { status: 500 }, { status: 429 }],
      9,
    )
    expect(await store.readDigest(NAME)).toMatchObject({ ok: false, reason: `HEAD ${NAME}: 429` })
    expect([requests.length, pausesMs.length]).toEqual([9, 8])
    pausesMs.forEach((pauseMs, index) => {
      const most = Math.min(1000 * 2 ** index, 60_000)
      expect(pauseMs).toBeGreaterThanOrEqual(most / 2)
      expect(pauseMs).toBeLessThanOrEqual(most)
    })
  })

  test('takes what is not there for what it is', async () => {
    const { store } = openScripted([{ status: 404 }])
    expect(await store.readDigest(NAME)).toEqual({ ok: true, value: null })
    expect(await store.remove(NAME)).toEqual({ ok: true, value: null })
    const headers = { contentType: '', cacheControl: '', contentEncoding: null }
    expect(await store.put(NAME, new Uint8Array(), '', headers)).toMatchObject({
      ok: false,
      reason: `PUT ${NAME}: 404`,
    })
    const silent = openScripted([{}]).store
    expect(await silent.put(NAME, new Uint8Array(), '', headers)).toMatchObject({ ok: false })
  })
})
