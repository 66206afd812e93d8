import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import type { DnsMessage, ResourceRecord } from '../../src/dns/message.ts'
import { formatName, parseName } from '../../src/dns/name.ts'
import type { Rdata } from '../../src/dns/rdata.ts'
import { parseRrType } from '../../src/dns/rr-type.ts'
import { serveDns, type DnsHandler } from '../../src/lab/serve-dns.ts'
import { nodeNet } from '../../src/platform/node-net.ts'
import { runSimulatedCli } from './simulated-cli.ts'
import { makeTemporaryDirectory } from './temporary-directory.ts'

function record(owner: string, type: string, rdata: Rdata): ResourceRecord {
  return { name: parseName(owner) ?? [], type: parseRrType(type) ?? 0, class: 1, ttl: 60, rdata }
}

const ns = (owner: string, server: string): ResourceRecord =>
  record(owner, 'NS', { kind: 'ns', name: parseName(server) ?? [] })
const a = (owner: string, address: string): ResourceRecord => record(owner, 'A', { kind: 'a', address })

type Sections = Partial<Pick<DnsMessage, 'answers' | 'authorities' | 'additionals'>>

function respond(query: DnsMessage, sections: Sections, header: Partial<DnsMessage['header']> = {}): DnsMessage {
  return { ...query, additionals: [], ...sections, header: { ...query.header, response: true, ...header } }
}

/** A root, two zones below it with servers of their own, all on one port, on addresses that nobody else uses. */
interface World {
  readonly port: number
  readonly addresses: readonly string[]
  readonly asked: string[]
}

/** Starts one server for each handler; the address of the n-th is `addresses[n]`. */
async function startWorld(...handlers: readonly ((world: World) => DnsHandler)[]): Promise<World> {
  const block = 1 + ((crypto.getRandomValues(new Uint8Array(1))[0] ?? 0) % 250)
  const addresses = handlers.map((_, index) => `127.101.${block}.${index + 1}`)
  const asked: string[] = []
  const world = { port: 0, addresses, asked }
  for (const [index, makeHandler] of handlers.entries()) {
    const server = await serveDns(
      nodeNet,
      { address: addresses[index] ?? '', port: world.port },
      (query, transport) => {
        asked.push(`${index} ${formatName(query.questions[0]?.name ?? [])} rd=${query.header.recursionDesired}`)
        return makeHandler(world)(query, transport)
      },
    )
    onTestFinished(() => server.close())
    world.port = server.endpoint.port
  }
  return world
}

/** Refers to servers by their names, with glue where an address is given. */
function referTo(zone: string, servers: Readonly<Record<string, string | undefined>>): DnsHandler {
  return (query) =>
    Promise.resolve(
      respond(query, {
        authorities: Object.keys(servers).map((server) => ns(zone, server)),
        additionals: Object.entries(servers).flatMap(([server, address]) =>
          address === undefined ? [] : [a(server, address)],
        ),
      }),
    )
}

function answerWith(address: string): DnsHandler {
  return (query) => {
    const answers = [a(formatName(query.questions[0]?.name ?? []), address)]
    return Promise.resolve(respond(query, { answers }, { authoritative: true }))
  }
}

interface Step {
  readonly query_name: string
  readonly status: string | null
  readonly trace: {
    readonly depth: number
    readonly zone: string
    readonly outcome: string
    readonly reason: string | null
  }
}

async function trace(world: World, ...flags: readonly string[]): Promise<{ status: number; steps: readonly Step[] }> {
  const root = `@${world.addresses[0]}#${world.port}`
  const outcome = await runSimulatedCli(['query', 'www.zone.test', '--trace', root, '--timeout', '500ms', ...flags])
  const steps = outcome.stdout.split('\n').flatMap((line) => (line === '' ? [] : [JSON.parse(line) as Step]))
  return { status: outcome.status, steps }
}

const outcomes = (steps: readonly Step[]): readonly string[] =>
  steps.map(({ trace: { depth, zone, outcome, reason } }) => `${depth} ${zone} ${outcome} ${reason ?? ''}`.trim())

