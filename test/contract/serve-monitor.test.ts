import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { readAnswer } from '../../src/cli/daemon-client.ts'
import { createFastClock } from './fast-clock.ts'
import { logged, startDaemon, type RunningDaemon } from './serve-daemon.ts'
import { runSimulatedCli } from './simulated-cli.ts'
import { makeTemporaryDirectory } from './temporary-directory.ts'
import { startToldResolver } from './told-resolver.ts'

const TOKEN = 'a-token-of-the-environment'
const RIGHT = '8.8.8.8'
const WRONG = '10.9.9.9'
/** Half an hour is a quarter of a minute. */
const FACTOR = 120

/** What the resolvers say; a test changes it. */
interface World {
  addresses: readonly string[]
  asked: number
}

/** A daemon that watches one name through two resolvers. */
async function startWatching(
  keys = '',
  environment: Readonly<Record<string, string>> = {},
): Promise<{
  readonly daemon: RunningDaemon
  readonly world: World
  readonly file: string
  readonly resolvers: string
}> {
  const directory = makeTemporaryDirectory()
  const world: World = { addresses: [RIGHT], asked: 0 }
  const file = join(directory, 'dns-monitor.toml')
  const resolvers: string[] = []
  for (const name of ['one', 'two']) {
    const port = await startToldResolver(() => {
      world.asked += 1
      return { addresses: world.addresses }
    })
    resolvers.push(`[[resolvers]]\nname = "${name}"\nurl = "udp://127.0.0.1:${port}"\n`)
  }
  // Walks to authoritative servers would begin at the real ones.
  const head = `roots = "none"\n${resolvers.join('')}`
  writeFileSync(file, `${head}[[domains]]\nname = "Shop"\ndomain = "shop.zone.example"\nowner = "team-web"\n${keys}`)
  const config = '[schedule]\nexits = "never"\n[monitor]\ninclude = "dns-monitor.toml"\ntimeout = "60s"\n'
  const daemon = await startDaemon(config, directory, environment, { clock: createFastClock(FACTOR) })
  return { daemon, world, file, resolvers: head }
}

async function read({ client }: RunningDaemon, path: string): Promise<unknown> {
  return readAnswer(await client.get(path))
}

