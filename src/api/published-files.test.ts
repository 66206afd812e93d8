import { describe, expect, test } from 'vitest'
import { Hono } from 'hono'
import type { PublishedSource } from '../model/published-source.ts'
import { PUBLISHED_PATH, readPublished } from './published-files.ts'

/** A directory that would hand out anything, so that only the list can refuse. */
const EVERYTHING: PublishedSource = {
  names: () => Promise.resolve([]),
  read: () => Promise.resolve(undefined),
  open: (name, acceptsGzip) => {
    const octets = new TextEncoder().encode(`content of ${name}`)
    return Promise.resolve({
      sizeOctets: octets.length,
      encoding: acceptsGzip ? ('gzip' as const) : null,
      varies: true,
      etag: '"abc"',
      read: () => Promise.resolve(octets),
    })
  },
}

async function get(path: string, init: RequestInit = {}): Promise<Response> {
  const app = new Hono()
  app.get(PUBLISHED_PATH, (context) => readPublished(EVERYTHING, context.req.param('file') ?? '', context.req.raw))
  return app.request(`http://127.0.0.1${path}`, init)
}

describe('readPublished', () => {
  test.each([
    ['/latest.json', 'application/json; charset=utf-8', 'public, max-age=60'],
    ['/files.json', 'application/json; charset=utf-8', 'public, max-age=60'],
    ['/files-all.json', 'application/json; charset=utf-8', 'public, max-age=60'],
    ['/dnshealth_20260131_120000.json', 'application/json; charset=utf-8', 'public, max-age=31536000, immutable'],
    ['/dnshealth_20260131_120000.json.gz', 'application/json; charset=utf-8', 'public, max-age=31536000, immutable'],
    ['/dns_health_2026-01-31_12-00-00.json', 'application/json; charset=utf-8', 'public, max-age=31536000, immutable'],
    ['/dns_health_20260131_120000.json', 'application/json; charset=utf-8', 'public, max-age=31536000, immutable'],
    ['/report_20260131_120000.md', 'text/markdown; charset=utf-8', 'public, max-age=31536000, immutable'],
    ['/archives/2026-01.tar.gz', 'application/gzip', 'public, max-age=31536000, immutable'],
    ['/archives/2026-01.index.json', 'application/json; charset=utf-8', 'public, max-age=60'],
  ])('hands out %s', async (path, type, cache) => {
    const response = await get(path)
    expect([response.status, response.headers.get('content-type')]).toEqual([200, type])
    expect(response.headers.get('cache-control')).toBe(cache)
    expect(response.headers.get('access-control-allow-origin')).toBe('*')
    expect(response.headers.get('etag')).toBe('"abc"')
    expect(await response.text()).toBe(`content of ${path.slice(1)}`)
  })

  test.each([
    '/candor.toml',
    '/lock.json',
    '/history.db',
    '/Latest.json',
    '/latest.json/',
    '/latest.json%00',
    '/latest.json.gz',
    '/files.json.gz',
    '/archives/latest.json',
    '/archives/2026-13.tar.gz',
    '/archives/2026-01.tar',
    '/archives%2f2026-01.tar.gz/..%2f..%2fetc%2fpasswd',
    '/x/latest.json',
    '/..%2flatest.json',
    '/%2e%2e/%2e%2e/secret.json',
    '/dnshealth_20260131_120000.json.gz.gz',
    '/dnshealth_20260131_120000.json%0a',
    '/dnshealth_２０２６0131_120000.json',
    '/result_AAAA.json',
  ])('knows no %s', async (path) => {
    expect((await get(path)).status).toBe(404)
  })

  test('answers HEAD without a body, and 304 to a reader who has it', async () => {
    const head = await get('/latest.json', { method: 'HEAD' })
    expect([head.status, head.headers.get('content-length'), await head.text()]).toEqual([200, '22', ''])
    for (const known of ['"abc"', 'W/"abc"', '"x", "abc"', '*']) {
      const response = await get('/latest.json', { headers: { 'if-none-match': known } })
      expect([response.status, response.headers.get('etag'), await response.text()]).toEqual([304, '"abc"', ''])
    }
    expect((await get('/latest.json', { headers: { 'if-none-match': '"abcd"' } })).status).toBe(200)
  })

  test.each([
    ['gzip', true],
    ['GZIP, br', true],
    ['br;q=1, gzip;q=0.1', true],
    ['*', true],
    ['gzip;q=0', false],
    ['gzip; q=0.0, *', false],
    ['identity', false],
    ['br', false],
    ['', false],
  ])('with Accept-Encoding %j sends gzip: %s', async (accept, isGzip) => {
    const response = await get('/latest.json', { headers: { 'accept-encoding': accept } })
    expect(response.headers.get('content-encoding')).toBe(isGzip ? 'gzip' : null)
    expect(response.headers.get('vary')).toBe('accept-encoding')
  })
})
