/**
 * Every script of the monitor's world, live: real resolvers over HTTPS, TLS and UDP, real authoritative servers and parent, one
 * watch over all names with an imported history, every duration but network time-outs a thirtieth.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { createDeliveryWorker } from '../../src/alerts/delivery-worker.ts'
import { importHistory } from '../../src/campaigns/monitor/import-history.ts'
import { parseMonitorFile } from '../../src/config/monitor-file.ts'
import { parseMonitorHistory } from '../../src/config/parse-monitor-history.ts'
import { silentLog } from '../../src/core/log.ts'
import { createSeededRandom } from '../../src/core/random.ts'
import { createMonitorWatch } from '../../src/daemon/monitor-watch.ts'
import { createCertificateAuthority } from '../../src/lab/certificate-authority.ts'
import { laboratoryAddressPlan, ownsLaboratoryAddress } from '../../src/lab/lab-address-plan.ts'
import { createLaboratoryNet } from '../../src/lab/laboratory-net.ts'
import { scriptDomain } from '../../src/lab/monitor-answers.ts'
import type { MonitorScript } from '../../src/lab/monitor-scripts.ts'
import { createMonitorWorld, type MonitorWorld } from '../../src/lab/monitor-world.ts'
import { startTelegramServer, type TelegramServer } from '../../src/lab/telegram-server.ts'
import type { MonitorPlan } from '../../src/model/monitor-name.ts'
import type { MonitorNotice } from '../../src/model/monitor-state.ts'
import { nodeClock } from '../../src/platform/node-clock.ts'
import { nodeFiles } from '../../src/platform/node-files.ts'
import { nodeNet } from '../../src/platform/node-net.ts'
import { nodeProcesses } from '../../src/platform/node-processes.ts'
import { openAlertStores } from '../../src/store/alert-stores.node.ts'
import { openMonitorArchive } from '../../src/store/monitor-archive.node.ts'
import { openMonitorStore } from '../../src/store/monitor-store.node.ts'
import { createRealChannels, exampleSettings, makeTestDirectory } from '../alert-fixtures/alert-parts.ts'
import { createScaledClock, type ScaledClock } from '../sim/scaled-clock.ts'

const IS_FULL = process.env['CANDOR_TEST_FULL'] !== undefined
const FACTOR = 30
const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS
const START_MINUTE = 2
/** A round is due within a minute, and the machine may be busy: a quarter of a minute of its own. */
const SLACK_MINUTES = 8
const TOKEN = '42:test'
const SHOUTING = 'hijack-all'

/** Something that was told, and at which minute of the world. */
interface Told {
  readonly minute: number
  readonly domain: string
  readonly notice: MonitorNotice
}

interface Scene {
  readonly clock: ScaledClock
  readonly world: MonitorWorld
  readonly telegram: TelegramServer
  readonly told: readonly Told[]
  readonly dead: () => Promise<number>
  readonly waitUntil: (minute: number) => Promise<void>
  readonly stop: () => Promise<void>
}

async function startScene(): Promise<Scene> {
  const directory = makeTestDirectory()
  const clock = createScaledClock(FACTOR)
  const startedAtMs = clock.nowMs()
  const minute = (): number => (clock.nowMs() - startedAtMs) / MINUTE_MS
  const authority = createCertificateAuthority('Candor test', nodeClock.wallNowMs())
  const machine = { net: nodeNet, clock, files: nodeFiles, processes: nodeProcesses, log: silentLog }
  const start = createMonitorWorld({ startMinute: START_MINUTE, interval: '60s' })
  const world = await start(machine, { seed: 'live', directory, authority })
  onTestFinished(() => world.close())
  const net = createLaboratoryNet(nodeNet, {
    routes: world.routes,
    authority: authority.certificate,
    owns: ownsLaboratoryAddress,
  })
  const plan = readPlan(join(directory, 'dns-monitor.toml'))
  await importInto(directory, plan)
  const telegram = await startTelegramServer({ token: TOKEN, clock: nodeClock })
  onTestFinished(() => telegram[Symbol.asyncDispose]())
  const archive = await openMonitorArchive(directory, 'test')
  const stores = await openAlertStores(directory, 'test')
  const channels = await createRealChannels(
    [exampleSettings({ kind: 'telegram', chatId: '7', apiBase: telegram.url })],
    { TELEGRAM_BOT_TOKEN: TOKEN },
  )
  const random = createSeededRandom('live')
  const policy = { timeoutMs: 5_000, giveUpAfterMs: HOUR_MS, quietHours: null, digest: null }
  const delivery = createDeliveryWorker({ ...stores, channels, policy, clock: nodeClock, random, log: silentLog })
  const told: Told[] = []
  const watch = createMonitorWatch({
    net,
    clock,
    networkClock: nodeClock,
    random,
    addressPlan: laboratoryAddressPlan,
    log: silentLog,
    archive,
    outbox: stores.outbox,
    plan,
    timeoutMs: 2_000,
    onTold: (notice, { tags }) => {
      const domain = tags.find((tag) => tag.startsWith('domain:'))?.slice('domain:'.length) ?? ''
      told.push({ minute: minute(), domain, notice })
      delivery.wake()
      return Promise.resolve()
    },
  })
  const controller = new AbortController()
  const delivering = delivery.run(controller.signal)
  const watching = watch.run(controller.signal)
  let stopping: Promise<void> | undefined
  const stop = (): Promise<void> =>
    (stopping ??= (async () => {
      controller.abort()
      await Promise.all([watching, delivering])
      await stores[Symbol.asyncDispose]()
      await archive[Symbol.asyncDispose]()
    })())
  onTestFinished(stop)
  const dead = async (): Promise<number> =>
    (await stores.outbox.status()).reduce((sum, channel) => sum + channel.dead + channel.waiting, 0)
  const waitUntil = async (until: number): Promise<void> => {
    await new Promise((resolve) => setTimeout(resolve, Math.max(0, ((until - minute()) * MINUTE_MS) / FACTOR)))
  }
  return { clock, world, telegram, told, dead, waitUntil, stop }
}

