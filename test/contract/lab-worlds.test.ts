/** A laboratory without Tor: its satellite world, seen by commands inside. */
import { existsSync } from 'node:fs'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { silentLog } from '../../src/core/log.ts'
import { ownsLaboratoryAddress } from '../../src/lab/lab-address-plan.ts'
import { LABORATORY_FILE } from '../../src/lab/laboratory-description.ts'
import { createLaboratoryNet } from '../../src/lab/laboratory-net.ts'
import { startLaboratoryWithoutTor } from '../../src/lab/laboratory.ts'
import { planSatelliteWorld } from '../../src/lab/satellite-plan.ts'
import { createSatelliteWorld } from '../../src/lab/satellite-world.ts'
import { nodeClock } from '../../src/platform/node-clock.ts'
import { nodeFiles } from '../../src/platform/node-files.ts'
import { nodeNet } from '../../src/platform/node-net.ts'
import { nodeProcesses } from '../../src/platform/node-processes.ts'
import { runSimulatedCli } from './simulated-cli.ts'

const SIZE = { resolvers: 20, domains: 40 }
const root = await mkdtemp(join(tmpdir(), 'candor-worlds-'))
const directory = join(root, 'lab')
const laboratory = await startLaboratoryWithoutTor(
  { clock: nodeClock, net: nodeNet, files: nodeFiles, processes: nodeProcesses, log: silentLog },
  { seed: 'contract', directory, worlds: new Map([['satellite', createSatelliteWorld(SIZE)]]) },
)
afterAll(async () => {
  await laboratory.stop()
  await rm(root, { recursive: true, force: true })
})

const plan = planSatelliteWorld('satellite-contract', SIZE)
const net = createLaboratoryNet(nodeNet, { ...laboratory.describe(), owns: ownsLaboratoryAddress })

function inside(...words: readonly string[]): ReturnType<typeof runSimulatedCli> {
  return runSimulatedCli(['lab', 'run', '--directory', directory, '--', ...words])
}

function findDomain(kind: string, isCensored = false): (typeof plan.domains)[number] {
  const found = plan.domains.find((domain) => domain.kind === kind && (!isCensored || domain.isCensored))
  if (found === undefined) throw new Error(`the plan has no name of the kind ${kind}`)
  return found
}

function resolverIn(country: string): string {
  return plan.resolvers.find((resolver) => resolver.country === country)?.address ?? ''
}

describe('the satellite world', () => {
  test('is what `lab status` says', async () => {
    const outcome = await runSimulatedCli(['lab', 'status', '--directory', directory])
    expect(outcome.status).toBe(0)
    expect(JSON.parse(outcome.stdout)).toEqual({
      world: 'satellite',
      summary: '20 resolvers in ten countries, 40 names',
      command: 'satellite full',
    })
  })

  test('answers on port 53 of its own addresses: a control resolver, a liar, an injector', async () => {
    const { name, home } = findDomain('single', true)
    const ask = async (server: string): Promise<readonly (readonly string[])[]> => {
      const outcome = await inside('query', name, 'A', `@${server}`, '--late-window', '300ms')
      const record = JSON.parse(outcome.stdout) as {
        exchanges: { responses: { message: { answers: { data: string }[] } }[] }[]
      }
      return record.exchanges.flatMap(({ responses }) =>
        responses.map(({ message }) => message.answers.map(({ data }) => data)),
      )
    }
    expect(await ask(plan.controls[0]?.address ?? '')).toEqual([home])
    expect(await ask(resolverIn('XI'))).toEqual([[expect.stringMatching(/^198\.19\.64\.1[01]$/)]])
    const injected = await ask(resolverIn('XJ'))
    expect(injected).toHaveLength(2)
    expect(injected[1]).toEqual(home)
  })

  test('serves pages under valid certificates, and block pages under others', async () => {
    const { name, home } = findDomain('single')
    const fetchPage = async (address: string, serverName: string): Promise<readonly (string | null)[]> => {
      const options = { serverName, mode: 'opportunistic', alpn: [] } as const
      const connection = await net.connectTls({ address, port: 443 }, options, 5_000)
      await connection.write(new TextEncoder().encode(`GET / HTTP/1.1\r\nHost: ${serverName}\r\n\r\n`))
      let text = ''
      for (let octets = await connection.read(); octets !== undefined; octets = await connection.read())
        text += new TextDecoder().decode(octets)
      connection.close()
      return [connection.tls.distrust, /<title>(.*)<\/title>/.exec(text)?.[1] ?? null]
    }
    expect(await fetchPage(home[0] ?? '', name)).toEqual([null, name])
    expect(await fetchPage('198.19.64.10', name)).toEqual([expect.stringMatching(/^ssl_/), 'By law'])
    expect(await fetchPage('198.19.66.10', name)).toEqual(['ssl_invalid_hostname', 'Notice of your provider'])
  })

  test('lets nobody run exits without a Tor network, and keeps the truth out of the lists', async () => {
    const outcome = await inside('exits', 'run')
    expect(outcome.status).toBe(1)
    expect(outcome.stderr).toContain('--worlds tor')
    const { options } = laboratory.describe().worlds['satellite'] as { options: Readonly<Record<string, string>> }
    for (const name of ['addresses', 'domains', 'control']) {
      expect(await readFile(options[name] ?? '', 'utf8')).not.toMatch(/block_page|injected|interference/)
    }
    expect(existsSync(join(directory, LABORATORY_FILE))).toBe(true)
  })
})
