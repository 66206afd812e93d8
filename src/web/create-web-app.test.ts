import { describe, expect, test } from 'vitest'
import { createBuildingView, createRunView, HOSTILE_NICKNAME } from '../../test/web-fixtures/exit-run-fixture.ts'
import { createSettableRun } from '../../test/web-fixtures/settable-run.ts'
import { silentLog } from '../core/log.ts'
import { NO_DOCUMENTS, type DocumentSource } from '../model/document-source.ts'
import { NOTHING_PUBLISHED, type PublishedSource } from '../model/published-source.ts'
import type { ExitRunView } from '../model/run-view.ts'
import { nodeClock } from '../platform/node-clock.ts'
import { createWebApp, type WebApp } from './create-web-app.ts'

const VIEW = createRunView(40)

interface AppParts {
  readonly view?: ExitRunView
  readonly published?: PublishedSource
  readonly detectors?: DocumentSource
  readonly isLaboratory?: boolean
}

function createApp(parts: AppParts = {}): WebApp {
  return createWebApp({
    runs: createSettableRun(parts.view ?? VIEW),
    published: parts.published ?? NOTHING_PUBLISHED,
    detectors: parts.detectors ?? NO_DOCUMENTS,
    clock: nodeClock,
    log: silentLog,
    isLaboratory: parts.isLaboratory ?? true,
    hosts: () => ['candor.example'],
    version: '1.0.0',
    streamsMax: 1,
  })
}

async function get(app: WebApp, path: string, init: RequestInit = {}): Promise<Response> {
  return app.fetch(new Request(`http://127.0.0.1:8053${path}`, init))
}

function createDocuments(documents: Readonly<Record<string, string>>): DocumentSource {
  return {
    names: () => Promise.resolve(Object.keys(documents).toSorted()),
    read: (name) => {
      const text = documents[name]
      return Promise.resolve(text === undefined ? undefined : new TextEncoder().encode(text))
    },
  }
}

function publish(documents: Readonly<Record<string, string>>): PublishedSource {
  const source = createDocuments(documents)
  return {
    ...source,
    open: async (name) => {
      const octets = await source.read(name)
      if (octets === undefined) return undefined
      const read = (): Promise<Uint8Array<ArrayBuffer>> => Promise.resolve(new Uint8Array(octets))
      return { sizeOctets: octets.length, encoding: null, varies: false, etag: '"1"', read }
    },
  }
}

function fingerprintOf(code: string): string {
  return VIEW.results.find((result) => result.error_code === code)?.exit_fingerprint ?? ''
}

