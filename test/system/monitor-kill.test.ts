/** A daemon that watches is killed the moment an incident is open, and the next one goes on with it. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { findDaemon, type DaemonClient } from '../../src/cli/daemon-client.ts'
import { nodeFiles } from '../../src/platform/node-files.ts'
import { startToldResolver } from '../contract/told-resolver.ts'
import { eventually, startCandor, type RunningCommand } from './laboratory-run.ts'
import { ask } from './serve-run.ts'

const isFull = process.env['CANDOR_TEST_FULL'] === '1'
const URL = '/api/v1/monitors/shop.zone.example/A'
const WAIT_MS = 60_000

/** What the API says of the name, as far as it is looked at. */
interface Detail {
  readonly values: readonly { readonly value: string }[]
  readonly incidents: readonly { readonly key: string; readonly status: string; readonly told_at: string | null }[]
}

if (!isFull) process.stderr.write('skipped: a daemon that watches and is killed (npm run test:full)\n')

describe.skipIf(!isFull)('a daemon that watches', () => {
  test('is killed while an incident is open, and the next goes on and ends within ten seconds', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'candor-kill-'))
    onTestFinished(() => {
      rmSync(directory, { recursive: true, force: true })
    })
    const world = { addresses: ['8.8.8.8'] }
    const ports = [await startToldResolver(() => world), await startToldResolver(() => world)]
    const resolvers = ports.map((port, index) => `[[resolvers]]\nname = "r${index}"\nurl = "udp://127.0.0.1:${port}"\n`)
    const name = '[[domains]]\ndomain = "shop.zone.example"\ninterval = "1s"\n'
    writeFileSync(join(directory, 'dns-monitor.toml'), `roots = "none"\n${resolvers.join('')}${name}`)
    const serve = '[serve]\nport = 0\n[schedule]\nexits = "never"\n[monitor]\ninclude = "dns-monitor.toml"\n'
    writeFileSync(join(directory, 'candor.toml'), `data_dir = "${directory}/data"\n${serve}`)
    const first = await start(directory)
    await untilDetail(first.client, ({ values }) => values.length === 1)
    world.addresses = ['10.0.0.1']
    await untilDetail(first.client, ({ incidents }) => incidents[0]?.status === 'open')
    first.command.kill('SIGKILL')
    await first.command.outcome
    const second = await start(directory)
    const detail = await ask<Detail>(second.client, URL)
    expect(detail).toMatchObject({ values: [{ value: '8.8.8.8' }], incidents: [{ status: 'open' }] })
    expect(detail.incidents[0]?.told_at).not.toBeNull()
    const { changes } = await ask<{ readonly changes: readonly { readonly kind: string }[] }>(
      second.client,
      `${URL}/changes`,
    )
    // At least once, and not over and over.
    expect([1, 2]).toContain(changes.filter(({ kind }) => kind === 'new').length)
    const stoppedAtMs = performance.now()
    second.command.kill('SIGTERM')
    expect((await second.command.outcome).status).toBe(0)
    expect(performance.now() - stoppedAtMs).toBeLessThan(10_000)
  }, 180_000)
})

async function start(directory: string): Promise<{ readonly command: RunningCommand; readonly client: DaemonClient }> {
  const command = startCandor(['serve', '--config', join(directory, 'candor.toml')], {})
  onTestFinished(() => {
    command.kill('SIGKILL')
  })
  let client: DaemonClient | undefined
  await eventually(async () => {
    if (!command.stderr().includes('daemon.started')) return false
    client = await findDaemon(nodeFiles, join(directory, 'data'))
    return client !== undefined
  }, WAIT_MS)
  if (client === undefined) throw new Error(`the daemon does not answer: ${command.stderr()}`)
  return { command, client }
}

async function untilDetail(client: DaemonClient, isRight: (detail: Detail) => boolean): Promise<void> {
  const isSeen = await eventually(async () => isRight(await ask<Detail>(client, URL)), WAIT_MS)
  if (!isSeen) throw new Error('the name never came to stand so')
}
