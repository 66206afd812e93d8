import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import type { DnsMessage } from '../../src/dns/message.ts'
import { RCODE_NXDOMAIN, RCODE_SERVFAIL } from '../../src/dns/rcode.ts'
import { serveDns } from '../../src/lab/serve-dns.ts'
import { nodeNet } from '../../src/platform/node-net.ts'
import { runSimulatedCli } from './simulated-cli.ts'
import { makeTemporaryDirectory } from './temporary-directory.ts'

/** Addresses that are answered, or the RCODE; what is cut off over UDP comes over TCP. */
interface Told {
  addresses: readonly string[]
  rcode?: number
  isCut?: boolean
}

function reply(query: DnsMessage, { addresses, rcode = 0 }: Told, truncated: boolean): DnsMessage {
  const [question] = query.questions
  if (question === undefined) throw new Error('a query without question')
  const answers = addresses.map((address) => ({
    name: question.name,
    type: 1,
    class: 1,
    ttl: 60,
    rdata: { kind: 'a' as const, address },
  }))
  const header = { ...query.header, response: true, recursionAvailable: true, authenticData: false, truncated, rcode }
  return { ...query, header, answers: truncated || question.type !== 1 ? [] : answers }
}

/** Starts a resolver for each thing that is told, and writes a file that names them. @returns Its path. */
async function writePlan(told: readonly Told[], keys = ''): Promise<string> {
  const resolvers: string[] = []
  for (const [index, each] of told.entries()) {
    const server = await serveDns(nodeNet, { address: '127.0.0.1', port: 0 }, (query, transport) =>
      Promise.resolve(reply(query, each, each.isCut === true && transport === 'udp')),
    )
    onTestFinished(() => server.close())
    resolvers.push(`[[resolvers]]\nname = "r${index}"\nurl = "udp://127.0.0.1:${server.endpoint.port}"\n`)
  }
  const path = join(makeTemporaryDirectory(), 'dns-monitor.toml')
  writeFileSync(path, `${resolvers.join('')}[[domains]]\nname = "Shop"\ndomain = "shop.zone.example"\n${keys}`)
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
    expect(outcome.stderr).toContain('dns-monitor.toml:10')
  })
})
