/** Domains in a daemon of a laboratory, as a person sees them: pages in Chromium, one domain explained, released, watched by SmartDNS. */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { tmpdir } from 'node:os'
import { findFreePort } from '../../src/lab/find-free-port.ts'
import { nodeNet } from '../../src/platform/node-net.ts'
import { nodeProcesses } from '../../src/platform/node-processes.ts'
import { askAddresses } from '../sidecar-fixtures/upstream.ts'
import { eventually, startCandor, type RunningCommand } from './laboratory-run.ts'
import { CHROMIUM, findFlaws, launchChromium, LOOKS, withPage } from './page-browser.ts'

const NAMES = 80
const hasSmartDns = (await nodeProcesses.which('smartdns')) !== undefined

interface DomainsAnswer {
  readonly summary: { readonly domains: number; readonly states: Readonly<Record<string, number>> }
  readonly items: readonly { readonly name: string; readonly state: string; readonly route: string }[]
}

describe.skipIf(CHROMIUM === undefined)('domains in a daemon', () => {
  const root = mkdtempSync(join(tmpdir(), 'candor-domains-'))
  const laboratory = join(root, 'lab')
  const config = join(root, 'candor.toml')
  /** What has to end, also when something does not begin. */
  const undo = new AsyncDisposableStack()
  let daemon: RunningCommand
  let browser: Browser
  let url: string
  let smartDnsPort: number

  const readJson = async <T>(path: string): Promise<T> => (await (await fetch(new URL(path, url))).json()) as T
  const startDaemon = async (): Promise<RunningCommand> => {
    const command = startCandor(
      ['--config', config, '--verbosity', 'info', 'lab', 'run', '--directory', laboratory, '--', 'serve'],
      {},
    )
    await eventually(() => Promise.resolve(command.stderr().includes('daemon.started')), 30_000)
    url = /"url":"([^"]+)"/.exec(command.stderr())?.[1] ?? ''
    if (url === '') throw new Error(`the daemon did not start: ${command.stderr()}`)
    return command
  }
  const areAllChecked = async (): Promise<boolean> => {
    const { items } = await readJson<DomainsAnswer>('/api/v1/domains?limit=1000')
    return (
      items.length > NAMES &&
      items.every(({ route, state }) => route === 'wildcard' || route !== 'none' || state !== 'SUSPECT')
    )
  }

  beforeAll(async () => {
    undo.defer(() => {
      rmSync(root, { recursive: true, force: true })
    })
    const lab = startCandor(['lab', 'up', '--worlds', 'domains', '--seed', 'pages', '--directory', laboratory], {})
    undo.defer(async () => {
      lab.kill('SIGTERM')
      await lab.outcome
    })
    await eventually(() => Promise.resolve(lab.stderr().includes('Ready')), 30_000)
    const names = readFileSync(join(laboratory, 'domains/domains.txt'), 'utf8').split('\n').slice(0, NAMES)
    writeFileSync(join(root, 'names.txt'), names.join('\n'))
    ;({ port: smartDnsPort } = await findFreePort(nodeNet, '127.0.0.1'))
    writeFileSync(
      config,
      `data_dir = "${join(root, 'data')}"
[serve]
port = 0
[schedule]
exits = "never"
[domains]
list = ["${join(root, 'names.txt')}"]
write_every = 5
[smartdns]
enabled = ${hasSmartDns}
sets = false
port = ${smartDnsPort}
upstreams = ["127.0.0.1#9"]
`,
    )
    browser = await launchChromium()
    undo.defer(() => browser.close())
    daemon = await startDaemon()
    undo.defer(async () => {
      daemon.kill('SIGTERM')
      await daemon.outcome
    })
    await eventually(areAllChecked, 60_000)
  }, 120_000)

  afterAll(async () => {
    await undo.disposeAsync()
  }, 60_000)

  test.each(LOOKS.filter((_, index) => index % 3 === 0))(
    'are accessible and fit, $width px, $colorScheme',
    async ({ width, colorScheme }) => {
      const { items } = await readJson<DomainsAnswer>('/api/v1/domains?state=QUARANTINE')
      const pages = [
        '/',
        '/domains',
        `/domains/${items[0]?.name}`,
        '/domains/n1.names.example',
        '/resolvers',
        '/system',
      ]
      for (const path of hasSmartDns ? [...pages, '/sidecars/smartdns'] : pages) {
        const complaints = await withPage(
          browser,
          new URL(path, url).href,
          { viewport: { width, height: 900 }, colorScheme },
          async (page) => {
            for (const summary of await page.locator('summary').all()) await summary.click()
            expect([path, await findFlaws(page)]).toEqual([path, []])
          },
        )
        expect(complaints).toEqual([])
      }
    },
  )

  test('are found from the overview, narrowed by state, and explained with every attempt, without script', async () => {
    const complaints = await withPage(browser, url, { javaScriptEnabled: false }, async (page) => {
      await page.getByRole('navigation', { name: 'Pages' }).getByRole('link', { name: 'Domains' }).click()
      expect(await page.getByRole('heading', { level: 1 }).textContent()).toMatch(/^\d+ domains: \d+ well, /)
      await page.getByRole('link', { name: /^quarantine/ }).click()
      const table = page.getByRole('region', { name: 'Domains, table' })
      const dead = table.getByRole('row').nth(1)
      await dead.getByRole('link').click()
      expect(await page.getByRole('heading', { level: 1 }).textContent()).toContain('is in quarantine')
      const attempts = page.getByRole('region', { name: 'Attempts, table' }).first()
      expect(await attempts.getByRole('cell', { name: 'NXDOMAIN' }).count()).toBeGreaterThan(1)
    })
    expect(complaints).toEqual([])
  })

  test('are released over the daemon by the command beside it', async () => {
    const { items } = await readJson<DomainsAnswer>('/api/v1/domains?state=QUARANTINE')
    const name = items.at(-1)?.name ?? ''
    const args = ['--config', config, 'domains', 'release', name, '--format', 'jsonl']
    const { status, stdout } = await startCandor(args, {}).outcome
    expect([status, JSON.parse(stdout)]).toEqual([0, { name, state_before: 'QUARANTINE', released: true }])
    const { trace } = await readJson<{ readonly trace: readonly { readonly pass: string }[] }>(
      `/api/v1/domains/${name}/trace`,
    )
    expect(trace.some(({ pass }) => pass === 'release')).toBe(true)
  })

  test('write sets whose durable part has an address of every domain that is well', async () => {
    const text = readFileSync(join(root, 'data/domains/sets/sets.nft'), 'utf8')
    const { items } = await readJson<{
      readonly items: readonly { readonly route: string; readonly addresses: readonly { readonly address: string }[] }[]
    }>('/api/v1/domains?limit=1000')
    const direct = items.filter(({ route }) => route === 'direct')
    expect(direct.length).toBeGreaterThan(NAMES / 2)
    for (const { addresses } of direct) for (const { address } of addresses) expect(text).toContain(address)
  })

  test('count in metrics, and in the state of the resolvers', async () => {
    const metrics = await (await fetch(new URL('/metrics', url))).text()
    expect(metrics).toMatch(/candor_domains_checks_total [1-9]/)
    const { items } = await readJson<{ readonly items: readonly { readonly attempts: number }[] }>('/api/v1/resolvers')
    expect(items).toHaveLength(6)
    expect(items.some(({ attempts }) => attempts > 0)).toBe(true)
  })

  test.skipIf(!hasSmartDns)(
    'are promoted when a client is answered for a name below a wildcard (smartdns)',
    async () => {
      const wildcard = readFileSync(join(laboratory, 'domains/wildcards.txt'), 'utf8')
        .split('\n')
        .find((line) => line !== '' && !line.startsWith('#'))
      const name = (wildcard ?? '').replace('*.', '')
      // The upstream of this SmartDNS is nobody; the configuration knows the wildcards of the lists all the same.
      const { configuration } = await readJson<{ readonly configuration: string }>(
        '/api/v1/sidecars/smartdns/configuration',
      )
      expect(configuration).toContain('server 127.0.0.1:9')
      expect(await askAddresses({ address: '127.0.0.1', port: smartDnsPort }, 'ready.candor.invalid')).toEqual([])
      const line = `[${new Date().toISOString().replace('T', ' ').replace('.', ',').replace('Z', '')}] 127.0.0.1 query a.${name}, type 1, time 1ms, speed: -0.1ms, result 198.51.100.7\n`
      writeFileSync(join(root, 'data/smartdns/audit.log'), line, { flag: 'a' })
      const isSeen = await eventually(async () => {
        const { domain } = await readJson<{
          readonly domain: { readonly addresses: readonly { readonly source: string }[]; readonly state: string }
        }>(`/api/v1/domains/${name}/trace`)
        return domain.addresses.some(({ source }) => source === 'runtime')
      }, 20_000)
      expect(isSeen).toBe(true)
      const path = join(root, 'data/domains/sets/sets-rt.nft')
      const isRenewed = await eventually(
        () => existsSync(path) && readFileSync(path, 'utf8').includes('198.51.100.7 timeout'),
        10_000,
      )
      expect(isRenewed).toBe(true)
    },
  )

  test('end with the daemon, with status 0, and go on with the next', async () => {
    daemon.kill('SIGTERM')
    expect((await daemon.outcome).status).toBe(0)
    daemon = await startDaemon()
    expect((await readJson<DomainsAnswer>('/api/v1/domains')).summary.domains).toBeGreaterThan(NAMES)
  })

  test('go on where they were after the daemon was killed', async () => {
    const before = await readJson<DomainsAnswer>('/api/v1/domains')
    daemon.kill('SIGKILL')
    await daemon.outcome
    daemon = await startDaemon()
    const after = await readJson<DomainsAnswer>('/api/v1/domains')
    expect(after.summary.domains).toBe(before.summary.domains)
    expect(after.summary.states['QUARANTINE']).toBe(before.summary.states['QUARANTINE'])
  })
})
