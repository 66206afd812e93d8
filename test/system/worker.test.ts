/** The Worker in real workerd: cron, HTTP, KV, and what it costs. Resolvers and Telegram are servers on loopback. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startTelegramServer, type TelegramServer } from '../../src/lab/telegram-server.ts'
import { nodeClock } from '../../src/platform/node-clock.ts'
import { WORKER_LIMITS, writesPerDay } from '../../src/worker/worker-limits.ts'
import { startDohWorld, type DohWorld, type World } from '../worker-fixtures/doh-world.ts'
import { bundleWorker, startWorkerSite, type WorkerBundle, type WorkerSite } from '../worker-fixtures/worker-site.ts'

const T0 = Date.parse('2026-11-21T10:00:00Z')
const MINUTE = 60_000
const TOKEN = '123456:ABC-def'
const API_TOKEN = 'a-token-of-enough-letters'
const SHOP = '[[domains]]\nname = "Shop <1>"\ndomain = "shop.zone.example"\nrecord_type = "A"\n'
const BEARER = { authorization: `Bearer ${API_TOKEN}` }

interface Stage extends AsyncDisposable {
  readonly site: WorkerSite
  readonly doh: DohWorld
  readonly telegram: TelegramServer
  /** Runs the cron of minutes since the start, each once. */
  minutes(from: number, to: number): Promise<void>
  /** Makes all profiles old enough to judge. */
  mature(): Promise<void>
}

interface Batch {
  readonly revision: number
  readonly names: Record<string, { readonly state: { readonly profile: object } }>
}