async function importInto(directory: string, plan: MonitorPlan): Promise<void> {
  await using store = await openMonitorStore(directory, 'test')
  const history = parseMonitorHistory('history', readFileSync(join(directory, 'history.jsonl'), 'utf8'))
  const counts = await importHistory(laboratoryAddressPlan, plan, store, history)
  expect(counts).toEqual({ taken: plan.names.length, left: 0 })
}

/** One name shouts: longer than a message of Telegram may be, and with everything that must be escaped. */
function readPlan(path: string): MonitorPlan {
  const plan = parseMonitorFile(path, readFileSync(path, 'utf8'))
  const names = plan.names.map((name) =>
    name.domain.includes(`${SHOUTING}.`) ? { ...name, name: `<b>&"${'long '.repeat(1_000)}` } : name,
  )
  return { ...plan, names }
}

/** What was told of a script, as its outcome says it. */
function observe(told: readonly Told[], script: MonitorScript): object {
  const own = told.filter(({ domain }) => domain === scriptDomain(script))
  const begun = own.filter(({ notice }) => notice.event === 'new')
  const pages = begun.filter(({ notice }) => notice.channel === 'page')
  const tickets = begun.filter(({ notice }) => notice.channel === 'ticket')
  const [first] = [...pages, ...tickets]
  return {
    name: script.name,
    pages: pages.length,
    tickets: tickets.length,
    subject: first?.notice.incident?.subject ?? null,
    isInTime:
      first === undefined ||
      (first.minute >= START_MINUTE && first.minute < START_MINUTE + script.outcome.withinMinutes + SLACK_MINUTES),
  }
}

function expectation({ name, outcome: { pages, tickets, subject } }: MonitorScript): object {
  return { name, pages, tickets, subject, isInTime: true }
}

/** Domains of which an event was told. */
function domainsTold(scene: Scene, event: MonitorNotice['event']): readonly string[] {
  return scene.told.filter(({ notice }) => notice.event === event).map(({ domain }) => domain)
}

function digests(scene: Scene): readonly string[] {
  return scene.told
    .filter(({ notice }) => notice.channel === 'digest')
    .map(({ notice }) => notice.incident?.subject ?? notice.title)
}

describe('createMonitorWatch in the world of scripts', () => {
  test('tells of each script what it is expected to tell, and Telegram gets it', async () => {
    const scene = await startScene()
    const { clock, world, telegram, dead, waitUntil, stop } = scene
    await waitUntil(7)
    await expect
      .poll(() => world.scripts.map((script) => observe(scene.told, script)), { timeout: 60_000, interval: 100 })
      .toEqual(world.scripts.map(expectation))
    // An hour in which nobody watched: serials that differ are told when they still do.
    clock.skip(61 * MINUTE_MS)
    await expect.poll(() => digests(scene), { timeout: 60_000 }).toContain('serials')
    // A day later the move has stood long enough.
    clock.skip(24 * HOUR_MS)
    await expect.poll(() => domainsTold(scene, 'recovered'), { timeout: 60_000 }).toContain('www.owner-moves.example')
    const moved = scene.told.find(
      ({ domain, notice }) => domain.includes('owner-moves') && notice.event === 'recovered',
    )
    expect(moved?.notice.incident).toMatchObject({
      status: 'changed',
      corroboration: { tls: 'valid', authoritative: 'all' },
    })
    const hijacked = scene.told.find(({ domain }) => domain === 'www.hijack-all.example')?.notice.incident
    expect(hijacked).toMatchObject({
      corroboration: { authoritative: 'none', tls: 'unknown', parentNs: 'same', parentDs: 'same' },
      intelligence: [{ ptr: null, level: 'high', country: 'XI' }],
    })

    const sent = scene.told.filter(({ notice }) => notice.channel !== 'digest').length
    await expect.poll(() => telegram.messages.length, { timeout: 30_000 }).toBeGreaterThan(sent)
    await expect.poll(dead, { timeout: 30_000 }).toBe(0)
    expect(telegram.messages.every(({ text }) => text.length <= 4_096)).toBe(true)
    const escaped = telegram.messages.filter(
      ({ html, text }) => html.includes('&lt;b&gt;&amp;') && text.includes('<b>&'),
    )
    expect(escaped).not.toEqual([])
    expect(Object.values(world.questions.counts()).map(({ total }) => total > 100)).toEqual([true, true, true])
    await stop()
  })

  test.runIf(IS_FULL)('sees a burst end, serials apart and a lower TTL without a jump of the clock', async () => {
    const scene = await startScene()
    await expect
      .poll(() => domainsTold(scene, 'recovered'), { timeout: 90_000 })
      .toEqual(expect.arrayContaining(['www.burst.example']))
    await scene.waitUntil(75)
    expect(scene.world.scripts.map((script) => observe(scene.told, script))).toEqual(
      scene.world.scripts.map(expectation),
    )
    await expect.poll(() => digests(scene), { timeout: 60_000 }).toContain('serials')
    await expect
      .poll(() => digests(scene).join(), { timeout: 240_000 })
      .toContain('the TTL of www.ttl-drop.example/A fell from 300 to 30')
    await scene.stop()
  })
})
