import { request } from 'node:http'
import { readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { findDaemon } from '../../src/cli/daemon-client.ts'
import { startWebhookReceiver } from '../../src/lab/webhook-receiver.ts'
import { nodeClock } from '../../src/platform/node-clock.ts'
import { nodeFiles } from '../../src/platform/node-files.ts'
import { logged, startDaemon } from './serve-daemon.ts'
import { runSimulatedCli } from './simulated-cli.ts'
import { makeTemporaryDirectory } from './temporary-directory.ts'

/** The status that a server gives when it is asked under another name. */
function statusAt(url: string, host: string): Promise<number> {
  return new Promise((resolve, reject) => {
    request(`${url}healthz`, { headers: { host } }, (response) => {
      response.resume()
      resolve(response.statusCode ?? 0)
    })
      .once('error', reject)
      .end()
  })
}

describe('candor serve', () => {
  test('serves over TCP and over its socket, and ends with status 0', async () => {
    const daemon = await startDaemon()
    expect((await fetch(`${daemon.url}healthz`)).status).toBe(200)
    expect(await daemon.client.get('/healthz')).toMatchObject({ status: 200 })
    for (const name of ['candor.sock', 'daemon.db', 'lock.db']) {
      expect(statSync(join(daemon.dataDir, name)).mode & 0o777).toBe(0o600)
    }
    expect(await daemon.stop()).toBe(0)
    expect(await findDaemon(nodeFiles, daemon.dataDir)).toBeUndefined()
    await expect(fetch(`${daemon.url}healthz`)).rejects.toThrow('fetch failed')
  })

  test('leaves the data directory to the daemon that has it', async () => {
    const daemon = await startDaemon()
    const again = ['serve', '--config', daemon.configPath]
    const refused = await runSimulatedCli(again)
    expect(refused).toMatchObject({ status: 1, stdout: '' })
    expect(refused.stderr).toContain('is in use by candor serve')
    const skipped = await runSimulatedCli([...again, '--skip-if-busy'])
    expect(skipped).toMatchObject({ status: 0, stdout: '' })
    expect(skipped.stderr).toContain('skipped')
    expect((await daemon.client.get('/healthz')).status).toBe(200)
  })

  test('keeps the configuration when the new one is bad, and says where', async () => {
    const daemon = await startDaemon()
    const good = readFileSync(daemon.configPath, 'utf8')
    writeFileSync(daemon.configPath, `${good}[schedule]\nexits = "61 * * * *"\n`)
    daemon.hangUp()
    await expect.poll(() => logged(daemon, 'daemon.configuration.refused')).toHaveLength(1)
    expect(logged(daemon, 'daemon.configuration.refused')[0]).toMatchObject({
      level: 'error',
      place: `schedule.exits (${daemon.configPath}:5)`,
      message: expect.stringContaining("'61 * * * *'"),
      hint: 'exits = "15 */6 * * *"',
    })
    expect((await daemon.client.get('/healthz')).status).toBe(200)
    const status = await runSimulatedCli(['status', '--data-dir', daemon.dataDir])
    expect(status).toMatchObject({ status: 3, stderr: '' })
    expect(status.stdout).toContain(`the newest configuration is not in force: schedule.exits (${daemon.configPath}:5)`)
    expect(status.stdout).toContain('right would be: exits = "15 */6 * * *"')
  })

  test('takes a good configuration, and names what waits for a restart', async () => {
    const daemon = await startDaemon()
    const good = readFileSync(daemon.configPath, 'utf8').replace('port = 0', 'port = 1\nhosts = ["exits.example"]')
    writeFileSync(daemon.configPath, `${good}[schedule]\nexits = "never"\n`)
    daemon.hangUp()
    await expect.poll(() => logged(daemon, 'daemon.configuration.loaded')).toHaveLength(1)
    expect(logged(daemon, 'daemon.configuration.loaded')[0]).toMatchObject({ restart_needed: ['serve.port'] })
    const status = await runSimulatedCli(['status', '--data-dir', daemon.dataDir, '--json'])
    expect(status.status).toBe(0)
    expect(JSON.parse(status.stdout)).toMatchObject({
      daemon: {
        problems: [],
        version: '9.9.9',
        configuration: { refused: null, restart_needed: ['serve.port'] },
        pending_steps: [],
      },
      exits: { schedule: null, next_run_at: null, running_id: null, last: null },
    })
  })

  test('follows another schedule and answers to other hosts without a restart', async () => {
    const daemon = await startDaemon('[schedule]\njitter = 0\n[exits]\nmode = "nxdomain"\n')
    const campaign = async (): Promise<{ readonly schedule: string; readonly next_run_at: string }> =>
      JSON.parse((await daemon.client.get('/api/v1/campaigns/exits')).text) as Awaited<ReturnType<typeof campaign>>
    expect(await campaign()).toMatchObject({ schedule: '15 */6 * * *' })
    expect(await statusAt(daemon.url, 'exits.example')).toBe(421)
    const before = readFileSync(daemon.configPath, 'utf8')
    writeFileSync(
      daemon.configPath,
      before
        .replace('[serve]\n', '[serve]\nhosts = ["exits.example"]\n')
        .replace('[schedule]\n', '[schedule]\nexits = "7 4 * * *"\n'),
    )
    daemon.hangUp()
    await expect.poll(async () => (await campaign()).schedule).toBe('7 4 * * *')
    expect((await campaign()).next_run_at.slice(10)).toBe('T04:07:00.000Z')
    expect(await statusAt(daemon.url, 'exits.example')).toBe(200)
  })

  test('refuses a channel that cannot be set up, and takes one that can', async () => {
    await using first = await startWebhookReceiver({ secret: 'first', clock: nodeClock })
    const channel = `[[alerts.channels]]\nname = "ops"\nkind = "webhook"\nurl = "${first.url}"\n`
    const daemon = await startDaemon(channel, undefined, { CANDOR_WEBHOOK_SECRET: 'first' })
    const config = readFileSync(daemon.configPath, 'utf8')
    writeFileSync(daemon.configPath, config.replace('"webhook"', '"smtp"'))
    daemon.hangUp()
    await expect.poll(() => logged(daemon, 'daemon.configuration.refused')).toHaveLength(1)
    writeFileSync(daemon.configPath, config.replace('"ops"', '"others"'))
    daemon.hangUp()
    await expect.poll(() => logged(daemon, 'daemon.configuration.loaded')).toHaveLength(1)
    expect(await daemon.stop()).toBe(0)
  })

  test.each([
    [['--listen', '0.0.0.0'], 'every address of this machine'],
    [['--listen', '::'], 'every address of this machine'],
    [['--listen', '8.8.8.8'], 'it is public, and there is no token'],
    [['--listen', 'localhost'], 'no IP address'],
    [['--hosts', 'a b'], 'no host name'],
  ])('refuses %j', async (flags, reason) => {
    const outcome = await runSimulatedCli(['serve', '--data-dir', makeTemporaryDirectory(), ...flags])
    expect(outcome).toMatchObject({ status: 2, stdout: '' })
    expect(outcome.stderr).toContain(reason)
  })

  test('wants a data directory', async () => {
    const outcome = await runSimulatedCli(['serve'])
    expect(outcome).toMatchObject({ status: 2, stderr: expect.stringContaining('candor serve --data-dir DIRECTORY') })
  })

  test('says at the start what is wrong with a campaign', async () => {
    const outcome = await runSimulatedCli(['serve', '--data-dir', makeTemporaryDirectory()], {
      environment: { CANDOR_EXITS_DOMAIN: 'probe.zone.example' },
    })
    expect(outcome).toMatchObject({ status: 2, stderr: expect.stringContaining('--expect') })
  })
})

describe('candor status', () => {
  test('says that there is no daemon', async () => {
    const directory = makeTemporaryDirectory()
    const outcome = await runSimulatedCli(['status', '--data-dir', directory])
    expect(outcome).toMatchObject({ status: 1, stderr: expect.stringContaining(`no daemon answers in ${directory}`) })
  })
})