describe('createWebApp', () => {
  test('says one sentence before any number', async () => {
    const page = await (await get(createApp(), '/')).text()
    const sentence =
      '35 of 40 exits measured: 23 sound, 4 suspect, 8 failing, 2 unreachable and not counted, 2 not judged, 1 not tested.'
    expect(
      /<h1>(.*?)<\/h1>/s
        .exec(page)?.[1]
        ?.replaceAll(/<[^>]+>/g, '')
        .replaceAll(/\s+/g, ' ')
        .trim(),
    ).toBe(sentence)
    expect(page).toContain('1 of 40 verdicts disagrees with the truth.')
  })

  test('calls no verdict wrong while it may still change', async () => {
    const finished = VIEW.results.findIndex(
      (result) => VIEW.truth.get(result.exit_fingerprint)?.fault === 'intermittent',
    )
    const page = await (await get(createApp({ view: createRunView(finished + 1) }), '/')).text()
    expect(page).toContain('agree with the truth so far; the rest is open until what our authority saw is joined.')
    expect(page).not.toContain('<span aria-hidden="true">✕</span> wrong<')
  })

  test('shows what happens while the laboratory is built, without inventing results', async () => {
    const page = await (await get(createApp({ view: createBuildingView('Waiting for a consensus.') }), '/')).text()
    expect(page).toContain('Waiting for a consensus.')
    expect(page).not.toContain('<table')
  })

  test('reloads by itself without script while a run goes on, and not afterwards', async () => {
    const refresh = 'http-equiv="refresh"'
    expect(await (await get(createApp({ view: createRunView(5) }), '/')).text()).toContain(refresh)
    expect(await (await get(createApp(), '/')).text()).not.toContain(refresh)
  })

  test('escapes nicknames and contacts everywhere', async () => {
    const hostile = VIEW.results.find((result) => result.exit_nickname === HOSTILE_NICKNAME)
    for (const path of [
      '/',
      `/exits/${hostile?.exit_fingerprint}`,
      '/exits',
      '/exits?q=<script>alert(3)</script>',
      '/exits?fault="><script>',
      '/exits?run="><script>',
      '/exits/groups?by=operator',
      '/runs/current',
    ]) {
      const page = await (await get(createApp(), path)).text()
      expect(page.match(/<script/g)).toHaveLength(1)
      expect(page).not.toContain('<img src=x')
    }
  })

  test('has no inline script or style, so that the policy needs no exception', async () => {
    for (const path of ['/', `/exits/${fingerprintOf('WRONG_ADDRESS')}`, '/how', '/nothing']) {
      const response = await get(createApp(), path)
      const policy = response.headers.get('content-security-policy') ?? ''
      expect(policy).toContain("default-src 'none'")
      expect(policy).not.toContain('unsafe')
      expect(await response.text()).not.toMatch(/ style=|<style|\son[a-z]+=|javascript:|<script(?! src="\/assets\/)/)
    }
  })

  test('shows the verdict, its evidence and the truth of one exit', async () => {
    const page = await (await get(createApp(), `/exits/${fingerprintOf('WRONG_ADDRESS').toLowerCase()}`)).text()
    expect(page).toContain('Failing: the exit gave 198.51.100.66, and only 203.0.113.5 is right.')
    expect(page).toContain('Our authority was asked and gave the right answer, and another one came back.')
    expect(page).toContain('3 of 3 circuits say so, over 3 different first hops.')
    expect(page).toContain('wrong address after asking')
    expect(page).not.toContain('metrics.torproject.org')
  })

  test('says suspect, not failing, where the evidence does not carry an accusation', async () => {
    const weak = VIEW.results.find(({ flags }) => flags.includes('unconfirmed'))
    const page = await (await get(createApp(), `/exits/${weak?.exit_fingerprint}`)).text()
    expect(page).toContain('<h1>Suspect: ')
    expect(page).not.toContain('Failing: ')
    const right = VIEW.results.find(({ flags }) => flags.includes('decoy_mismatch'))
    const other = await (await get(createApp(), `/exits/${right?.exit_fingerprint}`)).text()
    expect(other).toContain('<h1>Suspect, although right for our zone: ')
  })

  test('links to Tor Metrics outside the laboratory only', async () => {
    const app = createApp({ view: { ...VIEW, truth: new Map() }, isLaboratory: false })
    const fingerprint = fingerprintOf('PERMANENT')
    expect(await (await get(app, `/exits/${fingerprint}`)).text()).toContain(
      `https://metrics.torproject.org/rs.html#details/${fingerprint}`,
    )
  })

  test('shows an exit whose turn has not come as not measured', async () => {
    const fingerprint = [...VIEW.truth.keys()].at(-1) ?? ''
    const page = await (await get(createApp({ view: createRunView(3) }), `/exits/${fingerprint}`)).text()
    expect(page).toContain('Not measured yet.')
  })

  test('names filters that it does not understand', async () => {
    expect(await (await get(createApp(), '/exits?status=purple')).text()).toContain(
      'Not understood and left out: status.',
    )
  })

  test('accuses nobody when the run is invalid', async () => {
    const { metadata } = VIEW
    if (metadata === null) throw new Error('the fixture is not finished')
    const view = { ...VIEW, metadata: { ...metadata, invalid: 'our zone did not answer' } }
    expect(await (await get(createApp({ view }), '/')).text()).toContain(
      'This run is invalid and accuses nobody: our zone did not answer',
    )
  })

  test('explains each code, with the page of a detector that names it', async () => {
    const detectors = createDocuments({
      'exit-attempt.md': '# exit-attempt\n\nAny other address: `WRONG_ADDRESS`.',
      'exit-codes.md':
        '# exit-codes\n\n## timeout\n\nno\n\n## wrong_ip\n\n| code | sure |\n|---|---|\n| `WRONG_ADDRESS` | proved |',
    })
    const page = await (await get(createApp({ detectors }), '/how/wrong-address')).text()
    expect(page).toContain('An answer came with an address that our zone does not have.')
    expect(page).toContain('<td>proved</td>')
    expect(page).not.toContain('timeout')
    expect(page).toContain('<a href="/how/exit-attempt">')
    expect(await (await get(createApp({ detectors }), '/how/exit-codes')).text()).toContain('<h1>exit-codes</h1>')
    expect((await get(createApp({ detectors }), '/how/socks-host-unreachable')).status).toBe(200)
    expect((await get(createApp({ detectors }), '/how/nothing')).status).toBe(404)
  })

  test.each(['127.0.0.1:8053', 'localhost', '[::1]:80', 'candor.example:443'])(
    'answers to the host %s',
    async (host) => {
      expect((await get(createApp(), '/healthz', { headers: { host } })).status).toBe(200)
    },
  )

  test.each(['evil.example', '127.0.0.1.evil.example', 'localhost@evil', '', '192.168.1.1'])(
    'refuses the host "%s"',
    async (host) => {
      const response = await get(createApp(), '/', { headers: { host } })
      expect(response.status).toBe(421)
      expect(await response.json()).toMatchObject({ type: '/problems/wrong-host', status: 421 })
    },
  )

  test.each(['POST', 'PUT', 'DELETE', 'PATCH'])('does not answer %s', async (method) => {
    const response = await get(createApp(), '/api/v1/runs/current', { method })
    expect(response.status).toBe(405)
    expect(response.headers.get('allow')).toBe('GET, HEAD, OPTIONS')
    expect(response.headers.get('content-type')).toContain('application/problem+json')
  })

  test('answers HEAD with the headers alone', async () => {
    const response = await get(createApp(), '/', { method: 'HEAD' })
    expect(response.status).toBe(200)
    expect(await response.text()).toBe('')
  })

  test('says not found as a problem to programs and as a page to people', async () => {
    expect(await (await get(createApp(), '/api/v1/nothing')).json()).toMatchObject({ type: '/problems/not-found' })
    const page = await get(createApp(), '/nothing')
    expect(page.status).toBe(404)
    expect(page.headers.get('content-type')).toContain('text/html')
    expect((await get(createApp(), '/problems/not-found')).status).toBe(200)
  })

  test('gives programs the run, its exits and one exit', async () => {
    const app = createApp()
    expect(await (await get(app, '/api/v1/runs/current')).json()).toMatchObject({
      run_id: '20261120221806',
      phase: 'done',
      candidates: 40,
      dns_tested: 35,
      truth: { agreeing: 39, disagreeing: 1, open: 0 },
    })
    expect(await (await get(app, '/api/v1/exits?status=timeout')).json()).toMatchObject({ total: 2, next: null })
    expect(await (await get(app, `/api/v1/exits/${fingerprintOf('PERMANENT')}`)).json()).toMatchObject({
      result: { status: 'dns_fail' },
      truth: { agreement: 'right' },
    })
    expect((await get(app, '/api/v1/exits?status=purple')).status).toBe(400)
  })

  test('hands out published files by their names and nothing else', async () => {
    const names = { 'latest.json': '{}', 'dnshealth_20261120_221806.json': '{"a":1}', 'secret.json': '{}' }
    const app = createApp({ published: publish(names) })
    const latest = await get(app, '/latest.json')
    expect([latest.status, latest.headers.get('cache-control')]).toEqual([200, 'public, max-age=60'])
    const report = await get(app, '/dnshealth_20261120_221806.json')
    expect(report.headers.get('cache-control')).toContain('immutable')
    expect(await report.json()).toEqual({ a: 1 })
    for (const path of ['/secret.json', '/files.json', '/..%2fsecret.json'])
      expect((await get(app, path)).status).toBe(404)
  })

  test('refuses an event stream above its bound with a problem', async () => {
    const app = createApp()
    const first = await get(app, '/api/v1/events')
    expect(first.headers.get('content-type')).toContain('text/event-stream')
    const second = await get(app, '/api/v1/events')
    expect([second.status, second.headers.get('retry-after')]).toEqual([503, '10'])
    await first.body?.cancel()
  })
})
