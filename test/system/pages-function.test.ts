/** The Pages function in real workerd: what is on its list, and 404 for everything else. */
import { readdir, readFile } from 'node:fs/promises'
import { request as requestHttp } from 'node:http'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { parsePublishedPath } from '../../deploy/pages/src/published-path.ts'
import { createSeededRandom } from '../../src/core/random.ts'
import { startObjectStore } from '../../src/lab/object-store.ts'
import { parsePublishedName } from '../../src/model/published-name.ts'
import { nodeClock } from '../../src/platform/node-clock.ts'
import { nodeFiles } from '../../src/platform/node-files.ts'
import { nodeHttp } from '../../src/platform/node-http.ts'
import { createS3Store } from '../../src/publish/s3-store.ts'
import { syncStores } from '../../src/publish/sync-stores.ts'
import { runRetention } from '../../src/publish/run-retention.ts'
import { tarCodec } from '../../src/publish/tar-codec.node.ts'
import { buildPagesFunction, startPagesSite, type PagesSite } from '../publish-fixtures/pages-site.ts'
import { HOME } from '../tidy/source-tree.ts'
import { keepLastingDirectories, publishYear, type PublishedYear } from '../publish-fixtures/published-year.ts'

const NOW = Date.parse('2026-07-01T03:00:00Z')

interface RawResponse {
  readonly status: number
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly body: Buffer
}

/** A request whose path goes out as it is: `fetch` would put it in order first. */
function get(url: URL, path: string, headers: Record<string, string> = {}, method = 'GET'): Promise<RawResponse> {
  return new Promise((resolve, reject) => {
    const sent = requestHttp(
      { host: url.hostname, port: url.port, path, method, headers, agent: false },
      (response) => {
        const chunks: Buffer[] = []
        response.on('data', (chunk: Buffer) => chunks.push(chunk))
        response.on('error', reject)
        response.on('end', () => {
          resolve({ status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(chunks) })
        })
      },
    )
    sent.on('error', reject)
    sent.end()
  })
}

