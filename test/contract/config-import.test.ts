import { readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { configKey, loadConfig } from '../../src/config/load-config.ts'
import { OLD_NAMES } from '../../src/config/old-names.ts'
import { SETTING_GROUPS } from '../../src/config/setting-groups.ts'
import { makeTestDirectory } from '../publish-fixtures/published-year.ts'
import { formatExampleConfig } from './example-config.ts'
import { runSimulatedCli } from './simulated-cli.ts'

const OLD = `# exitmap-deploy Configuration

# === Paths ===
EXITMAP_DIR=$HOME/exitmap
OUTPUT_DIR=$HOME/exitmap-deploy/public
LOG_DIR=$HOME/exitmap-deploy/logs

# === Scan Settings ===
BUILD_DELAY=2                    # Seconds between circuit builds
DELAY_NOISE="1.5"
FIRST_HOP=${'A'.repeat(40)}      # Your controlled relay (recommended)
ALL_EXITS=true                   # Include BadExit relays

# === Cloud Storage ===
DO_ENABLED=true
DO_BUCKET='exitmap-dns-results'
DO_SPACES_KEY=DOKEY-nobody-may-see
DO_SPACES_SECRET='DOSECRET/nobody+may=see'
DO_SPACES_REGION=nyc3

R2_ENABLED=false
R2_BUCKET=exitmap-dns-results
R2_ACCESS_KEY_ID=
R2_SECRET_ACCESS_KEY=

CF_ACCOUNT_ID=
CF_API_TOKEN=TOKEN-nobody-may-see
PAGES_PROJECT=exitmap-dns
`

async function importFile(text: string, ...options: readonly string[]): ReturnType<typeof runSimulatedCli> {
  const path = join(await makeTestDirectory(), 'config.env')
  await writeFile(path, text)
  return runSimulatedCli(['config', 'import', path, ...options], { environment: { HOME: '/home/candor' } })
}

describe('candor config import', () => {
  test('takes over the old example: settings into one file, keys into another that nobody else can read', async () => {
    const directory = await makeTestDirectory()
    const [toml, secrets] = [join(directory, 'candor.toml'), join(directory, 'candor.env')]
    const outcome = await importFile(OLD, '--output', toml)
    expect(outcome).toMatchObject({ status: 0, stdout: '' })
    expect(await readFile(toml, 'utf8')).toBe(`# Made from config.env. All settings: candor.toml.example

[exits]
analysis_dir = "/home/candor/exitmap-deploy/public" # OUTPUT_DIR
build_delay = 2 # BUILD_DELAY
delay_noise = 1.5 # DELAY_NOISE
first_hop = ["${'A'.repeat(40)}"] # FIRST_HOP
all_exits = true # ALL_EXITS

[[publish.stores]]
name = "do"
kind = "spaces"
enabled = true # DO_ENABLED
bucket = "exitmap-dns-results" # DO_BUCKET
region = "nyc3" # DO_SPACES_REGION

[[publish.stores]]
name = "r2"
kind = "r2"
enabled = false # R2_ENABLED
bucket = "exitmap-dns-results" # R2_BUCKET
`)
    expect(await readFile(secrets, 'utf8')).toBe(
      [
        "CANDOR_STORE_DO_ACCESS_KEY_ID='DOKEY-nobody-may-see'",
        "CANDOR_STORE_DO_SECRET_ACCESS_KEY='DOSECRET/nobody+may=see'",
        "CLOUDFLARE_API_TOKEN='TOKEN-nobody-may-see'",
        '',
      ].join('\n'),
    )
    expect((await stat(secrets)).mode & 0o777).toBe(0o600)
    expect(outcome.stderr).toContain('config.env:4: EXITMAP_DIR is not needed')
    expect(outcome.stderr).not.toMatch(/nobody.may.see/)
    const check = await runSimulatedCli(['config', 'check', '--config', toml, '--mode', 'nxdomain'])
    expect(check).toMatchObject({ status: 0 })
  })

  test('names what is not taken over by its line, without its value, and takes over the rest', async () => {
    const directory = await makeTestDirectory()
    const text = 'BUILD_DELAY=soon\nWHATEVER=secret1\nDO_SPACES_KEY=$(cat secret2)\nR2_BUCKET=b\nDELAY_NOISE=3\n'
    const { status, stdout, stderr } = await importFile(text, '--secrets', join(directory, 'keys'))
    expect(status).toBe(3)
    const warnings = stderr.split('\n').map((line) => line.replace(/\/.*\//, ''))
    expect(warnings.slice(0, 3)).toEqual([
      "warning: config.env:1 is not taken over: BUILD_DELAY: is 'soon', which is no such number",
      'warning: config.env:2 is not taken over: WHATEVER: there was no such setting',
      'warning: config.env:3 is not taken over: DO_SPACES_KEY: only a shell could say what this is',
    ])
    expect(stderr).not.toContain('secret1')
    expect(stdout).toContain('[exits]\ndelay_noise = 3 # DELAY_NOISE\n')
    expect(stdout).toContain('name = "r2"\nkind = "r2"\nbucket = "b" # R2_BUCKET\n')
  })

  test('overwrites nothing', async () => {
    const path = join(await makeTestDirectory(), 'there')
    await writeFile(path, 'mine')
    for (const options of [
      ['--output', path],
      ['--secrets', path],
    ]) {
      const { status, stderr } = await importFile(OLD, ...options)
      expect(status).toBe(2)
      expect(stderr).toContain('nothing is overwritten')
    }
    expect(await readFile(path, 'utf8')).toBe('mine')
  })
})

describe('candor.toml.example', () => {
  test('is a configuration as it stands, and with every setting switched on', () => {
    const text = formatExampleConfig()
    const load = (file: string): ReturnType<typeof loadConfig> =>
      loadConfig({ file: { path: 'candor.toml', text: file }, environment: {}, flags: new Map() }, SETTING_GROUPS)
    for (const group of load(text)) for (const { origin } of group.values()) expect(origin).toBe('default')
    const everything = load(text.replaceAll(/^#(?=[a-z[])/gm, ''))
    for (const [index, group] of SETTING_GROUPS.entries())
      for (const setting of group.settings)
        expect([configKey(group, setting), everything[index]?.get(setting.name)?.origin]).toEqual([
          configKey(group, setting),
          expect.stringContaining('candor.toml'),
        ])
  })

  test('has every old name', () => {
    const text = formatExampleConfig()
    for (const name of Object.keys(OLD_NAMES)) expect(text).toContain(name)
  })
})
