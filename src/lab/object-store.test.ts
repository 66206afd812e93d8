import { AwsV4Signer } from 'aws4fetch'
import { describe, expect, test } from 'vitest'
import { nodeClock } from '../platform/node-clock.ts'
import { startObjectStore, type ObjectStoreOptions } from './object-store.ts'

const KEYS = { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY' }
const OPTIONS: ObjectStoreOptions = { ...KEYS, region: 'us-east-1', bucket: 'bucket', clock: nodeClock }
const EMPTY = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'
const ABC = 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad'

interface Call {
  readonly method?: string
  readonly path: string
  readonly body?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly signer?: Partial<ConstructorParameters<typeof AwsV4Signer>[0]>
  /** Changes what was signed. */
  readonly tamper?: (headers: Headers) => void
}

async function call(
  url: string,
  { method = 'GET', path, body, headers = {}, signer = {}, tamper }: Call,
): Promise<Response> {
  const hash = body === 'abc' ? ABC : EMPTY
  const signed = await new AwsV4Signer({
    method,
    url: `${url}${path}`,
    headers: { 'x-amz-content-sha256': hash, ...headers },
    service: 's3',
    region: 'us-east-1',
    ...KEYS,
    ...signer,
  }).sign()
  const sent = new Headers(signed.headers)
  tamper?.(sent)
  return fetch(signed.url, { method, headers: sent, ...(body === undefined ? {} : { body }) })
}

describe('startObjectStore', () => {
  test('puts, reads, lists and deletes', async () => {
    await using store = await startObjectStore(OPTIONS)
    const put = {
      method: 'PUT',
      path: '/bucket/a/b.json',
      body: 'abc',
      headers: { 'cache-control': 'no-store', 'x-amz-meta-sha256': ABC },
    }
    expect((await call(store.url, put)).status).toBe(200)
    const head = await call(store.url, { method: 'HEAD', path: '/bucket/a/b.json' })
    expect([head.status, head.headers.get('x-amz-meta-sha256'), head.headers.get('cache-control')]).toEqual([
      200,
      ABC,
      'no-store',
    ])
    expect(head.headers.get('etag')).toBe('"900150983cd24fb0d6963f7d28e17f72"')
    expect(await (await call(store.url, { path: '/bucket/a/b.json' })).text()).toBe('abc')
    const part = await call(store.url, { path: '/bucket/a/b.json', headers: { range: 'bytes=1-9' } })
    expect([part.status, await part.text(), part.headers.get('content-range')]).toEqual([206, 'bc', 'bytes 1-2/3'])
    const list = await (await call(store.url, { path: '/bucket?list-type=2&prefix=a%2F' })).text()
    expect(list).toContain('<Key>a%2Fb.json</Key>')
    expect((await call(store.url, { method: 'DELETE', path: '/bucket/a/b.json' })).status).toBe(204)
    expect((await call(store.url, { path: '/bucket/a/b.json' })).status).toBe(404)
    expect(store.requests.map(({ method, status }) => `${method} ${status}`).at(-1)).toBe('GET 404')
  })

  test('lists in pages', async () => {
    await using store = await startObjectStore(OPTIONS)
    for (const key of ['a', 'b', 'c']) await call(store.url, { method: 'PUT', path: `/bucket/${key}` })
    const first = await (await call(store.url, { path: '/bucket?list-type=2&max-keys=2' })).text()
    expect(first).toContain('<IsTruncated>true</IsTruncated><NextContinuationToken>b</NextContinuationToken>')
    const second = await (await call(store.url, { path: '/bucket?list-type=2&max-keys=2&continuation-token=b' })).text()
    expect(second).toContain('<Key>c</Key>')
    expect(second).not.toContain('<Key>b</Key>')
  })

  test.each<readonly [string, number, string, Omit<Call, 'path'>]>([
    ['no signature', 403, 'AccessDenied', { tamper: (headers) => headers.delete('authorization') }],
    ['a wrong secret', 403, 'SignatureDoesNotMatch', { signer: { secretAccessKey: 'wrong' } }],
    ['an unknown key', 403, 'InvalidAccessKeyId', { signer: { accessKeyId: 'OTHER' } }],
    ['another region', 403, 'AuthorizationHeaderMalformed', { signer: { region: 'nyc3' } }],
    ['another service', 403, 'AuthorizationHeaderMalformed', { signer: { service: 'ec2' } }],
    ['an old date', 403, 'RequestTimeTooSkewed', { signer: { datetime: '20200101T000000Z' } }],
    [
      'a header that was not signed',
      403,
      'AccessDenied',
      {
        tamper: (headers) => {
          headers.set('x-amz-meta-x', '1')
        },
      },
    ],
    [
      'a header that was changed',
      403,
      'SignatureDoesNotMatch',
      {
        headers: { 'x-amz-meta-x': '1' },
        tamper: (headers) => {
          headers.set('x-amz-meta-x', '2')
        },
      },
    ],
    ['another body', 403, 'XAmzContentSHA256Mismatch', { body: 'xyz' }],
    [
      'no hash of the body',
      403,
      'XAmzContentSHA256Mismatch',
      { headers: { 'x-amz-content-sha256': 'UNSIGNED-PAYLOAD' } },
    ],
    ['a wrong checksum', 400, 'BadDigest', { body: 'abc', headers: { 'content-md5': '1B2M2Y8AsgTpgAmY7PhCfg==' } }],
  ])('refuses %s', async (_name, status, code, changes) => {
    await using store = await startObjectStore(OPTIONS)
    const response = await call(store.url, { method: 'PUT', path: '/bucket/x', body: 'abc', ...changes })
    expect([response.status, /<Code>(\w+)</.exec(await response.text())?.[1]]).toEqual([status, code])
    expect(store.objects.size).toBe(0)
  })

  test('lets everybody read when it is public, and nobody write or list', async () => {
    await using store = await startObjectStore({ ...OPTIONS, isPublic: true })
    await call(store.url, { method: 'PUT', path: '/bucket/x', body: 'abc' })
    expect(await (await fetch(`${store.url}/bucket/x`)).text()).toBe('abc')
    expect((await fetch(`${store.url}/bucket/x`, { method: 'DELETE' })).status).toBe(403)
    expect((await fetch(`${store.url}/bucket?list-type=2`)).status).toBe(403)
  })

  test('fails on command: before and after the effect', async () => {
    const faults = ['before', 'after'] as const
    await using store = await startObjectStore({
      ...OPTIONS,
      fault: ({ number }) => {
        const when = faults[number]
        return when === undefined ? undefined : { kind: 'cut', when }
      },
    })
    await expect(call(store.url, { method: 'PUT', path: '/bucket/x', body: 'abc' })).rejects.toThrow('fetch failed')
    expect(store.objects.size).toBe(0)
    await expect(call(store.url, { method: 'PUT', path: '/bucket/x', body: 'abc' })).rejects.toThrow('fetch failed')
    expect(store.objects.size).toBe(1)
    expect(store.requests.map(({ status }) => status)).toEqual([0, 0])
  })
})

describe('findSignatureError', () => {
  test('agrees with the example in the documentation of S3', async () => {
    const { findSignatureError } = await import('./verify-signature.ts')
    const headers = {
      host: 'examplebucket.s3.amazonaws.com',
      range: 'bytes=0-9',
      'x-amz-content-sha256': EMPTY,
      'x-amz-date': '20130524T000000Z',
      authorization:
        'AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request,SignedHeaders=host;range;x-amz-content-sha256;x-amz-date,Signature=f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41',
    }
    const credentials = {
      accessKeyId: 'AKIAIOSFODNN7EXAMPLE',
      secretAccessKey: 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY',
      region: 'us-east-1',
    }
    const request = { method: 'GET', target: '/test.txt', headers, body: new Uint8Array() }
    const atMs = Date.parse('2013-05-24T00:00:00Z')
    expect(findSignatureError(request, credentials, atMs)).toBeUndefined()
    expect(findSignatureError({ ...request, target: '/test.txu' }, credentials, atMs)).toBe('SignatureDoesNotMatch')
  })
})
