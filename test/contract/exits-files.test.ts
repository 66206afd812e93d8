/** `candor exits merge` and `candor exits report`: what they print, write and end with. */
import { createHash } from 'node:crypto'
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { buildExitReport, formatExitReport } from '../../src/campaigns/exits/exit-report.ts'
import { hashCandidates, shardOf } from '../../src/campaigns/exits/shard.ts'
import type { ExitAttempt, ExitReport, ExitResult, ExitStatus } from '../../src/model/exit-result.ts'
import { exampleFacts, exampleFingerprint, exampleReport, exampleResult } from '../exit-fixtures/example-report.ts'
import { runSimulatedCli } from './simulated-cli.ts'

async function makeDirectory(): Promise<AsyncDisposable & { readonly path: string }> {
  const path = await mkdtemp(join(tmpdir(), 'candor-cli-'))
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true }) }
}

/** Writes the shards of a run. @returns Their paths. */
async function writeShards(directory: string, status: ExitStatus = 'success'): Promise<readonly string[]> {
  const parts: ExitResult[][] = [[], [], []]
  const fingerprints = Array.from({ length: 20 }, (_, number) =>
    createHash('sha1').update(String(number)).digest('hex').toUpperCase(),
  )
  for (const [number, fingerprint] of fingerprints.entries()) {
    const index = await shardOf(fingerprint, 3)
    const result = exampleResult(number, number === 0 ? status : 'success', { exit_fingerprint: fingerprint })
    parts[index]?.push(result)
  }
  const candidates = await hashCandidates(fingerprints)
  return Promise.all(
    parts.map((part, index) =>
      writeReport(
        directory,
        `dnshealth_20260131_120000_shard-${index}-of-3.json`,
        buildExitReport(part, exampleFacts({ shard: `${index}/3`, candidates_sha256: candidates })),
      ),
    ),
  )
}

async function writeReport(directory: string, name: string, report: ExitReport): Promise<string> {
  const path = join(directory, name)
  await writeFile(path, formatExitReport(report))
  return path
}

describe('candor exits merge', () => {
  test('writes the whole for everybody to read', async () => {
    await using directory = await makeDirectory()
    const shards = await writeShards(directory.path)
    const output = join(directory.path, 'whole.json')
    const outcome = await runSimulatedCli(['exits', 'merge', ...shards, '--output', output])
    expect(outcome).toEqual({
      status: 0,
      stdout: '',
      stderr: `${output}: 3 shards, 20 relays, 20 with a DNS verdict\n`,
    })
    const report = JSON.parse(await readFile(output, 'utf8')) as ExitReport
    expect(report.metadata).toMatchObject({ shard: '0/1', total_relays: 20 })
    expect((await stat(output)).mode & 0o777).toBe(0o644)
  })

  test('ends with 3 when relays were not tested', async () => {
    await using directory = await makeDirectory()
    const shards = await writeShards(directory.path, 'not_tested')
    const output = join(directory.path, 'whole.json')
    expect((await runSimulatedCli(['exits', 'merge', ...shards, '--output', output])).status).toBe(3)
  })

  test('names a missing, doubled or foreign shard, writes nothing and ends with 2', async () => {
    await using directory = await makeDirectory()
    const [first = '', second = '', third = ''] = await writeShards(directory.path)
    const foreign = await writeReport(
      directory.path,
      'foreign.json',
      exampleReport([], { shard: '2/3', run_id: '20260130120000' }),
    )
    const output = join(directory.path, 'whole.json')
    const merge = (...paths: readonly string[]): ReturnType<typeof runSimulatedCli> =>
      runSimulatedCli(['exits', 'merge', ...paths, '--output', output])
    const outcomes = [
      await merge(first, third),
      await merge(first, second, third, third),
      await merge(first, second, foreign),
    ]
    expect(outcomes.map((outcome) => outcome.status)).toEqual([2, 2, 2])
    expect(outcomes[0]?.stderr).toContain('shard 1/3 is missing')
    expect(outcomes[1]?.stderr).toContain(`shard 2/3 is there 2 times: ${third}, ${third}`)
    expect(outcomes[2]?.stderr).toContain(`${foreign} is of another run: its run id is 20260130120000`)
    for (const { stderr } of outcomes) expect(stderr).toContain('fix: name the report of every shard')
    await expect(stat(output)).rejects.toThrow('ENOENT')
  })

  test('ends with 2 for a file that is no report and with 1 for one that is not there', async () => {
    await using directory = await makeDirectory()
    const path = join(directory.path, 'list.txt')
    await writeFile(path, 'not JSON')
    const wrong = await runSimulatedCli(['exits', 'merge', path, '--output', join(directory.path, 'o.json')])
    expect(wrong.status).toBe(2)
    expect(wrong.stderr).toContain('is no exit report: it is no JSON')
    const absent = await runSimulatedCli(['exits', 'merge', `${path}x`, '--output', join(directory.path, 'o.json')])
    expect(absent.status).toBe(1)
    expect((await runSimulatedCli(['exits', 'merge', path])).status).toBe(2)
  })
})