describe('worker', () => {
  let directory: string
  let bundle: WorkerBundle

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'candor-worker-'))
    bundle = await bundleWorker(directory)
  })
  afterAll(async () => {
    await rm(directory, { recursive: true })
  })

  async function stage(
    toml: string,
    world: World,
    variables: Record<string, string> = {},
    burst = Infinity,
  ): Promise<Stage> {
    const doh = await startDohWorld(world)
    const telegram = await startTelegramServer({ token: TOKEN, clock: nodeClock, burst, retryAfterSeconds: 0 })
    const site = await startWorkerSite(bundle, {
      toml,
      variables: { TELEGRAM_BOT_TOKEN: TOKEN, TELEGRAM_CHAT_ID: '42', CANDOR_API_TOKEN: API_TOKEN, ...variables },
      route: (host) => (host === 'api.telegram.org' ? telegram.url : doh.url),
    })
    return {
      site,
      doh,
      telegram,
      minutes: async (from, to) => {
        for (let minute = from; minute <= to; minute++) expect(await site.cron(T0 + minute * MINUTE)).toBe('ok')
      },
      mature: async () => {
        for (const key of (await site.listKv()).filter((name) => /^profile:\d+$/.test(name))) {
          const batch = (await site.readKv(key)) as Batch
          const names = Object.entries(batch.names).map(([name, known]) => {
            const profile = { ...known.state.profile, isImported: true }
            return [name, { ...known, state: { ...known.state, profile } }]
          })
          await site.writeKv(
            key,
            JSON.stringify({ ...batch, revision: batch.revision + 1, names: Object.fromEntries(names) }),
          )
        }
      },
      [Symbol.asyncDispose]: async () => {
        await site[Symbol.asyncDispose]()
        await doh[Symbol.asyncDispose]()
        await telegram[Symbol.asyncDispose]()
      },
    }
  }

  test('is bundled without any module of Node', () => {
    expect(bundle.script.length).toBeGreaterThan(10_000)
    expect(
      [...bundle.script.matchAll(/(?:from|require\(|import\()\s*["'](?:node:)?[a-z_/]+["']/g)].map(([text]) => text),
    ).toEqual([])
  })

  test('takes the first check as the baseline, tells nobody, and keeps it in the form of the original', async () => {
    await using at = await stage(SHOP, () => ['8.0.1.2', '8.0.1.1'])
    await at.minutes(0, 5)
    expect(await at.site.listKv()).toEqual(['dns:shop.zone.example:A', 'profile:0', 'profile:index'])
    expect(await at.site.readKv('dns:shop.zone.example:A')).toEqual({
      domain: 'shop.zone.example',
      ips: ['8.0.1.1', '8.0.1.2'],
      timestamp: T0,
      recordType: 'A',
    })
    expect(at.telegram.messages).toEqual([])
    const [request] = at.doh.requests
    expect(request?.url).toContain(`&cb=${T0}`)
    expect(request?.headers['cache-control']).toBe('no-cache, no-store')
    const { puts } = await at.site.counts()
    expect(puts.filter((key) => key.startsWith('dns:'))).toHaveLength(1)
  })

  test('pages once in the third minute when all resolvers show a new AS, and learns it when it is accepted', async () => {
    await using at = await stage(SHOP, () => ['8.0.1.1'])
    await at.minutes(0, 1)
    await at.mature()
    at.doh.world = () => ['8.9.9.9']
    await at.minutes(2, 3)
    expect(at.telegram.messages).toEqual([])
    await at.minutes(4, 30)
    expect(at.telegram.messages).toHaveLength(1)
    const [{ text, html, chatId } = { text: '', html: '', chatId: '' }] = at.telegram.messages
    expect(chatId).toBe('42')
    expect(html).toContain('Shop &lt;1&gt;')
    for (const part of ['critical', '8.9.9.9', 'before: 8.0.1.1', 'google: 8.9.9.9', 'AS: 64501'])
      expect(text).toContain(part)
    // What nobody has confirmed as right is no state.
    expect(await at.site.readKv('dns:shop.zone.example:A')).toMatchObject({ ips: ['8.0.1.1'] })
    const key = /\?key=([\da-f]{16})/.exec(text)?.[1] ?? ''
    const acknowledged = await at.site.request(`/ack?key=${key}&who=Ada&accept=1`, { method: 'POST', headers: BEARER })
    expect(await acknowledged.json()).toEqual({ acknowledged: 1, accepted: true })
    await at.minutes(31, 33)
    expect(await at.site.readKv('dns:shop.zone.example:A')).toMatchObject({
      ips: ['8.9.9.9'],
      timestamp: T0 + 31 * MINUTE,
    })
    expect(at.telegram.messages).toHaveLength(1)
  })

  test('reads the KV of the original and goes on with it', async () => {
    const toml = ['same', 'moved', 'emptied', 'broken']
      .map((name) => `[[domains]]\ndomain = "${name}.zone.example"\n`)
      .join('')
    await using at = await stage(toml, (_host, name) =>
      name.startsWith('moved') ? ['8.9.9.9'] : ['8.0.1.1', '8.0.1.2'],
    )
    const write = (name: string, ips: readonly string[]): Promise<void> => {
      const record = { domain: `${name}.zone.example`, ips, timestamp: T0 - 3_600_000, recordType: 'A' }
      return at.site.writeKv(`dns:${name}.zone.example:A`, JSON.stringify(record))
    }
    await write('same', ['8.0.1.2', '8.0.1.1'])
    await write('moved', ['8.0.1.1'])
    await write('emptied', [])
    await at.site.writeKv('dns:broken.zone.example:A', '{')
    await at.minutes(0, 10)
    // Only what the original would have told as well: one name has moved since.
    expect(at.telegram.messages.map(({ text }) => /(\w+)\.zone\.example/.exec(text)?.[1])).toEqual(['moved'])
    expect(await at.site.readKv('dns:same.zone.example:A')).toMatchObject({ timestamp: T0 - 3_600_000 })
    expect(await at.site.readKv('dns:moved.zone.example:A')).toMatchObject({
      domain: 'moved.zone.example',
      recordType: 'A',
    })
    for (const name of ['emptied', 'broken'])
      expect(await at.site.readKv(`dns:${name}.zone.example:A`)).toMatchObject({ ips: ['8.0.1.1', '8.0.1.2'] })
  })

  test('never makes a failure, an empty answer or a tie a state', async () => {
    const toml = `${SHOP}[[domains]]\ndomain = "other.zone.example"\n[[domains]]\ndomain = "third.zone.example"\n`
    await using at = await stage(toml, () => ['8.0.1.1'])
    await at.minutes(0, 3)
    await at.mature()
    await at.minutes(4, 4)
    const before = await at.site.readKv('dns:shop.zone.example:A')
    const isShop = (name: string): boolean => name.startsWith('shop')
    at.doh.world = (host, name) => (isShop(name) ? (host === 'dns.google' ? 'SERVFAIL' : undefined) : ['8.0.1.1'])
    await at.minutes(5, 20)
    expect(at.telegram.messages.map(({ text }) => text.split('\n')[0])).toEqual([
      expect.stringContaining('no resolver gives an answer'),
    ])
    at.doh.world = (host, name) => (isShop(name) && host !== 'dns.google' ? 'NXDOMAIN' : ['8.0.1.1'])
    await at.minutes(21, 40)
    expect(at.telegram.messages.map(({ text }) => /has no answer where it had one/.test(text))).toContain(true)
    expect(await at.site.readKv('dns:shop.zone.example:A')).toEqual(before)
  })

  test('tells once that it reaches nobody itself, and judges nothing meanwhile', async () => {
    const toml = ['a', 'b', 'c'].map((name) => `[[domains]]\ndomain = "${name}.zone.example"\n`).join('')
    await using at = await stage(toml, () => ['8.0.1.1'])
    await at.minutes(0, 2)
    at.doh.world = () => undefined
    await at.minutes(3, 20)
    expect((await at.site.request('/status')).status).toBe(503)
    at.doh.world = () => ['8.0.1.1']
    await at.minutes(21, 25)
    expect(at.telegram.messages.map(({ text }) => text.split('\n')[0])).toEqual([
      expect.stringContaining('this vantage gets no answer for 3 of 3 names'),
      expect.stringContaining('this vantage gets answers again'),
    ])
  })

  test('says what is known about a new address, and calls who waits for the heartbeat', async () => {
    const head = 'heartbeat = "https://heart.beat.example/x"\nself_test = "10:06"\n'
    const list = '[[blocklists]]\nzone = "bad.list.example"\nname = "Bad"\ncategory = "spam"\n'
    await using at = await stage(`${head}${list}${SHOP}`, () => ['8.0.1.1'])
    await at.minutes(0, 1)
    await at.mature()
    at.doh.world = (_host, name, type) => {
      if (type === 'PTR') return 'NXDOMAIN'
      return name === '9.9.9.8.bad.list.example' ? ['127.0.0.2'] : ['8.9.9.9']
    }
    await at.minutes(2, 20)
    expect(at.telegram.messages).toHaveLength(2)
    const [page, daily] = at.telegram.messages.map(({ text }) => text)
    for (const part of ['listed by Bad as spam', 'no PTR', 'AS64501', 'risk critical']) expect(page).toContain(part)
    expect(daily).toContain('the daily test')
    // Looked up once, when it was told.
    expect(at.doh.questions.filter((question) => question.endsWith(' PTR'))).toHaveLength(1)
    expect(at.site.takeFetches().filter((url) => url === 'https://heart.beat.example/x')).toHaveLength(21)
  })

  test('goes on where it was when its instance ended, and tells nothing twice', async () => {
    await using at = await stage(SHOP, () => ['8.0.1.1'])
    await at.minutes(0, 1)
    await at.mature()
    at.doh.world = () => ['8.9.9.9']
    // The third of the confirming rounds is another instance's.
    await at.minutes(2, 3)
    const copy = async (to: WorkerSite, from: WorkerSite): Promise<void> => {
      for (const key of await from.listKv()) await to.writeKv(key, JSON.stringify(await from.readKv(key)))
    }
    await using second = await stage(SHOP, () => ['8.9.9.9'])
    await copy(second.site, at.site)
    await second.minutes(4, 20)
    expect(second.telegram.messages).toHaveLength(1)
    await using third = await stage(SHOP, () => ['8.0.1.1'])
    await copy(third.site, second.site)
    await third.minutes(21, 40)
    expect(third.telegram.messages.map(({ text }) => text.split('\n')[0])).toEqual([expect.stringContaining('over: ')])
  })

  test('says that writes run out, and then tells nothing that it cannot remember', async () => {
    const toml = ['a', 'b', 'c'].map((name) => `[[domains]]\ndomain = "${name}.zone.example"\n`).join('')
    await using at = await stage(toml, () => ['8.0.1.1'])
    await at.minutes(0, 2)
    await at.mature()
    const index = (await at.site.readKv('profile:index')) as { readonly revision: number }
    const writes = { day: '2026-11-21', count: WORKER_LIMITS.free.urgentWrites - 46 }
    await at.site.writeKv('profile:index', JSON.stringify({ ...index, revision: index.revision + 1, writes }))
    // Names that come and go with another answer each time write as much as names can.
    let round = 3
    at.doh.world = () => [Math.floor(round / 5) % 2 === 0 ? `9.${round}.1.1` : '8.0.1.1']
    await at.site.counts()
    for (; round < 80; round++) await at.minutes(round, round)
    const texts = at.telegram.messages.map(({ text }) => text)
    expect(texts.filter((text) => text.includes('the writes of this day are nearly used up'))).toHaveLength(1)
    expect((await at.site.counts()).puts.length).toBeLessThanOrEqual(46 + Math.ceil(80 / 4))
    const told = at.telegram.messages.length
    for (; round < 90; round++) await at.minutes(round, round)
    expect(at.telegram.messages).toHaveLength(told)
    // The next day all is as before.
    round = 24 * 60
    for (; round < 24 * 60 + 10; round++) await at.minutes(round, round)
    expect((await at.site.counts()).puts.length).toBeGreaterThan(3)
  })

  test('makes one ticket of a resolver that goes on lying, whichever place it has', async () => {
    await using at = await stage(SHOP, () => ['8.0.1.1'])
    await at.minutes(0, 1)
    await at.mature()
    at.doh.world = (host) => (host === 'cloudflare-dns.com' ? ['8.9.9.9'] : ['8.0.1.1'])
    await at.minutes(2, 60)
    expect(at.telegram.messages).toHaveLength(1)
    expect(at.telegram.messages[0]?.text).toContain('cloudflare gives other answers for shop.zone.example/A')
    expect(await at.site.readKv('dns:shop.zone.example:A')).toMatchObject({ ips: ['8.0.1.1'] })
  })

  test('is quiet about a name whose addresses rotate within its AS, and writes little for it', async () => {
    await using at = await stage(SHOP, () => ['8.0.1.0'])
    let round = 0
    at.doh.world = () => [`8.0.1.${round % 16}`, `8.0.1.${(round + 1) % 16}`, `192.0.2.1`].slice(0, 2)
    for (; round < 60; round++) await at.minutes(round, round)
    expect(at.telegram.messages).toEqual([])
    expect((await at.site.counts()).puts.length).toBeLessThan(60)
  })

  test('reads resolvers that speak JSON, and names', async () => {
    const resolvers = ['one', 'two'].map(
      (name) =>
        `[[resolvers]]\nname = "${name}"\nurl = "https://${name}.resolver.example/resolve"\naddress = "8.0.1.53"\nformat = "json"\n`,
    )
    const toml = `${resolvers.join('')}[[domains]]\ndomain = "www.zone.example"\nrecord_type = ["CNAME", "NS"]\n`
    await using at = await stage(toml, (_host, _name, type) =>
      type === 'NS' ? ['NS2.zone.example.', 'ns1.zone.example.'] : ['Edge.cdn.example.'],
    )
    await at.minutes(0, 1)
    expect(await at.site.readKv('dns:www.zone.example:CNAME')).toMatchObject({ ips: ['edge.cdn.example.'] })
    expect(await at.site.readKv('dns:www.zone.example:NS')).toMatchObject({
      ips: ['ns1.zone.example.', 'ns2.zone.example.'],
    })
    expect(at.doh.requests[0]?.url).toMatch(/^\/resolve\?name=www\.zone\.example\.?&type=\d+&cb=\d+$/)
  })

  test('sends what Telegram did not take in a later minute', async () => {
    const toml = ['a', 'b', 'c', 'd', 'e'].map((name) => `[[domains]]\ndomain = "${name}.zone.example"\n`).join('')
    await using at = await stage(toml, () => ['8.0.1.1'], {}, 2)
    await at.minutes(0, 2)
    await at.mature()
    at.doh.world = () => ['8.9.9.9']
    await at.minutes(3, 20)
    const names = at.telegram.messages.map(
      ({ text }) => /(\w)\.zone\.example\/A has a new answer/.exec(text)?.[1] ?? '',
    )
    expect(names.toSorted((a, b) => a.localeCompare(b))).toEqual(['a', 'b', 'c', 'd', 'e'])
    expect(at.telegram.limited()).toBeGreaterThan(0)
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
      monitors: [{ domain: 'shop.zone.example', standing: 'learning', ips: ['8.0.1.1'] }],
    })
    const status = await at.site.request('/status')
    expect([status.status, await status.json()]).toMatchObject([
      200,
      { status: 'ok', names: 1, channel: 'telegram', plan: 'free' },
    ])
    expect((await at.site.request('/nothing')).status).toBe(404)
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

  test('stays within its bounds, whatever happens to how many names', { timeout: 120_000 }, async () => {
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
