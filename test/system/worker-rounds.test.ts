/** The rounds of the Worker in real workerd: what they learn, tell and keep. Resolvers and Telegram are servers on loopback. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { WORKER_LIMITS } from '../../src/worker/worker-limits.ts'
import type { World } from '../worker-fixtures/doh-world.ts'
import { bundleWorker, type WorkerBundle, type WorkerSite } from '../worker-fixtures/worker-site.ts'
import { BEARER, MINUTE, SHOP, startStage, T0, type Stage } from '../worker-fixtures/worker-stage.ts'

describe('worker rounds', () => {
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

  test('takes a tie for a tie, whoever is first, and a private address for what it is', async () => {
    const resolvers = ['one', 'two'].map(
      (name) => `[[resolvers]]\nname = "${name}"\nurl = "https://${name}.resolver.example/q"\naddress = "8.0.1.53"\n`,
    )
    await using at = await stage(`${resolvers.join('')}${SHOP}`, (host) => [
      host.startsWith('one') ? '8.0.1.1' : '8.9.9.9',
    ])
    await at.minutes(0, 5)
    // Both answers are known from the first round on, and neither is the name's.
    expect(await at.site.readKv('dns:shop.zone.example:A')).toBeNull()
    at.doh.world = () => ['8.0.1.1']
    await at.minutes(6, 7)
    expect(await at.site.readKv('dns:shop.zone.example:A')).toMatchObject({ ips: ['8.0.1.1'] })
    expect(at.telegram.messages).toEqual([])
    at.doh.world = () => ['10.0.0.1']
    await at.minutes(8, 12)
    expect(at.telegram.messages.map(({ text }) => text.split('\n')[0])).toEqual([
      expect.stringMatching(/critical.*leads to an address that no public name has/),
    ])
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
})
