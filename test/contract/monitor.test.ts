import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { runCli } from '../../src/cli/run-cli.ts'
import type { Clock } from '../../src/core/clock.ts'
import { RCODE_NXDOMAIN, RCODE_SERVFAIL } from '../../src/dns/rcode.ts'
import { nodeClock } from '../../src/platform/node-clock.ts'
import { openAlertStores } from '../../src/store/alert-stores.node.ts'
import { createCliCapabilities, runSimulatedCli } from './simulated-cli.ts'
import { makeTemporaryDirectory } from './temporary-directory.ts'
import { startToldResolver, type Told } from './told-resolver.ts'

/** Starts a resolver for each thing that is told, and writes a file that names them. @returns Its path. */
async function writePlan(told: readonly Told[], keys = ''): Promise<string> {
  const resolvers: string[] = []
  for (const [index, each] of told.entries()) {
    const port = await startToldResolver(() => each)
    resolvers.push(`[[resolvers]]\nname = "r${index}"\nurl = "udp://127.0.0.1:${port}"\n`)
  }
  const path = join(makeTemporaryDirectory(), 'dns-monitor.toml')
  writeFileSync(
    path,
    `roots = "none"\n${resolvers.join('')}[[domains]]\nname = "Shop"\ndomain = "shop.zone.example"\n${keys}`,
  )
  return path
}

/** Checks what some resolvers tell. */
async function check(told: readonly Told[], keys = '', ...more: readonly string[]): Promise<CheckOutcome> {
  const path = await writePlan(told, keys)
  const outcome = await runSimulatedCli(['monitor', 'check', ...more, '--config', path, '--timeout', '2s'])
  return {
    ...outcome,
    records:
      more.length > 0
        ? []
        : outcome.stdout
            .trim()
            .split('\n')
            .map((line) => JSON.parse(line) as unknown),
  }
}

interface CheckOutcome {
  readonly status: number
  readonly stdout: string
  readonly stderr: string
  readonly records: readonly unknown[]
}

const right = { addresses: ['8.8.4.4', '8.8.8.8'] }
const wrong = { addresses: ['9.9.9.9'] }

describe('candor monitor check', () => {
  test('shows each resolver and their consensus; the order of addresses is of no meaning', async () => {
    const { status, stderr, records } = await check([right, { addresses: ['8.8.8.8', '8.8.4.4'], isCut: true }, wrong])
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
    expect(records).toMatchObject([
      {
        domain: 'shop.zone.example',
        record_type: 'A',
        class: 'K0',
        is_baseline: true,
        consensus: { kind: 'agreed', votes: 2, of: 3, answer: '8.8.4.4, 8.8.8.8' },
        answers: [{ resolver: 'r0', outcome: 'answer', ttl_seconds: 60 }, { answer: '8.8.4.4, 8.8.8.8' }, {}],
        would_tell: [],
      },
    ])
  })

  test('calls a tie a tie, and ends with 3', async () => {
    const { status, records } = await check([right, wrong])
    expect(status).toBe(3)
    expect(records).toMatchObject([{ consensus: { kind: 'tie', answers: ['8.8.4.4, 8.8.8.8', '9.9.9.9'] } }])
  })

  test.each<readonly [string, readonly Told[], object, object]>([
    ['new addresses everywhere', [wrong, wrong], { class: 'K3' }, { severity: 'critical', channel: 'page' }],
    [
      'a private address',
      [{ addresses: ['10.0.0.1'] }, { addresses: ['10.0.0.1'] }],
      { class: 'K4' },
      { severity: 'critical' },
    ],
    [
      'no answer',
      [
        { addresses: [], rcode: RCODE_NXDOMAIN },
        { addresses: [], rcode: RCODE_NXDOMAIN },
      ],
      { class: 'K5' },
      { severity: 'critical' },
    ],
    ['one resolver that lies', [right, right, wrong], { class: 'K3' }, { channel: 'ticket' }],
  ])('says what would be told of %s, and ends with 4', async (_what, told, expected, message) => {
    const { status, records } = await check(told, 'expect = ["8.8.0.0/16"]')
    expect(status).toBe(4)
    expect(records).toMatchObject([{ ...expected, would_tell: [message] }])
  })

  test('tells failure from an answer that says that there is none', async () => {
    const told = [
      { addresses: [], rcode: RCODE_SERVFAIL },
      { addresses: [], rcode: RCODE_SERVFAIL },
    ]
    const { status, records } = await check(told, 'expect = ["8.8.8.8"]')
    expect(status).toBe(3)
    expect(records).toMatchObject([
      { class: 'K6', consensus: { kind: 'none' }, answers: [{ outcome: 'servfail' }, {}] },
    ])
  })

  test('writes lines for people', async () => {
    const { stdout } = await check([right, right], 'expect = ["AS64500"]', 'Shop', '--format', 'text')
    expect(stdout).toContain('Shop: shop.zone.example A\n  r0')
    expect(stdout).toContain('if it stays: shop.zone.example/A has a new answer (critical, page)')
  })

  test.each<readonly [readonly string[], RegExp]>([
    [['shp'], /nothing of this name is watched[\s\S]*Shop/],
    [['--format', 'xml'], /two formats/],
    [['--timeout', '2h'], /--timeout 5s/],
  ])('refuses %j with the right form', async (argv, message) => {
    const path = await writePlan([right, right])
    const outcome = await runSimulatedCli(['monitor', 'check', ...argv, '--config', path])
    expect(outcome.status).toBe(2)
    expect(outcome.stderr).toMatch(message)
  })

  test('refuses to guess what to watch, and names the line of a mistake', async () => {
    expect(await runSimulatedCli(['monitor', 'check'])).toMatchObject({ status: 2 })
    const path = await writePlan([right, right], 'mode = "auto-matic"')
    const outcome = await runSimulatedCli(['monitor', 'check', '--config', path])
    expect(outcome.status).toBe(2)
    expect(outcome.stderr).toContain('dns-monitor.toml:11')
  })
})