/** RCODE 2 because our own Tor dropped an internal address. */
const failedAttempt: ExitAttempt = {
  attempt: 1,
  circuit: 1,
  query_type: 'A',
  query_domain: null,
  timestamp: 0,
  path: [exampleFingerprint(0xffff), exampleFingerprint(1)],
  dns_rcode: 2,
  socks_reply: null,
  stream_reason: 'TORPROTOCOL',
  addresses: [],
  ttl_seconds: null,
  latency_ms: 5,
  circuit_rtt_ms: 50,
  own_delay_ms: 1,
  status: 'dns_fail',
  error_code: 'SERVFAIL_CLASS',
  error: 'The resolver of the exit failed at once',
  unsure: false,
}

const answeredQuery = {
  timestamp: '2026-01-31T12:00:01.050Z',
  source_address: '192.0.2.77',
  source_port: 5353,
  transport: 'udp',
  query_type: 'A',
  id: 1,
  recursion_desired: false,
  edns_udp_size: null,
  dnssec_ok: false,
  client_subnet: null,
  cookie: false,
  mixed_case: false,
  outcome: 'answered',
  rcode: 0,
}

describe('candor exits report', () => {
  test('prints Markdown, or writes it', async () => {
    await using directory = await makeDirectory()
    const input = await writeReport(directory.path, 'now.json', exampleReport(['success', 'dns_fail']))
    const printed = await runSimulatedCli(['exits', 'report', '--input', input])
    expect(printed).toMatchObject({ status: 0, stderr: '' })
    expect(printed.stdout).toMatch(/^# DNS Health Report\n/)
    const output = join(directory.path, 'report.md')
    const written = await runSimulatedCli(['exits', 'report', '--input', input, '--output', output])
    expect(written.stderr).toBe(`${output}: 2 relays, 1 failing\n`)
    expect(await readFile(output, 'utf8')).toBe(printed.stdout)
  })

  test('counts failures on from an earlier report', async () => {
    await using directory = await makeDirectory()
    const earlier = { run_id: '20260130120000', timestamp: '2026-01-30T12:00:00.000Z' }
    const before = exampleReport(['success', 'timeout'], earlier, { consecutive_failures: 4 })
    const previous = await writeReport(directory.path, 'before.json', before)
    const input = await writeReport(directory.path, 'now.json', exampleReport(['success', 'dns_fail']))
    const output = join(directory.path, 'counted.json')
    await runSimulatedCli(['exits', 'report', '--input', input, '--previous', previous, '--output', output])
    const report = JSON.parse(await readFile(output, 'utf8')) as ExitReport
    expect(report.results.map((result) => result.consecutive_failures)).toEqual([0, 5])
    expect(report.failures.map((result) => result.consecutive_failures)).toEqual([5])
    const shown = await runSimulatedCli(['exits', 'report', '--input', input, '--previous', previous])
    expect(shown.stdout).toContain('## Changes Since')
  })

  test('joins a log that was not at hand during the run', async () => {
    await using directory = await makeDirectory()
    const name = `20260131120000.1.20260131120001000.${exampleFingerprint(1)}.zone.example`
    const attempt = { ...failedAttempt, query_domain: name, timestamp: Date.UTC(2026, 0, 31, 12, 0, 1) / 1000 }
    const result = exampleResult(1, 'dns_fail', { attempts: [attempt], resolver: null })
    const facts = exampleFacts({ absent: ['authority_log', 'decoys'], authority_limited: null })
    const input = await writeReport(directory.path, 'now.json', buildExitReport([result], facts))
    const log = join(directory.path, 'queries.jsonl')
    await writeFile(log, `${JSON.stringify({ ...answeredQuery, query_name: name.toLowerCase() })}\nno query\n`)
    const output = join(directory.path, 'joined.json')
    const outcome = await runSimulatedCli([
      'exits',
      'report',
      '--input',
      input,
      '--authority-log',
      log,
      '--output',
      output,
    ])
    expect(outcome.stderr).toBe(`warning: ${log}: 1 lines cannot be read\n${output}: 1 relays, 1 failing\n`)
    const { metadata, results } = JSON.parse(await readFile(output, 'utf8')) as ExitReport
    expect([metadata.wrong_ip, metadata.authority_limited, metadata.absent]).toEqual([1, 0, ['decoys']])
    expect(results[0]).toMatchObject({
      status: 'wrong_ip',
      error_code: 'INTERNAL_ADDRESS_SUSPECTED',
      resolver: { addresses: ['192.0.2.77'], asked: true, wrong_answer: 'poisoned' },
    })
  })

  test('refuses a log of another time', async () => {
    await using directory = await makeDirectory()
    const input = await writeReport(
      directory.path,
      'now.json',
      buildExitReport(
        [exampleResult(1, 'dns_fail', { attempts: [{ ...failedAttempt, timestamp: 2e9 }] })],
        exampleFacts(),
      ),
    )
    const log = join(directory.path, 'queries.jsonl')
    await writeFile(log, `${JSON.stringify({ ...answeredQuery, query_name: 'a.zone.example' })}\n`)
    const outcome = await runSimulatedCli(['exits', 'report', '--input', input, '--authority-log', log])
    expect([outcome.status, outcome.stdout]).toEqual([2, ''])
    expect(outcome.stderr).toContain('has no query of the time of the run')
  })

  test('names a log that is not there', async () => {
    await using directory = await makeDirectory()
    const input = await writeReport(directory.path, 'now.json', exampleReport(['success']))
    const outcome = await runSimulatedCli(['exits', 'report', '--input', input, '--authority-log', '/nothing/here'])
    expect([outcome.status, outcome.stdout]).toEqual([2, ''])
    expect(outcome.stderr).toContain('--authority-log')
  })

  test('says what is wrong in a damaged report and goes on', async () => {
    await using directory = await makeDirectory()
    const path = join(directory.path, 'odd.json')
    await writeFile(path, '{"metadata":{"run_id":"20260131120000"},"results":[{"status":"fine"}]}')
    const outcome = await runSimulatedCli(['exits', 'report', '--input', path])
    expect(outcome.status).toBe(0)
    expect(outcome.stderr).toBe(`warning: ${path}: result 1 cannot be read: no valid exit_fingerprint\n`)
  })

  test('refuses the same or a later run as the previous one, and an output of no known kind', async () => {
    await using directory = await makeDirectory()
    const input = await writeReport(directory.path, 'now.json', exampleReport(['success']))
    const later = await writeReport(directory.path, 'later.json', exampleReport([], { run_id: '20260201120000' }))
    const same = await runSimulatedCli(['exits', 'report', '--input', input, '--previous', input])
    expect(same.status).toBe(2)
    expect(same.stderr).toContain('is of the same run')
    const after = await runSimulatedCli(['exits', 'report', '--input', input, '--previous', later])
    expect(after.stderr).toContain('is of run 20260201120000, which came after 20260131120000')
    const html = await runSimulatedCli(['exits', 'report', '--input', input, '--output', 'report.html'])
    expect(html.status).toBe(2)
    expect(html.stderr).toContain('ends neither in .md nor in .json')
  })
})
