import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { startTelegramServer, type TelegramServer } from '../../src/lab/telegram-server.ts'
import { startWebhookReceiver, type WebhookReceiver } from '../../src/lab/webhook-receiver.ts'
import { nodeClock } from '../../src/platform/node-clock.ts'
import { openAlertStores } from '../../src/store/alert-stores.node.ts'
import { exampleReport } from '../exit-fixtures/example-report.ts'
import { makeTestDirectory } from '../alert-fixtures/alert-parts.ts'
import { readText } from '../tidy/source-tree.ts'
import { runSimulatedCli, type CliOutcome } from './simulated-cli.ts'

const SECRETS = {
  TELEGRAM_BOT_TOKEN: '123456:SECRET-token',
  TELEGRAM_CHAT_ID: '-100777SECRET',
  CANDOR_WEBHOOK_SECRET: 'SECRET-key',
}

interface Place {
  readonly directory: string
  readonly telegram: TelegramServer
  readonly hook: WebhookReceiver
  /** What the webhook does: a status, or takes. */
  status: number | undefined
  run(...argv: readonly string[]): Promise<CliOutcome>
  records(...argv: readonly string[]): Promise<readonly Readonly<Record<string, unknown>>[]>
}

async function preparePlace(): Promise<Place> {
  const directory = makeTestDirectory()
  const telegram = await startTelegramServer({ token: SECRETS.TELEGRAM_BOT_TOKEN, clock: nodeClock })
  const behave = (): number | undefined => place.status
  const hook = await startWebhookReceiver({ secret: SECRETS.CANDOR_WEBHOOK_SECRET, clock: nodeClock, behave })
  onTestFinished(async () => {
    await telegram[Symbol.asyncDispose]()
    await hook[Symbol.asyncDispose]()
  })
  const config = join(directory, 'candor.toml')
  writeFileSync(
    config,
    `data_dir = "${directory}"

[alerts]
rule = "two_in_a_row"
operator_reports = "${directory}/operators"

[[alerts.channels]]
name = "chat"
kind = "telegram"
api_base = "${telegram.url}"
per_minute = 6000

[[alerts.channels]]
name = "hook"
kind = "webhook"
url = "${hook.url}"
per_minute = 6000
`,
  )
  const run = async (...argv: readonly string[]): Promise<CliOutcome> => {
    const outcome = await runSimulatedCli(['--config', config, ...argv], { environment: SECRETS })
    expect(outcome.stdout + outcome.stderr).not.toContain('SECRET')
    return outcome
  }
  const place: Place = {
    directory,
    telegram,
    hook,
    status: undefined,
    run,
    records: async (...argv) => {
      const { stdout } = await run(...argv)
      return stdout
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => JSON.parse(line) as Readonly<Record<string, unknown>>)
    },
  }
  return place
}

/** Writes the report of run number `index`, in which one relay has this status. @returns Its path. */
function writeReport({ directory }: Place, index: number, status: 'timeout' | 'success'): string {
  const path = join(directory, `dnshealth_20260131_12000${index}.json`)
  const facts = { run_id: `2026013112000${index}`, timestamp: `2026-01-31T12:00:0${index}.000Z` }
  writeFileSync(path, JSON.stringify(exampleReport([status], facts, { operator: 'example.org' })))
  return path
}

