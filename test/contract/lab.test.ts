/** `candor lab` without Tor: what it refuses, and what a command inside a laboratory is given. */
import { existsSync } from 'node:fs'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import {
  LABORATORY_FILE,
  type LaboratoryDescription,
  type TorDescription,
} from '../../src/lab/laboratory-description.ts'
import { runSimulatedCli } from './simulated-cli.ts'
import { makeTemporaryDirectory } from './temporary-directory.ts'

const SERVER = { address: '127.252.7.1', port: 53_053 }

/** A directory with the description of a laboratory that is held by `pid`. */
async function makeLaboratoryDirectory(pid: number): Promise<string> {
  const directory = makeTemporaryDirectory()
  const tor: TorDescription = {
    zone: { name: 'exit-check.candor.test', expect: ['198.51.100.53'], server: SERVER },
    second_zone: { name: 'second.candor.test', expect: ['198.51.100.54'], server: SERVER },
    resolver: SERVER,
    signed_zone: 'signed.candor.test',
    bogus_zone: 'bogus.candor.test',
    torrc_append: join(directory, 'client.torrc'),
    torrc_append_connect: join(directory, 'client-connect.torrc'),
    authority_log: join(directory, 'authority.jsonl'),
    decoys: join(directory, 'decoys.txt'),
    stable_domains: join(directory, 'stable-domains.txt'),
    page: { host: 'www.pages.candor.test', web: SERVER, echo: SERVER },
    relays: [],
    truth: { ['A'.repeat(40)]: { fault: 'servfail', description: 'It fails.', expected: [] } },
    skipped: {},
  }
  const description: LaboratoryDescription = {
    format: 'candor-laboratory/2',
    pid,
    directory,
    seed: 'seed',
    tor,
    worlds: {},
    environment: {},
    authority: '',
    routes: [],
  }
  await writeFile(join(directory, LABORATORY_FILE), JSON.stringify(description))
  for (const [name, text] of [
    ['client.torrc', 'TestingTorNetwork 1\n'],
    ['authority.jsonl', ''],
    ['decoys.txt', 'www.pages.candor.test 198.51.100.80\n'],
    ['stable-domains.txt', 'www.pages.candor.test\n'],
  ] as const) {
    await writeFile(join(directory, name), text)
  }
  return directory
}

describe('candor lab', () => {
  test.each([
    [['--fault', 'none-such'], "there is no fault 'none-such'", 'one of right_ipv6'],
    [['--exits', '0'], '--exits is 0, outside 1 to 190 relays', '--exits 8'],
    [['--authorities', 'three'], '--authorities', '--authorities 3'],
    [['--worlds', 'tor,moon'], "there is no world 'moon'", 'some of tor'],
  ])('up refuses %j and leaves nothing behind', async (args, why, fix) => {
    const directory = join(makeTemporaryDirectory(), 'lab')
    const outcome = await runSimulatedCli(['lab', 'up', '--directory', directory, ...args])
    expect(outcome).toMatchObject({ status: 2, stdout: '' })
    expect(outcome.stderr).toContain(why)
    expect(outcome.stderr).toContain(fix)
    expect(existsSync(directory)).toBe(false)
  })

  test.each([['run', '--', 'exits', 'run'], ['down']])(
    '%s says how to start a laboratory where none stands',
    async (...args) => {
      const directory = makeTemporaryDirectory()
      const [command = '', ...rest] = args
      const outcome = await runSimulatedCli(['lab', command, '--directory', directory, ...rest])
      expect(outcome.status).toBe(1)
      expect(outcome.stderr).toContain('candor lab up')
    },
  )

  test('run takes a laboratory whose process has ended for gone', async () => {
    const directory = await makeLaboratoryDirectory(0x7fff_fff0)
    const outcome = await runSimulatedCli(['lab', 'run', '--directory', directory, '--', 'config', 'check'])
    expect(outcome.status).toBe(1)
    expect(outcome.stderr).toContain('is gone')
  })

  test('run gives a command the settings of the laboratory, but what the user has set goes first', async () => {
    const directory = await makeLaboratoryDirectory(process.pid)
    const outcome = await runSimulatedCli(
      ['lab', 'run', '--directory', directory, '--', 'config', 'check', '--format', 'jsonl', '--in-flight', '8'],
      { environment: { CANDOR_EXITS_DOMAIN: 'probe.mine.example' } },
    )
    expect(outcome).toMatchObject({ status: 0, stderr: '' })
    const settings = new Map(
      outcome.stdout
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line) as { key: string; value: unknown })
        .map(({ key, value }) => [key, value]),
    )
    expect(settings.get('exits.domain')).toBe('probe.mine.example')
    expect(settings.get('exits.second_domain')).toBe('second.candor.test')
    expect(settings.get('exits.analysis_dir')).toBe(join(directory, 'results'))
    expect(settings.get('exits.in_flight')).toBe(8)
  })

  test('run takes the configuration file that is named before it, and its values go first too', async () => {
    const directory = await makeLaboratoryDirectory(process.pid)
    const config = join(directory, 'candor.toml')
    await writeFile(config, '[exits]\nanalysis_dir = "elsewhere"\n')
    const words = ['lab', 'run', '--directory', directory, '--', 'config', 'check', '--format', 'jsonl']
    const outcome = await runSimulatedCli(['--config', config, ...words])
    expect(outcome).toMatchObject({ status: 0, stderr: '' })
    expect(outcome.stdout).toContain('"elsewhere"')
    expect(outcome.stdout).toContain('"exit-check.candor.test"')
  })

  test('run runs other programs too, without telling them the truth in a variable', async () => {
    const directory = await makeLaboratoryDirectory(process.pid)
    await mkdir(join(directory, 'out'))
    const file = join(directory, 'out', 'environment')
    const run = (script: string): Promise<{ status: number }> =>
      runSimulatedCli(['lab', 'run', '--directory', directory, '--', 'sh', '-c', script])
    expect((await run(`env > ${file}; exit 0`)).status).toBe(0)
    expect((await run('exit 3')).status).toBe(1)
    const environment = await readFile(file, 'utf8')
    expect(environment).toContain(`CANDOR_LABORATORY=${join(directory, LABORATORY_FILE)}`)
    expect(environment).toContain('CANDOR_EXITS_DOMAIN=exit-check.candor.test')
    expect(environment).not.toContain('servfail')
  })

  test('run refuses a laboratory inside a laboratory', async () => {
    const directory = await makeLaboratoryDirectory(process.pid)
    const outcome = await runSimulatedCli(['lab', 'run', '--directory', directory, '--', 'lab', 'up'])
    expect(outcome).toMatchObject({ status: 2, stdout: '' })
  })
})