describe('candor serve with [monitor]', () => {
  test('watches, keeps equal rounds as one, tells once, and acknowledges', async () => {
    const { daemon, world } = await startWatching()
    const url = '/api/v1/monitors/shop.zone.example/A'
    await expect
      .poll(() => read(daemon, `${url}/rounds`), { timeout: 10_000 })
      .toMatchObject({ rounds: [{ count: expect.any(Number), class: 'K0', answers: [{ values: [RIGHT] }, {}] }] })
    world.addresses = [WRONG]
    await expect
      .poll(() => read(daemon, url), { timeout: 20_000 })
      .toMatchObject({
        standing: 'incident',
        incidents: [{ subject: 'K4', severity: 'critical', status: 'open', values: [WRONG] }],
      })
    const { incidents } = (await read(daemon, url)) as { readonly incidents: readonly { readonly key: string }[] }
    const key = incidents[0]?.key ?? ''
    const ack = ['monitor', 'ack', key.slice(0, 12), '--who', 'Ada', '--data-dir', daemon.dataDir]
    expect(await runSimulatedCli(ack)).toMatchObject({
      status: 0,
      stderr: expect.stringContaining('acknowledged until'),
    })
    expect(await read(daemon, url)).toMatchObject({ incidents: [{ acknowledged: { who: 'Ada' } }] })
    expect(await read(daemon, '/api/v1/monitors?owner=team-web')).toMatchObject({
      summary: { names: 1, standings: { incident: 1 } },
      monitors: [{ key: 'shop.zone.example/A' }],
    })
    const listed = (await read(daemon, '/api/v1/incidents?status=open')) as {
      readonly incidents: readonly { readonly id: string; readonly campaign: string }[]
    }
    expect(listed.incidents).toMatchObject([{ campaign: 'monitor', name: 'shop.zone.example/A', severity: 'critical' }])
    expect(await read(daemon, `/api/v1/incidents/${listed.incidents[0]?.id}`)).toMatchObject({ key })
    const explained = await runSimulatedCli(['monitor', 'explain', 'Shop', '--data-dir', daemon.dataDir])
    expect(JSON.parse(explained.stdout)).toMatchObject({ record_type: 'A', incidents: [{ key, severity: 'critical' }] })
    const page = await daemon.client.get(`/incidents/${listed.incidents[0]?.id}`)
    expect(page.text).toContain('shop.zone.example/A leads to an address that no public name has.')
    expect((await daemon.client.get('/monitor/owners/team-web')).text).toContain(
      '1 name is watched: 0 as usual, 1 with an incident',
    )
    expect((await daemon.client.get('/metrics')).text).toContain('candor_incidents_open{campaign="monitor"} 1')
  }, 40_000)

  test('answers /, /status and /check as small monitors do; a check in bulk tells nothing twice', async () => {
    const { daemon, world } = await startWatching('', { CANDOR_API_TOKEN: TOKEN })
    const get = (path: string, headers: Readonly<Record<string, string>> = {}, method = 'GET'): Promise<Response> =>
      fetch(new URL(path, daemon.url), { headers, method })
    const token = { authorization: `Bearer ${TOKEN}` }
    await expect.poll(() => read(daemon, '/status'), { timeout: 10_000 }).toMatchObject({ status: 'ok', names: 1 })
    expect(await (await get('/', { accept: 'application/json' })).json()).toMatchObject({ service: 'candor', names: 1 })
    expect((await get('/', { accept: 'text/html,application/json' })).headers.get('content-type')).toContain(
      'text/html',
    )
    expect([(await get('/check')).status, (await get('/check', {}, 'POST')).status]).toEqual([401, 401])
    expect((await get('/check', { authorization: 'Bearer wrong' })).status).toBe(401)
    world.addresses = [WRONG]
    const answers: unknown[] = []
    for (let count = 0; count < 12; count++)
      answers.push(await (await get('/check', token, count % 2 === 0 ? 'GET' : 'POST')).json())
    expect(answers.at(-1)).toMatchObject({
      checked: 1,
      results: [
        { domain: 'shop.zone.example', recordType: 'A', ips: [WRONG], class: 'K4', resolvers: { one: [WRONG] } },
      ],
    })
    const url = '/api/v1/monitors/shop.zone.example/A'
    await expect.poll(() => read(daemon, url), { timeout: 20_000 }).toMatchObject({ incidents: [{ status: 'open' }] })
    for (let count = 0; count < 12; count++) await get('/check', token)
    const { changes } = (await read(daemon, `${url}/changes`)) as {
      readonly changes: readonly { readonly kind: string }[]
    }
    expect(changes.filter(({ kind }) => kind === 'new')).toHaveLength(1)
  }, 40_000)

  test('names file, line and the right form for each key that is wrong, and goes on with what was', async () => {
    const { daemon, file, resolvers } = await startWatching()
    const names = '[[domains]]\ndomain = "other.zone.example"\n'
    const wrong: readonly (readonly [string, RegExp])[] = [
      ['name = 1', /name = /],
      ['domain = "a b"', /domain = /],
      ['record_type = "AX"', /of A, AAAA/],
      ['category = []', /category = /],
      ['owner = ""', /owner = /],
      ['interval = "soon"', /1s to 24h/],
      ['full_interval = "soon"', /full_interval = /],
      ['mode = "automatic"', /"auto" or "pin"/],
      ['expect = [1]', /expect = /],
      ['approve = ["AS1 tomorrow", 2]', /approve = /],
      ['maintenance = ["tonight"]', /2026/],
      ['resolvers = ["onee", "two"]', /one/],
      ['channels = ["nobody"]', /alerts\.channels/],
      ['catgory = "web"', /category = /],
    ]
    for (const [line, hint] of wrong) {
      writeFileSync(file, `${resolvers}${line.startsWith('domain') ? '[[domains]]\n\n' : names}${line}\n`)
      daemon.hangUp()
      // `roots`, three lines for each of two resolvers, two lines of the name: it stands in the tenth.
      const refused = { place: `${file}:10`, hint: expect.stringMatching(hint) }
      await expect
        .poll(() => read(daemon, '/api/v1/daemon'), { timeout: 5_000 })
        .toMatchObject({ configuration: { refused } })
    }
    expect(await read(daemon, '/api/v1/monitors')).toMatchObject({ monitors: [{ domain: 'shop.zone.example' }] })
    expect((await daemon.client.get('/system')).text).toContain('no key &quot;catgory&quot;')
  })

  test('takes another file at SIGHUP, and keeps the old one where the new one is bad', async () => {
    const { daemon, file, resolvers } = await startWatching()
    const tail = `${resolvers}[[domains]]\ndomain = "other.zone.example"\nrecord_type = ["A", "MX"]\n`
    writeFileSync(file, `${tail}modee = "pin"\n`)
    daemon.hangUp()
    await expect
      .poll(() => read(daemon, '/api/v1/daemon'))
      .toMatchObject({
        configuration: { refused: { place: `${file}:11`, hint: 'mode = …' } },
      })
    expect(await read(daemon, '/api/v1/monitors')).toMatchObject({ monitors: [{ domain: 'shop.zone.example' }] })
    writeFileSync(file, tail)
    daemon.hangUp()
    await expect.poll(() => read(daemon, '/api/v1/monitors')).toMatchObject({ summary: { names: 2 } })
    expect(logged(daemon, 'daemon.monitor.watching')).toMatchObject([{ names: 1 }, { names: 2, resolvers: 2 }])
  })
})