/** A clock on which thirty seconds pass in one. */
function createFastClock(): Clock {
  const startMs = nodeClock.nowMs()
  const wallMs = nodeClock.wallNowMs()
  const nowMs = (): number => startMs + (nodeClock.nowMs() - startMs) * 30
  return {
    nowMs,
    wallNowMs: () => wallMs + nowMs() - startMs,
    setTimer: (delayMs, callback) => nodeClock.setTimer(delayMs / 30, callback),
  }
}

/** A watch that runs until it is stopped. */
interface Watch {
  /** What was told so far. */
  told(): readonly { readonly event: string; readonly channel: string; readonly incident: string | null }[]
  /** What was said to people. */
  said(): string
  stop(): Promise<number>
}

function startWatch(config: string, dataDirectory: string, hangups: (() => void)[] = []): Watch {
  const { capabilities, texts } = createCliCapabilities()
  const controller = new AbortController()
  const argv = ['monitor', 'run', '--config', config, '--data-dir', dataDirectory, '--timeout', '60s']
  const ended = runCli(argv, {
    ...capabilities,
    clock: createFastClock(),
    interrupted: controller.signal,
    onHangup: (callback) => {
      hangups.push(callback)
      return () => {}
    },
  })
  const stop = (): Promise<number> => {
    controller.abort()
    return ended
  }
  onTestFinished(async () => void (await stop()))
  return {
    told: () =>
      texts.stdout
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => JSON.parse(line) as ReturnType<Watch['told']>[number]),
    said: () => texts.stderr,
    stop,
  }
}