describe('candor alerts', () => {
  test('tests every channel and says what came of each', async () => {
    const place = await preparePlace()
    place.status = 503
    const outcome = await place.run('alerts', 'test')
    expect(outcome.status).toBe(1)
    expect(
      outcome.stdout
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line) as unknown),
    ).toEqual([
      { channel: 'chat', kind: 'telegram', outcome: 'sent', error: null },
      { channel: 'hook', kind: 'webhook', outcome: 'failed', error: 'http_unexpected_status_code: 503' },
    ])
    expect(place.telegram.messages[0]?.text).toContain('Nothing is wrong')
    expect((await place.run('alerts', 'test', 'chat')).status).toBe(0)
    expect(await place.run('alerts', 'test', 'chta')).toMatchObject({ status: 2 })
  })

  test('takes reports from incident to recovery, once each', async () => {
    const place = await preparePlace()
    const statuses = ['timeout', 'timeout', 'timeout', 'success'] as const
    const reports = statuses.map((status, index) => writeReport(place, index, status))
    expect(await place.records('alerts', 'process', ...reports.slice(0, 3))).toEqual([
      { run: '20260131120000', outcome: 'processed', new: 0, ongoing: 0, recovered: 0, messages: 0 },
      { run: '20260131120001', outcome: 'processed', new: 1, ongoing: 0, recovered: 0, messages: 1 },
      { run: '20260131120002', outcome: 'processed', new: 0, ongoing: 0, recovered: 0, messages: 0 },
    ])
    expect(await place.records('alerts', 'incidents', '--open')).toMatchObject([
      { status: 'open', operator: 'example.org', failure_type: 'timeout', consecutive_count: 3 },
    ])
    expect(await place.records('alerts', 'process', ...reports.slice(2))).toMatchObject([
      { outcome: 'known', messages: 0 },
      { outcome: 'processed', recovered: 1, messages: 1 },
    ])
    expect(await place.records('alerts', 'incidents', '--open')).toEqual([])
    expect(place.telegram.messages.map(({ text }) => text.split(':')[0])).toEqual([
      'New (medium)',
      'Recovered (medium)',
    ])
    const [first] = place.hook.webhooks
    const { alerts } = JSON.parse(first?.body ?? '') as { alerts: readonly object[] }
    expect(alerts.map((alert) => Object.keys(alert))).toEqual([
      ['fingerprint', 'exit_ip', 'failure_type', 'first_seen', 'last_seen', 'consecutive_count', 'tor_metrics_url'],
    ])
  })

  test('says what waits, what died and why, and tries again', async () => {
    const place = await preparePlace()
    const reports = [0, 1].map((index) => writeReport(place, index, 'timeout'))
    place.status = 500
    const waiting = await place.run('alerts', 'process', ...reports)
    expect(waiting.status).toBe(3)
    expect(waiting.stderr).toContain('hook: 1 not delivered yet (http_unexpected_status_code: 500)')
    expect(await place.records('alerts', 'list')).toMatchObject([
      { channel: 'chat', waiting: 0, dead: 0, sent: 1, last_error: null },
      { channel: 'hook', waiting: 1, dead: 0, sent: 0, last_error: 'http_unexpected_status_code: 500' },
    ])
    expect(await place.records('alerts', 'list', '--waiting')).toMatchObject([
      { channel: 'hook', state: 'waiting', attempts: 1, title: 'Exit exit1 of example.org fails at DNS' },
    ])
    place.status = 400
    const refused = await preparePlace()
    refused.status = 400
    const others = [0, 1].map((index) => writeReport(refused, index, 'timeout'))
    await refused.run('alerts', 'process', ...others)
    expect(await refused.records('alerts', 'list', '--dead')).toMatchObject([
      { channel: 'hook', state: 'dead', error: 'http_unexpected_status_code: 400' },
    ])
    refused.status = undefined
    expect(await refused.run('alerts', 'retry', 'hook')).toMatchObject({ status: 0, stderr: '1 put back\n' })
    expect(refused.hook.webhooks).toHaveLength(1)
  })

  test('puts back beside a daemon, and leaves delivering to it', async () => {
    const place = await preparePlace()
    place.status = 400
    await place.run('alerts', 'process', ...[0, 1].map((index) => writeReport(place, index, 'timeout')))
    await using daemon = await openAlertStores(place.directory, 'candor serve')
    expect(await place.run('alerts', 'retry')).toMatchObject({
      status: 0,
      stderr: '1 put back\nanother program delivers them: a daemon looks every second\n',
    })
    expect(await daemon.outbox.status()).toMatchObject([{ channel: 'chat' }, { channel: 'hook', waiting: 1, dead: 0 }])
    const { status, stderr } = await place.run('alerts', 'process')
    expect(status).toBe(1)
    expect(stderr).toContain('in use by candor serve')
  })

  test('shows a table on a terminal, and no secret in the effective configuration', async () => {
    const place = await preparePlace()
    const config = join(place.directory, 'candor.toml')
    const table = await runSimulatedCli(['--config', config, 'alerts', 'list'], {
      environment: SECRETS,
      isTerminal: true,
    })
    expect(table.stdout).toMatch(/^channel +kind +enabled +waiting/)
    const checked = await place.run('config', 'check')
    expect(checked.stdout).toContain('alerts.channels')
  })

  test('asks for a data directory, and for channels', async () => {
    expect(await runSimulatedCli(['alerts', 'list'])).toMatchObject({ status: 2 })
    const { stderr, status } = await runSimulatedCli(['alerts', 'test'])
    expect(status).toBe(2)
    expect(stderr).toContain('[[alerts.channels]]')
  })
})

describe('deploy/prometheus/candor.rules.yml', () => {
  test('looks at metrics that there are and that the manual explains', () => {
    const rules = readText('deploy/prometheus/candor.rules.yml')
    const used = new Set([...rules.matchAll(/\bcandor_\w+/g)].map(([name]) => name))
    const explained = new Set(
      [...readText('docs/manual/alerts.md').matchAll(/^\| `(candor_\w+)/gm)].map(([, name = '']) => name),
    )
    const exported = readText('src/api/metrics.ts')
    expect(used.size).toBeGreaterThan(4)
    expect([...used].filter((name) => !explained.has(name))).toEqual([])
    expect([...explained].filter((name) => !exported.includes(`'${name}'`))).toEqual([])
    // Each rule has what Prometheus needs; tabs are no YAML.
    expect(rules).not.toContain('\t')
    const count = (pattern: RegExp): number => [...rules.matchAll(pattern)].length
    expect(count(/^ {8}expr: /gm)).toBe(count(/^ {6}- alert: \w+$/gm))
    expect(count(/^ {10}summary: /gm)).toBe(count(/^ {6}- alert: \w+$/gm))
  })
})
