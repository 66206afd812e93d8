/** The rules of our own over a small scan, as the commands run them. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { runSimulatedCli } from './simulated-cli.ts'
import { makeTemporaryDirectory } from './temporary-directory.ts'

const DOMAIN = 'www.example.org'
const RIGHT = '8.8.0.1'
const LIE = '9.9.9.9'
type Fields = Readonly<Record<string, unknown>>

function put(directory: string, path: string, records: readonly object[]): void {
  mkdirSync(dirname(join(directory, path)), { recursive: true })
  writeFileSync(join(directory, path), records.map((record) => `${JSON.stringify(record)}\n`).join(''))
}

function readLines(path: string): readonly Fields[] {
  const lines = readFileSync(path, 'utf8').trim().split('\n')
  return lines.map((line) => JSON.parse(line) as Fields)
}

function makeRow(vp: string, answer: string): Fields {
  const trial = { url: DOMAIN, has_type_a: true, response: [answer], error: 'null', rcode: 0 }
  return { vp, test_url: DOMAIN, response: [trial], passed_liveness: true, connect_error: false }
}

/** Six resolvers of XA that lie, three of XB that do not, and what was seen beside the rows. */
function writeScan(): string {
  const scan = makeTemporaryDirectory()
  const liars = [1, 2, 3, 4, 5, 6].map((at) => `8.8.4.${at}`)
  const honest = [1, 2, 3].map((at) => `8.8.5.${at}`)
  put(scan, 'raw/responses.json', [...liars.map((vp) => makeRow(vp, LIE)), ...honest.map((vp) => makeRow(vp, RIGHT))])
  put(
    scan,
    'raw/responses_control.json',
    [1, 2, 3, 4, 5].map((at) => makeRow(`8.8.6.${at}`, RIGHT)),
  )
  put(scan, 'raw/tagged_responses.json', [
    { ip: RIGHT, http: 'page', cert: 'cert', asnum: 64_500, asname: 'SITE' },
    { ip: LIE, http: 'other', cert: 'other', asnum: 64_999, asname: 'BLOCK' },
  ])
  const locate = (vp: string, code: string): Fields => ({ vp, location: { country_name: code, country_code: code } })
  put(scan, 'resolvers.json', [...liars.map((vp) => locate(vp, 'XA')), ...honest.map((vp) => locate(vp, 'XB'))])
  // The second and third line belong to the second and fourth row: both files are read in step.
  const packets = (vp: string, answers: readonly (readonly string[])[]): Fields => ({
    vp,
    test_url: DOMAIN,
    queries: [
      {
        purpose: 'test',
        name: DOMAIN,
        packets: answers.map((each, at) => ({ elapsed_ms: 10 + at, rcode: 0, answers: each, octets_sha256: `${at}` })),
      },
    ],
  })
  put(scan, 'raw/packets.json', [packets('8.8.4.2', [[LIE], [RIGHT]]), packets('8.8.4.4', [[LIE], [LIE]])])
  const page = { status_line: '200 OK', headers: {}, body: 'blocked by order', is_truncated: false, body_sha256: 'aa' }
  put(scan, 'raw/fetches.json', [
    {
      address: LIE,
      domain: DOMAIN,
      http: page,
      https: { error: 'connection_refused' },
      certificate: null,
      started_at_ms: 0,
      ended_at_ms: 1,
    },
  ])
  put(scan, 'signatures.txt', [{ fingerprint: 'b_nat_order', pattern: 'blocked.by order' }])
  return scan
}

describe('candor satellite detect', () => {
  test('judges pairs by pages and packets, countries by five resolvers, and ends with status 4', async () => {
    const scan = writeScan()
    const output = join(scan, 'out')
    const lists = ['--blockpage-signatures', join(scan, 'signatures.txt')]
    const { status } = await runSimulatedCli([
      'satellite',
      'detect',
      scan,
      '--output',
      output,
      ...lists,
      '--fail-on',
      'critical',
    ])
    expect(status).toBe(4)
    const findings = readLines(join(output, 'findings.jsonl'))
    const rules = findings.map(({ findings: found }) =>
      (found as readonly { readonly rule: string }[]).map(({ rule }) => rule),
    )
    expect(rules.slice(0, 2)).toEqual([['blockpage'], ['injected-response', 'blockpage']])
    expect(rules[3]).toEqual(['blockpage'])
    expect(findings.map(({ judgement }) => judgement)).toEqual([
      ...Array.from({ length: 6 }, () => 'interference'),
      ...Array.from({ length: 3 }, () => 'ok'),
    ])
    expect(findings[0]).toMatchObject({ outcome: 'block_page', country_code: 'XA', rcodes: [0], anomaly: true })
    expect(readLines(join(output, 'aggregates.jsonl'))).toMatchObject([
      { kind: 'country', group: 'XA', resolvers: 6, interference: 6, share: 1, verdict: 'interference' },
      { kind: 'country', group: 'XB', resolvers: 3, share: null, verdict: 'too_few' },
    ])
    expect(readLines(join(output, 'controls.jsonl'))).toMatchObject([{ domain: DOMAIN, asked: 5, addresses: [RIGHT] }])
    expect(readLines(join(output, 'raw/resolvers_profile.json'))).toHaveLength(9)
  })

  test('stops at a list that cannot be read, and says where', async () => {
    const scan = writeScan()
    put(scan, 'block.txt', [])
    writeFileSync(join(scan, 'block.txt'), '9.9.9.9\nserver.example\n')
    const { status, stderr } = await runSimulatedCli([
      'satellite',
      'detect',
      scan,
      '--output',
      join(scan, 'out'),
      '--block-addresses',
      join(scan, 'block.txt'),
    ])
    expect(status).toBe(2)
    expect(stderr).toContain('line 2: server.example is neither an address nor a prefix')
  })
})

describe('candor satellite explain', () => {
  test('shows packets, control, rules and outcome', async () => {
    const { stdout } = await runSimulatedCli([
      'satellite',
      'explain',
      writeScan(),
      '--vp',
      '8.8.4.2',
      '--domain',
      DOMAIN,
      '--records',
      'table',
    ])
    expect(stdout).toContain('control: 5 of 5 resolvers answered; 8.8.0.1')
    expect(stdout).toContain(`packet of the test query ${DOMAIN} after 11.0 ms: rcode 0, 8.8.0.1`)
    expect(stdout).toContain('finding injected-response: interference 0.9')
    expect(stdout).toMatch(/outcome: .+; judged: interference/)
  })
})