describe('candor monitor run', () => {
  test(
    'learns, pages once for what stands, is acknowledged beside it, and ends with 130',
    { timeout: 120_000 },
    async () => {
      const told: Told[] = [{ addresses: right.addresses }, { addresses: right.addresses }]
      const config = await writePlan(told, 'interval = "15s"')
      const data = makeTemporaryDirectory()
      const watch = startWatch(config, data)
      const explain = async (): Promise<Explained> => {
        const argv = ['monitor', 'explain', 'Shop', '--config', config, '--data-dir', data]
        return JSON.parse((await runSimulatedCli(argv)).stdout || '{"rounds":0}') as Explained
      }
      await expect.poll(async () => (await explain()).rounds, { timeout: 30_000 }).toBeGreaterThan(0)
      expect(await explain()).toMatchObject({
        is_learning: true,
        observed_mode: 'unknown',
        values: [{ value: '8.8.4.4', resolvers: ['r0', 'r1'] }, { value: '8.8.8.8' }],
        incidents: [],
      })
      for (const each of told) Object.assign(each, { addresses: [], rcode: RCODE_NXDOMAIN })
      await expect.poll(() => watch.told(), { timeout: 30_000 }).toMatchObject([{ event: 'new', channel: 'page' }])
      const flags = ['--config', config, '--data-dir', data]
      const checked = await runSimulatedCli(['monitor', 'check', ...flags])
      expect(JSON.parse(checked.stdout)).toMatchObject({ class: 'K5', is_baseline: false })
      const key = watch.told()[0]?.incident ?? ''
      await expect.poll(async () => (await explain()).incidents?.length, { timeout: 30_000 }).toBe(1)
      const acknowledged = await runSimulatedCli(['monitor', 'ack', key.slice(0, 12), '--who', 'Ada', ...flags])
      expect(acknowledged).toMatchObject({ status: 0, stderr: expect.stringContaining('1 incident is acknowledged') })
      expect(await explain()).toMatchObject({ incidents: [{ key, subject: 'K5', acknowledged: { who: 'Ada' } }] })
      const busy = await runSimulatedCli(['monitor', 'run', ...flags])
      expect(busy).toMatchObject({ status: 1, stderr: expect.stringContaining('candor monitor run') })
      for (const each of told) Object.assign(each, { addresses: right.addresses, rcode: 0 })
      await expect.poll(() => watch.told().map(({ event }) => event), { timeout: 40_000 }).toEqual(['new', 'recovered'])
      expect(await watch.stop()).toBe(130)
      await using stores = await openAlertStores(data, null)
      const messages = await stores.outbox.unrouted()
      expect(messages).toMatchObject([
        { campaign: 'monitor', event: 'new', severity: 'critical' },
        { event: 'recovered' },
      ])
    },
  )

  test(
    'takes no answer for most names as its own outage, once, and learns nothing from it',
    { timeout: 120_000 },
    async () => {
      const told: Told[] = [{ addresses: right.addresses }, { addresses: right.addresses }]
      const config = await writePlan(told, 'interval = "15s"\n[[domains]]\ndomain = "b.example"\ninterval = "15s"')
      const watch = startWatch(config, makeTemporaryDirectory())
      for (const each of told) Object.assign(each, { addresses: [], rcode: RCODE_SERVFAIL })
      await expect
        .poll(() => watch.told(), { timeout: 30_000 })
        .toMatchObject([{ event: 'new', channel: 'availability' }])
      for (const each of told) Object.assign(each, { addresses: right.addresses, rcode: 0 })
      await expect.poll(() => watch.told().length, { timeout: 30_000 }).toBe(2)
      expect(watch.told()[1]).toMatchObject({ event: 'recovered', incident: null })
    },
  )

  test(
    'reads the names again at SIGHUP, and keeps the old ones where the file cannot be used',
    { timeout: 60_000 },
    async () => {
      const config = await writePlan([right, right], 'interval = "1s"')
      const good = readFileSync(config, 'utf8')
      const hangups: (() => void)[] = []
      const watch = startWatch(config, makeTemporaryDirectory(), hangups)
      await expect.poll(() => hangups.length, { timeout: 20_000 }).toBe(1)
      writeFileSync(config, good.replace('interval = "1s"', 'interval = "often"'))
      hangups[0]?.()
      await expect.poll(() => watch.said(), { timeout: 20_000 }).toContain('from before stays in force')
      expect(watch.said()).toMatch(/dns-monitor\.toml:11\n\s+why: "often" is no interval\n\s+fix: interval = "60s"/)
      writeFileSync(config, `${good}\n[[domains]]\ndomain = "b.example"\n`)
      hangups[0]?.()
      await expect.poll(() => watch.said(), { timeout: 20_000 }).toContain('watching 2 names from now on')
      expect(await watch.stop()).toBe(130)
    },
  )

  test('wants a data directory', async () => {
    const config = await writePlan([right, right])
    expect(await runSimulatedCli(['monitor', 'run', '--config', config])).toMatchObject({ status: 2 })
  })
})

interface Explained {
  readonly rounds: number
  readonly incidents?: readonly unknown[]
}