describe('candor query --trace', () => {
  test('follows the delegations, without recursion, and shows every step', async () => {
    const world = await startWorld(
      ({ addresses }) => referTo('test', { 'ns.test': addresses[1] }),
      ({ addresses }) => referTo('zone.test', { 'ns.zone.test': addresses[2] }),
      () => answerWith('192.0.2.1'),
    )
    const { status, steps } = await trace(world)
    expect(status).toBe(0)
    expect(outcomes(steps)).toEqual(['0 . referral', '0 test. referral', '0 zone.test. answer'])
    expect(world.asked).toEqual(['0', '1', '2'].map((index) => `${index} www.zone.test rd=false`))
    expect(steps.at(-1)).toMatchObject({
      resolver: { address: world.addresses[2], port: world.port },
      trace: { step: 3, server: 'ns.zone.test.', next_zone: null },
      exchanges: [{ responses: [{ message: { answers: [{ data: '192.0.2.1' }] } }] }],
    })
  })

  test('looks for the address of a server that came without glue, and believes no glue from elsewhere', async () => {
    const world = await startWorld(
      ({ addresses }) =>
        (query, transport) =>
          formatName(query.questions[0]?.name ?? []).endsWith('other')
            ? referTo('other', { 'ns.other': addresses[3] })(query, transport)
            : referTo('test', { 'ns.test': addresses[1] })(query, transport),
      // The server of test. has no business to say where a server in other. is.
      () => referTo('zone.test', { 'ns.zone.other': '127.0.0.99' }),
      () => answerWith('192.0.2.1'),
      ({ addresses }) => answerWith(addresses[2] ?? ''),
    )
    const { status, steps } = await trace(world)
    expect(status).toBe(0)
    expect(outcomes(steps)).toEqual([
      '0 . referral',
      '0 test. referral',
      '1 . referral',
      '1 other. answer',
      '0 zone.test. answer',
    ])
  })

  test('asks the next server after a dead end', async () => {
    const world = await startWorld(
      ({ addresses }) => referTo('zone.test', { 'a.zone.test': addresses[1], 'b.zone.test': addresses[2] }),
      () => (query) => Promise.resolve(respond(query, {}, { rcode: 5 })),
      () => answerWith('192.0.2.1'),
    )
    const { status, steps } = await trace(world)
    expect(status).toBe(0)
    expect(outcomes(steps)).toEqual(['0 . referral', '0 zone.test. dead_end REFUSED', '0 zone.test. answer'])
  })

  test('ends with 1 at a referral that leads back up', async () => {
    const world = await startWorld(
      ({ addresses }) => referTo('zone.test', { 'a.zone.test': addresses[1] }),
      ({ addresses }) => referTo('test', { 'ns.test': addresses[0] }),
    )
    const { status, steps } = await trace(world)
    expect(status).toBe(1)
    expect(outcomes(steps)).toEqual(['0 . referral', '0 zone.test. dead_end the referral leads nowhere'])
  })

  test('follows an alias from the root, and believes no records of another zone that came along', async () => {
    const cname = (owner: string, target: string): ResourceRecord =>
      record(owner, 'CNAME', { kind: 'cname', name: parseName(target) ?? [] })
    const world = await startWorld(
      ({ addresses }) =>
        (query, transport) => {
          const zone =
            formatName(query.questions[0]?.name ?? [])
              .split('.')
              .at(-1) ?? ''
          return referTo(zone, { [`ns.${zone}`]: addresses[zone === 'test' ? 1 : 2] })(query, transport)
        },
      () => (query) => {
        const answers = [
          cname('www.zone.test', 'inner.test'),
          cname('inner.test', 'real.other'),
          a('real.other', '192.0.2.66'),
        ]
        return Promise.resolve(respond(query, { answers }, { authoritative: true }))
      },
      () => answerWith('192.0.2.1'),
    )
    const { status, steps } = await trace(world)
    expect(status).toBe(0)
    expect(outcomes(steps)).toEqual(['0 . referral', '0 test. alias', '0 . referral', '0 other. answer'])
    expect(steps.map(({ query_name: name }) => name)).toEqual([
      'www.zone.test.',
      'www.zone.test.',
      'real.other.',
      'real.other.',
    ])
    expect(steps[1]).toMatchObject({ trace: { next_name: 'real.other.', next_zone: null } })
    expect(steps[3]).toMatchObject({ exchanges: [{ responses: [{ message: { answers: [{ data: '192.0.2.1' }] } }] }] })
    const root = `@${world.addresses[0]}#${world.port}`
    const text = await runSimulatedCli(['query', 'www.zone.test', '--trace', root], { isTerminal: true })
    expect(text.stdout).toContain(': alias of real.other. after ')
  })

  test('takes an alias for the answer where the rest came along in its zone, or it was asked for', async () => {
    const cname = record('www.zone.test', 'CNAME', { kind: 'cname', name: parseName('real.zone.test') ?? [] })
    const world = await startWorld(() => (query) => {
      const answers = [cname, a('real.zone.test', '192.0.2.1')]
      return Promise.resolve(respond(query, { answers }, { authoritative: true }))
    })
    expect(outcomes((await trace(world)).steps)).toEqual(['0 . answer'])
    expect(outcomes((await trace(world, 'CNAME')).steps)).toEqual(['0 . answer'])
  })

  test('ends with 1 where aliases lead in a circle', async () => {
    const world = await startWorld(() => (query) => {
      const owner = formatName(query.questions[0]?.name ?? [])
      const target = parseName(owner === 'www.zone.test' ? 'other.test' : 'www.zone.test') ?? []
      const answers = [record(owner, 'CNAME', { kind: 'cname', name: target })]
      return Promise.resolve(respond(query, { answers }, { authoritative: true }))
    })
    const { status, steps } = await trace(world)
    expect(status).toBe(1)
    expect(steps).toHaveLength(13)
  })

  test('ends when servers need each other', async () => {
    const world = await startWorld(() => (query, transport) => {
      const name = formatName(query.questions[0]?.name ?? [])
      const zone = name.split('.').slice(-2).join('.')
      return referTo(zone, { [`ns.${zone === 'zone.test' ? 'other' : 'zone'}.test`]: undefined })(query, transport)
    })
    const { status, steps } = await trace(world)
    expect(status).toBe(1)
    expect(steps.length).toBeLessThanOrEqual(100)
  })

  test('begins at the servers of a hints file, and answers people', async () => {
    const world = await startWorld(
      ({ addresses }) => referTo('zone.test', { 'ns.zone.test': addresses[1] }),
      () => answerWith('192.0.2.1'),
    )
    const hints = join(makeTemporaryDirectory(), 'root.hints')
    writeFileSync(hints, `; roots\n.  3600000  NS  X.ROOT.TEST.\nX.ROOT.TEST. 3600000 A ${world.addresses[0]}\n`)
    const argv = ['query', 'www.zone.test', '--trace', '--root-hints', hints, '-p', String(world.port)]
    const text = (await runSimulatedCli(argv, { isTerminal: true })).stdout
    expect(text).toMatch(
      /^;; 1: \. asked X\.ROOT\.TEST\. \(127\.[\d.]+#\d+\) for www\.zone\.test\. A: referral to zone\.test\. after [\d.]+ ms\nzone\.test\.\t60\tIN\tNS\tns\.zone\.test\.\n/,
    )
    expect(text).toContain('\nwww.zone.test.\t60\tIN\tA\t192.0.2.1\n')
    expect((await runSimulatedCli([...argv, '--format', 'short'])).stdout).toBe('192.0.2.1\n')
    expect((await runSimulatedCli([...argv, '--expect-rcode', 'NXDOMAIN'])).status).toBe(4)
  })

  test.each([
    [['--trace', '--tls', '@192.0.2.1'], 'leave out the other'],
    [['--trace', '--via', 'A'.repeat(40)], 'leave out the other'],
    [['--trace', '--root-hints', '/dev/null'], 'named.root'],
  ])('refuses %j with status 2 and the corrected form', async (flags, fix) => {
    const outcome = await runSimulatedCli(['query', 'a.example', ...flags])
    expect(outcome).toMatchObject({ status: 2, stdout: '' })
    expect(outcome.stderr).toContain(fix)
  })
})
