/** The Worker in real workerd: what it answers, what it refuses, and what it costs. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { WORKER_LIMITS, writesPerDay } from '../../src/worker/worker-limits.ts'
import type { World } from '../worker-fixtures/doh-world.ts'
import { bundleWorker, type WorkerBundle } from '../worker-fixtures/worker-site.ts'
import { API_TOKEN, BEARER, SHOP, startStage, T0, type Stage } from '../worker-fixtures/worker-stage.ts'

describe('worker', () => {
  let directory: string
  let bundle: WorkerBundle
  const stage = (
    toml: string,
    world: World,
    variables: Readonly<Record<string, string>> = {},
    burst = Infinity,
  ): Promise<Stage> => startStage(bundle, toml, world, variables, burst)

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'candor-worker-'))
    bundle = await bundleWorker(directory)
  })
  afterAll(async () => {
    await rm(directory, { recursive: true })
  })

  test('is bundled without any module of Node', () => {
    expect(bundle.script.length).toBeGreaterThan(10_000)
    const imports = [...bundle.script.matchAll(/^(?:import|export) [^\n]*?["']([^"'\n]+)["'];$/gm)].map(
      (match) => match[1],
    )
    const texts = [bundle.tomlPath, ...bundle.texts.keys()].map((path) => `./${path}`)
    expect(new Set(imports)).toEqual(new Set(texts))
    expect(bundle.script).not.toMatch(/\b(?:__require|require|import)\(["']/)
  })

  test('answers /check to who has the token, and to nobody else', async () => {
    await using at = await stage(SHOP, () => ['8.0.1.1'])
    const check = (headers: Record<string, string>, method = 'GET', path = '/check'): Promise<Response> =>
      at.site.request(path, { method, headers })
    const wrong = [
      {},
      { authorization: 'Bearer wrong' },
      { authorization: `Bearer ${API_TOKEN}x` },
      { authorization: 'Bearer ' },
      { authorization: `Basic ${btoa(`x:${API_TOKEN}`)}` },
    ]
    for (const headers of wrong) expect((await check(headers)).status).toBe(401)
    expect((await check({}, 'POST', '/ack?key=0123456789')).status).toBe(401)
    expect(at.doh.questions).toEqual([])
    const right = await check(BEARER, 'POST')
    expect(right.status).toBe(200)
    expect(await right.json()).toMatchObject({
      asked: 1,
      results: [{ domain: 'shop.zone.example', is_baseline: true, told: [] }],
    })
    const again = await check(BEARER)
    expect([again.status, Number(again.headers.get('retry-after')) > 0]).toEqual([429, true])
    expect((await check(BEARER, 'DELETE')).status).toBe(405)
    expect((await check(BEARER, 'GET', '/check?domain=unknown.example')).status).toBe(404)
    await using without = await stage(SHOP, () => ['8.0.1.1'], { CANDOR_API_TOKEN: '' })
    expect((await without.site.request('/check', { headers: { authorization: 'Bearer ' } })).status).toBe(403)
  })

  test('shows what it knows as a page and as JSON, and to readers alone where a token says so', async () => {
    await using at = await stage(SHOP, () => ['8.0.1.1'], { CANDOR_READ_TOKEN: 'readers-of-this-page' })
    await at.minutes(0, 1)
    expect((await at.site.request('/', { headers: { accept: 'text/html' } })).status).toBe(401)
    const reader = { authorization: `Basic ${btoa('any:readers-of-this-page')}` }
    const page = await at.site.request('/', { headers: { accept: 'text/html,application/xhtml+xml', ...reader } })
    expect(page.headers.get('content-security-policy')).toContain("default-src 'none'")
    const html = await page.text()
    expect(html).toContain('Shop &lt;1&gt;')
    expect(html).toContain('8.0.1.1')
    const list = await at.site.request('/', { headers: { accept: 'application/json', ...reader } })
    expect(await list.json()).toMatchObject({
      monitors: [{ domain: 'shop.zone.example', standing: 'learning', last_round: { class: 'K0' } }],
    })
    const status = await at.site.request('/status')
    expect([status.status, await status.json()]).toMatchObject([
      200,
      { status: 'ok', names: 1, channel: 'telegram', plan: 'free' },
    ])
    const nothing = await at.site.request('/nothing', { headers: reader })
    expect([nothing.status, (await at.site.request('/nothing')).status]).toEqual([404, 401])
  })

  test('serves the pages and the API of the daemon, as far as KV can, and takes their orders', async () => {
    await using at = await stage(SHOP, () => ['8.0.1.1'])
    await at.minutes(0, 1)
    await at.mature()
    at.doh.world = () => ['8.9.9.9']
    await at.minutes(2, 5)
    const read = async (path: string): Promise<unknown> => (await at.site.request(path)).json()
    const list = (await read('/api/v1/monitors')) as { readonly monitors: readonly Record<string, unknown>[] }
    expect(list).toMatchObject({ summary: { names: 1, standings: { incident: 1 } }, next_after: null })
    expect(await read('/api/v1/monitors/shop.zone.example/A')).toMatchObject({
      standing: 'incident',
      values: [{ value: '8.0.1.1', asn: 64_500 }],
      incidents: [{ subject: 'K3', severity: 'critical', status: 'open', values: ['8.9.9.9'] }],
    })
    expect(await read('/api/v1/monitors/shop.zone.example/A/rounds?since=2026-01-01T00:00:00Z')).toMatchObject({
      rounds: [{ class: 'K3', answers: [{ values: ['8.9.9.9'] }, {}, {}] }],
    })
    expect(await read('/api/v1/monitors/shop.zone.example/A/changes')).toMatchObject({
      changes: [{ kind: 'new' }, { kind: 'learned', text: '8.0.1.1' }],
    })
    const [incident = ''] = (list.monitors[0]?.['open_incidents'] ?? []) as readonly string[]
    // Every page that one can reach is there: the daemon's frame leads to campaigns that are not.
    const seen = new Set(['/'])
    for (const path of seen) {
      const page = await at.site.request(path, { headers: { accept: 'text/html' } })
      expect([path, page.status]).toEqual([path, 200])
      const links = (await page.text()).matchAll(/(?:href|src|action)="(\/[^"#]*)[^"]*"/g)
      for (const [, link = ''] of links) if (!link.endsWith('/acknowledge')) seen.add(link.replaceAll('&amp;', '&'))
    }
    for (const path of [
      '/monitor/names/shop.zone.example/A',
      `/incidents/${incident}`,
      '/how/monitor-classes',
      '/assets/candor.css',
    ])
      expect(seen).toContain(path)
    expect((await at.site.request('/nothing', { headers: { accept: 'text/html' } })).status).toBe(404)
    const order = (path: string, body: unknown, headers: Record<string, string>): Promise<Response> =>
      at.site.request(path, {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...headers },
        body: JSON.stringify(body),
      })
    const said = { incident: /monitor-([\da-f]{16})/.exec(incident)?.[1], who: 'Ada', accept: true }
    expect((await order('/api/v1/monitors/acknowledge', said, {})).status).toBe(401)
    expect(await (await order('/api/v1/monitors/acknowledge', said, BEARER)).json()).toMatchObject({ acknowledged: 1 })
    const checked = await order('/api/v1/monitors/check', { keys: ['shop.zone.example/A'] }, BEARER)
    expect(await checked.json()).toMatchObject({ checked: [{ key: 'shop.zone.example/A', round: { class: 'K0' } }] })
    expect(await read('/api/v1/monitors/shop.zone.example/A')).toMatchObject({ incidents: [{ status: 'changed' }] })
  })

  test('lets the token of an owner read what is theirs', async () => {
    const tokens = JSON.stringify({ web: 'the-token-of-web-people' })
    const toml =
      '[[domains]]\ndomain = "a.zone.example"\nowner = "web"\n[[domains]]\ndomain = "b.zone.example"\nowner = "mail"\n'
    await using at = await stage(toml, () => ['8.0.1.1'], { CANDOR_OWNER_TOKENS: tokens })
    await at.minutes(0, 0)
    const statuses: Record<string, number> = {}
    for (const path of [
      '/',
      '/api/v1/monitors/a.zone.example/A',
      '/api/v1/monitors/b.zone.example/A',
      '/monitor/owners/web',
      '/monitor/owners/mail',
    ])
      statuses[path] = (
        await at.site.request(path, { headers: { authorization: 'Bearer the-token-of-web-people' } })
      ).status
    expect(statuses).toEqual({
      '/': 403,
      '/api/v1/monitors/a.zone.example/A': 200,
      '/api/v1/monitors/b.zone.example/A': 403,
      '/monitor/owners/web': 200,
      '/monitor/owners/mail': 403,
    })
    expect((await at.site.request('/monitor/owners/web')).status).toBe(401)
  })

  test.each<[string, Record<string, string>, string, string, string]>([
    [
      '[[domains]]\ndomain = "a.example"\nrecord_type = "Q"\n',
      {},
      'dns-monitor.toml:3',
      'cannot be watched',
      'A, AAAA',
    ],
    ['# nothing\n', {}, 'dns-monitor.toml:1', 'empty', '[[domains]]'],
    [
      `[[resolvers]]\nname = "own"\nurl = "udp://8.0.1.53"\n[[resolvers]]\nname = "two"\nurl = "https://8.0.1.54/dns-query"\n${SHOP}`,
      {},
      'dns-monitor.toml:3',
      'speaks udp',
      'https://',
    ],
  ])('stops at a configuration that cannot be used: %j %j', async (toml, variables, place, message, hint) => {
    await using at = await stage(toml, () => ['8.0.1.1'], variables)
    expect(await at.site.cron(T0)).toBe('exception')
    for (const [path, expected] of [
      ['/status', 503],
      ['/', 500],
      ['/check', 500],
    ] as const) {
      const response = await at.site.request(path, { headers: { accept: 'application/json', ...BEARER } })
      expect(response.status).toBe(expected)
      const { error } = (await response.json()) as { readonly error: Record<string, string> }
      expect(error['place']).toBe(place)
      expect(error['message']).toContain(message)
      expect(error['hint']).toContain(hint)
    }
    expect(await (await at.site.request('/', { headers: { accept: 'text/html' } })).text()).toContain(place)
    expect([at.doh.questions, await at.site.listKv(), at.telegram.messages]).toEqual([[], [], []])
  })

  test('reads the JSON list of the original where there is no file', async () => {
    const list = JSON.stringify([{ name: 'Shop', domain: 'shop.zone.example', record_type: 'A', category: 'web' }])
    await using at = await stage('', () => ['8.0.1.1'], { DNS_MONITOR_CONFIG: list })
    await at.minutes(0, 0)
    expect(await at.site.readKv('dns:shop.zone.example:A')).toMatchObject({ ips: ['8.0.1.1'] })
  })

  test('stays within its bounds, whatever happens to how many names', { timeout: 300_000 }, async () => {
    const count = process.env['CANDOR_TEST_FULL'] === undefined ? 60 : 400
    const minutes = process.env['CANDOR_TEST_FULL'] === undefined ? 45 : 240
    const toml = Array.from({ length: count }, (_, n) => `[[domains]]\ndomain = "n${n}.zone.example"\n`).join('')
    await using at = await stage(toml, (_host, name) => [`8.0.${Number(/\d+/.exec(name)) % 250}.1`])
    let [writes, most] = [0, 0]
    const asked = new Map<string, number>()
    for (let minute = 0; minute < minutes; minute++) {
      // First all is well, then every name is taken over with addresses that change, then half of the resolvers fail.
      if (minute === minutes / 3) at.doh.world = (_host, name) => [`9.${minute}.${Number(/\d+/.exec(name)) % 250}.1`]
      if (minute === Math.floor((minutes * 2) / 3))
        at.doh.world = (host) => (host === 'dns.google' ? undefined : 'SERVFAIL')
      at.doh.questions.length = 0
      await at.minutes(minute, minute)
      const { gets, puts } = await at.site.counts()
      const cost = gets + puts.length + at.site.takeFetches().length
      most = Math.max(most, cost)
      writes += puts.length
      for (const name of new Set(at.doh.questions.map((question) => question.split(' ')[1] ?? '')))
        asked.set(name, (asked.get(name) ?? 0) + 1)
    }
    expect(most).toBeLessThanOrEqual(WORKER_LIMITS.free.subrequests)
    expect(most).toBeGreaterThan(30)
    expect(writes).toBeLessThanOrEqual(writesPerDay(WORKER_LIMITS.free))
    expect([...asked.keys()].filter((name) => name.endsWith('.zone.example'))).toHaveLength(count)
  })
})