describe('deploy/pages', () => {
  const makeLastingDirectory = keepLastingDirectories()
  let script: string
  let site: PagesSite
  let year: PublishedYear

  beforeAll(async () => {
    script = await buildPagesFunction(await makeLastingDirectory())
    site = await startPagesSite(script, 'r2:ONE/exits/')
    year = await publishYear({ endsAtMs: NOW - 3_600_000, days: 300, runsPerDay: 0.1 }, await makeLastingDirectory())
    const policy = { gzipAfterDays: 30, archiveAfterDays: 180, deleteAfterDays: 365 }
    const signal = new AbortController().signal
    await runRetention({ files: nodeFiles, codec: tarCodec, wallNowMs: NOW, signal }, year.directory, policy)
    for (const name of await readdir(year.directory, { recursive: true })) {
      if (name === 'archives') continue
      await site.put('ONE', `exits/${name}`, { octets: await readFile(join(year.directory, name)), headers: {} })
    }
    await site.put('ONE', 'exits/secret.json', { octets: Buffer.from('{}'), headers: {} })
    await site.put('ONE', 'latest.json', { octets: Buffer.from('not under the prefix'), headers: {} })
  })

  afterAll(async () => {
    await site[Symbol.asyncDispose]()
  })

  test('answers every published name as it was published, whichever form it lies in', async () => {
    const loose = new Set(await readdir(year.directory))
    for (const [name, content] of year.contents) {
      const plain = await get(site.url, `/${name}`)
      expect([name, plain.status, plain.headers['content-encoding'], plain.body.toString()]).toEqual([
        name,
        200,
        undefined,
        content,
      ])
      const packed = await get(site.url, `/${name}`, { 'accept-encoding': 'gzip' })
      const isPacked = packed.headers['content-encoding'] === 'gzip'
      expect((isPacked ? gunzipSync(packed.body) : packed.body).toString()).toBe(content)
      const cache = name === 'latest.json' ? 'public, max-age=60' : 'public, max-age=31536000, immutable'
      expect([packed.headers['cache-control'], packed.headers['access-control-allow-origin']]).toEqual([cache, '*'])
      const named = await get(site.url, `/${name}.gz`)
      const answer = named.status === 200 ? gunzipSync(named.body).toString() : named.status
      expect([name, answer]).toEqual([name, loose.has(name) ? 404 : content])
    }
    expect(loose.size).toBeLessThan(year.contents.size)
    const list = await get(site.url, '/files-all.json')
    expect(list.body.toString()).toBe(await readFile(join(year.directory, 'files-all.json'), 'utf8'))
    expect(list.headers['cache-control']).toBe('public, max-age=60')
    const [archive = ''] = await readdir(join(year.directory, 'archives'))
    const whole = await get(site.url, `/archives/${archive.replace('.index.json', '.tar.gz')}`)
    expect([whole.status, whole.headers['content-type']]).toEqual([200, 'application/gzip'])
    expect(gunzipSync(whole.body).length % 512).toBe(0)
  })

  test.each([
    '/secret.json',
    '/index.html',
    '/_headers',
    '/_routes.json',
    '/wrangler.toml',
    '/LATEST.json',
    '/Latest.JSON',
    '/latest.json/',
    '/./secret.json',
    '/x/../secret.json',
    '/%2e%2e/latest.json/x',
    '/..%2flatest.json',
    '/%2e%2e%2flatest.json',
    '/%252e%252e%252flatest.json',
    '/archives/../secret.json',
    '/archives/..%2fsecret.json',
    '/archives%2f2025-09.tar.gz',
    '/archives/2025-13.tar.gz',
    '/archives/2025-09.tar',
    '/archives/',
    '/latest%2ejson',
    '/%6catest.json',
    '/latest.json%00',
    '/latest.json%0a',
    '/latest.json%20',
    '/latest.json;x',
    '/latest.json.gz',
    '/ｌatest.json',
    '/%EF%BD%8Catest.json',
    '/dnshealth_20260630_020000.json.gz.gz',
    '/dnshealth_20260630_020000.json/../secret.json',
    '/dnshealth_2026063_020000.json',
    '/dnshealth_20260630_020000.html',
    '/report_20260630_020000.json',
    '/result_AAAA.json',
    '/candor.toml',
    '/.candor/lock.db',
    `/${'a'.repeat(5000)}`,
  ])('answers 404 for %s', async (path) => {
    const encoded = encodeURI(path).replaceAll('%25', '%')
    const { status, body } = await get(site.url, encoded)
    expect([status, body.toString().trim()]).toEqual([404, 'There is nothing here.'])
  })

  test('answers 404 for what the platform does not bring to the function', async () => {
    // Without a 404.html the server of static files would answer with the page, as for an application of one page.
    expect((await get(site.url, '//latest.json')).status).toBe(404)
    const page = await readFile(join(HOME, 'deploy/pages/public/404.html'), 'utf8')
    expect(page).toContain('There is nothing here')
  })

  test('lets a dot segment lead to what it names, since URLs are put in order before anybody sees them', async () => {
    expect((await get(site.url, '/x/../latest.json')).status).toBe(200)
    expect((await get(site.url, '/%2e/latest.json')).status).toBe(200)
    expect((await get(site.url, '/latest.json?a=/../secret.json')).status).toBe(200)
  })

  test('has the same list as the directory of publication', () => {
    const words = ['latest', 'files', 'files-all', 'dnshealth_20260131_120000', 'dns_health_2026-01-31_12-00-00']
    const more = ['dns_health_20260131_120000', 'report_20260131_120000', 'dnshealth_20260131_120000_shard-0-of-3']
    const stems = [
      ...words,
      ...more,
      'archives/2026-01',
      'archives/2026-13',
      'archives/latest',
      'x',
      '',
      'report_20260131_120000_shard-12-of-30',
    ]
    for (const stem of stems) {
      for (const ending of [
        '.json',
        '.md',
        '.json.gz',
        '.md.gz',
        '.tar.gz',
        '.index.json',
        '.json.gz.gz',
        '',
        '.JSON',
      ]) {
        const name = stem + ending
        const [here, there] = [parsePublishedPath(`/${name}`), parsePublishedName(name)]
        const facts = (entry: typeof here | typeof there): unknown =>
          entry === undefined ? undefined : [entry.contentType, entry.cacheControl, entry.isCompressed]
        expect([name, facts(here)]).toEqual([name, facts(there)])
      }
    }
  })

  test('answers HEAD, OPTIONS and If-None-Match, and refuses to be written to', async () => {
    const whole = await get(site.url, '/latest.json')
    const head = await get(site.url, '/latest.json', {}, 'HEAD')
    expect([head.status, head.body.length, head.headers['etag']]).toEqual([200, 0, whole.headers['etag']])
    const known = await get(site.url, '/latest.json', { 'if-none-match': String(whole.headers['etag']) })
    expect([known.status, known.body.length]).toEqual([304, 0])
    const options = await get(site.url, '/latest.json', { origin: 'https://page.example' }, 'OPTIONS')
    expect([options.status, options.headers['access-control-allow-methods']]).toEqual([204, 'GET, HEAD'])
    for (const method of ['POST', 'PUT', 'DELETE', 'PATCH']) {
      const refused = await get(site.url, '/latest.json', {}, method)
      expect([refused.status, refused.headers['allow']]).toEqual([405, 'GET, HEAD, OPTIONS'])
    }
    expect((await get(site.url, '/secret.json', {}, 'POST')).status).toBe(404)
  })

  test('serves the page with a policy that allows nothing from elsewhere', async () => {
    const headers = await readFile(join(HOME, 'deploy/pages/public/_headers'), 'utf8')
    for (const path of ['/', '/dashboard.css', '/dashboard.js', '/elements.js', '/trend.js', '/favicon.svg']) {
      const page = await get(site.url, path)
      expect(page.status).toBe(200)
      expect(headers).toContain(`Content-Security-Policy: ${page.headers['content-security-policy']?.toString()}\n`)
    }
  })

  test('reads every form out of a store with a public address as well', async () => {
    const keys = { accessKeyId: 'a', secretAccessKey: 'b', region: 'us-east-1', bucket: 'results' }
    await using server = await startObjectStore({ ...keys, clock: nodeClock })
    const signal = new AbortController().signal
    const store = createS3Store(
      { http: nodeHttp, clock: nodeClock, random: createSeededRandom('seed'), signal },
      {
        ...keys,
        name: 'own',
        endpoint: server.url,
        prefix: '',
        acl: 'public-read',
        authorities: null,
        attempts: 1,
        timeoutMs: 5000,
      },
      keys,
    )
    const places = { directory: year.directory, stateDirectory: join(year.directory, '.state') }
    const options = { concurrency: 4, deleteAfterDays: 0, dryRun: false }
    const [outcome] = await syncStores({ files: nodeFiles, clock: nodeClock, signal }, [store], places, options)
    expect(outcome?.failure).toBeNull()
    await using pages = await startPagesSite(script, `${server.url}/results/`)
    for (const [name, content] of year.contents) {
      for (const headers of [{}, { 'accept-encoding': 'gzip' }]) {
        const { status, headers: received, body } = await get(pages.url, `/${name}`, headers)
        const octets = received['content-encoding'] === 'gzip' ? gunzipSync(body) : body
        expect([name, status, octets.toString()]).toEqual([name, 200, content])
      }
    }
    const compressed = [...server.objects.keys()].find((key) => key.endsWith('.json.gz')) ?? ''
    const named = await get(pages.url, `/${compressed}`)
    expect([named.status, named.headers['content-encoding']]).toEqual([200, 'gzip'])
    expect(gunzipSync(named.body).toString()).toBe(year.contents.get(compressed.replace('.gz', '')))
    expect((await get(pages.url, '/dnshealth_20200101_000000.json')).status).toBe(404)
  })

  test('goes from store to store: to the next when one is down or has none, 503 when none can say', async () => {
    let isDown = false
    const keys = { accessKeyId: 'a', secretAccessKey: 'b', region: 'us-east-1', bucket: 'results' }
    await using down = await startObjectStore({
      ...keys,
      clock: nodeClock,
      isPublic: true,
      fault: () => (isDown ? { kind: 'status', status: 500, code: 'InternalError' } : undefined),
    })
    await using pages = await startPagesSite(script, `r2:ONE ${down.url}/results/ r2:TWO`)
    const name = '/dnshealth_20260630_020000.json'
    expect((await get(pages.url, name)).status).toBe(404)
    await pages.put('TWO', name.slice(1), { octets: Buffer.from('"two"'), headers: {} })
    expect((await get(pages.url, name)).body.toString()).toBe('"two"')
    isDown = true
    expect((await get(pages.url, name)).body.toString()).toBe('"two"')
    const nowhere = await get(pages.url, '/latest.json')
    expect([nowhere.status, nowhere.headers['cache-control']]).toEqual([503, 'no-store'])
    await pages.put('ONE', name.slice(1), { octets: Buffer.from('"one"'), headers: {} })
    expect((await get(pages.url, name)).body.toString()).toBe('"one"')
    await pages.remove('ONE', name.slice(1))
    expect((await get(pages.url, name)).body.toString()).toBe('"two"')
  })

  test('hands out nothing of an archive that is not the one of its index', async () => {
    await using pages = await startPagesSite(script, 'r2:ONE')
    const names = await readdir(join(year.directory, 'archives'))
    const index = names.find((name) => name.endsWith('.index.json')) ?? ''
    const text = await readFile(join(year.directory, 'archives', index), 'utf8')
    const { entries } = JSON.parse(text) as { readonly entries: readonly { readonly name: string }[] }
    const archive = `archives/${index.replace('.index.json', '.tar.gz')}`
    await pages.put('ONE', `archives/${index}`, { octets: Buffer.from(text), headers: {} })
    await pages.put('ONE', archive, { octets: Buffer.alloc(100_000), headers: {} })
    expect((await get(pages.url, `/${entries[0]?.name}`)).status).toBe(503)
    await pages.put('ONE', archive, { octets: await readFile(join(year.directory, archive)), headers: {} })
    expect((await get(pages.url, `/${entries[0]?.name}`)).status).toBe(200)
    await pages.put('ONE', `archives/${index}`, { octets: Buffer.from('{'), headers: {} })
    expect((await get(pages.url, `/${entries[0]?.name}`)).status).toBe(503)
  })

  test('says 503 for stores that are configured wrongly, and 404 for what is on no list all the same', async () => {
    for (const stores of ['r2:NONE', 'ftp://store/', 'https://store/without-slash']) {
      await using pages = await startPagesSite(script, stores)
      expect((await get(pages.url, '/latest.json')).status).toBe(503)
      expect((await get(pages.url, '/secret.json')).status).toBe(404)
    }
  })
})