describe('candor monitor import --history', () => {
  test('ends learning, and a watch pages at once for what is new', { timeout: 60_000 }, async () => {
    const config = await writePlan([wrong, wrong], 'interval = "15s"')
    const directory = makeTemporaryDirectory()
    const dump = join(directory, 'kv.json')
    const entry = { domain: 'shop.zone.example', ips: right.addresses, timestamp: 1_704_110_400_000, recordType: 'A' }
    const other = { ...entry, domain: 'other.example' }
    writeFileSync(dump, JSON.stringify({ 'dns:shop.zone.example:A': entry, 'dns:other.example:A': other }))
    const flags = ['--config', config, '--data-dir', directory]
    const imported = await runSimulatedCli(['monitor', 'import', dump, '--history', ...flags])
    expect(imported).toEqual({
      status: 0,
      stdout: '',
      stderr: '1 name has a history now; 1 of the file are not watched\n',
    })
    const explained = await runSimulatedCli(['monitor', 'explain', ...flags])
    expect(JSON.parse(explained.stdout)).toMatchObject({ is_learning: false, values: [{ value: '8.8.4.4' }, {}] })
    const again = join(directory, 'history.jsonl')
    writeFileSync(again, explained.stdout)
    expect(await runSimulatedCli(['monitor', 'import', again, '--history', ...flags])).toMatchObject({ status: 0 })
    const watch = startWatch(config, directory)
    await expect.poll(() => watch.told(), { timeout: 30_000 }).toMatchObject([{ event: 'new', channel: 'page' }])
    expect(await watch.stop()).toBe(130)
  })
})

describe('candor monitor ack', () => {
  test.each<readonly [readonly string[], RegExp]>([
    [['zz'], /no key of an incident/],
    [['0123456789'], /no open incident has this key/],
    [['0123456789', '--for', '1'.repeat(9)], /--for 24h/],
  ])('refuses %j', async (argv, message) => {
    const config = await writePlan([right, right])
    const flags = ['--config', config, '--data-dir', makeTemporaryDirectory()]
    const outcome = await runSimulatedCli(['monitor', 'ack', ...argv, ...flags])
    expect(outcome.status).toBe(2)
    expect(outcome.stderr).toMatch(message)
  })
})

describe('candor monitor import', () => {
  /** Imports a file. */
  async function importFile(name: string, text: string, ...more: readonly string[]): Promise<CheckOutcome> {
    const path = join(makeTemporaryDirectory(), name)
    writeFileSync(path, text)
    return { ...(await runSimulatedCli(['monitor', 'import', path, ...more])), records: [] }
  }

  test('makes one table for each domain of a CSV', async () => {
    const csv = 'name,domain,record_type,category\nShop,shop.example,A,web\nShop,shop.example,MX,web\n\n,b.example,,\n'
    const { status, stdout } = await importFile('names.csv', csv)
    expect(status).toBe(0)
    expect(stdout).toBe(
      [
        '[[domains]]\nname = "Shop"\ndomain = "shop.example"\nrecord_type = ["A", "MX"]\ncategory = "web"\n',
        '[[domains]]\nname = "b.example"\ndomain = "b.example"\nrecord_type = ["A"]\n',
      ].join('\n'),
    )
  })

  test('reads owners and types of a zone file', async () => {
    const zone = [
      '$TTL 3600',
      '@ IN SOA ns.zone.example. mail.zone.example. (',
      '  1 2 3 ; numbers',
      '  4 5 )',
      '  IN NS ns',
      'www 300 IN A 192.0.2.1 ; a host',
      '    IN TXT "a; ("',
      'x.other.example. AAAA 2001:db8::1',
      'old IN HINFO a b',
    ].join('\n')
    const { status, stdout } = await importFile('zone', zone, '--origin', 'zone.example')
    expect(status).toBe(0)
    expect(stdout).toContain('domain = "zone.example"\nrecord_type = ["SOA", "NS"]')
    expect(stdout).toContain('domain = "www.zone.example"\nrecord_type = ["A", "TXT"]')
    expect(stdout).toContain('domain = "x.other.example"\nrecord_type = ["AAAA"]')
    expect(stdout).not.toContain('old.')
  })

  test.each<readonly [string, string, readonly string[], RegExp]>([
    ['a.csv', 'domain,color\n', [], /a\.csv:1/],
    ['a.csv', 'domain\na.example\na b', [], /a\.csv:3/],
    ['a.csv', 'domain,record_type\na.example,AX', [], /a\.csv:2/],
    ['a.zone', '@ A 192.0.2.1', [], /--origin zone\.example/],
    ['a.zone', '$INCLUDE b', ['--origin', 'zone.example'], /a\.zone:1/],
    ['a.zone', 'www 300 192.0.2.1', ['--origin', 'zone.example'], /a\.zone:1/],
  ])('names the place of a mistake in %s: %j', async (name, text, more, message) => {
    const outcome = await importFile(name, text, ...more)
    expect(outcome.status).toBe(2)
    expect(outcome.stderr).toMatch(message)
  })
})
