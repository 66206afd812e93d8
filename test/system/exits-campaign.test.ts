/** The exits campaign on a real Tor network of 3 + 1 + 8 relays, run as a user runs it. */
import { readFile, readdir, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { ExitResult } from '../../src/model/exit-result.ts'
import {
  eventually,
  hasTor,
  misclassified,
  processesNaming,
  readJournalLines,
  readReport,
  runExitsIn,
  startCandor,
  startTestLaboratory,
  verdicts,
  type CommandOutcome,
  type TestLaboratory,
} from './laboratory-run.ts'

describe.skipIf(!hasTor)('candor exits run (needs tor: apt-get install tor)', () => {
  let lab: TestLaboratory
  /** A run that nobody disturbed; every other test is measured by it. */
  let undisturbed: string
  let undisturbedOutcome: CommandOutcome
  beforeAll(async () => {
    lab = await startTestLaboratory({ size: { authorities: 3, middles: 1, exits: 8 }, seed: 'campaign' })
    undisturbed = await lab.newDirectory()
    undisturbedOutcome = await runExitsIn(lab, undisturbed, ['--per-relay'])
  })
  afterAll(async () => {
    await lab[Symbol.asyncDispose]()
  })

  test('gives every relay the verdict that is true', async () => {
    expect([undisturbedOutcome.status, undisturbedOutcome.stderr]).toEqual([
      0,
      expect.stringContaining('exits measured'),
    ])
    const { results } = await readReport(undisturbed)
    expect(results).toHaveLength(8)
    expect(misclassified(lab.laboratory, results)).toEqual([])
  })

  test('writes metadata that add up', async () => {
    const { metadata: m, results, failures, dns_failures: dns, failures_by_ip: byIp } = await readReport(undisturbed)
    const count = (status: string): number => results.filter((result) => result.status === status).length
    expect(m.total_relays).toBe(
      m.success + m.wrong_ip + m.dns_fail + m.timeout + m.circuit_fail + m.error + m.exception,
    )
    expect(m.candidates).toBe(m.total_relays + m.not_tested)
    expect(m.dns_tested).toBe(m.success + m.wrong_ip + m.dns_fail + m.timeout)
    expect([m.success, m.wrong_ip, m.circuit_fail]).toEqual(['success', 'wrong_ip', 'circuit_fail'].map(count))
    expect(m.success_rate_percent).toBe(Math.round((1e4 * m.success) / m.dns_tested) / 100)
    expect(failures).toHaveLength(8 - m.success)
    expect(dns).toHaveLength(m.dns_tested - m.success)
    expect(Object.values(byIp).flat()).toHaveLength(failures.length)
  })

  test('tells a rewritten answer from a poisoned one, and names the resolver of every exit that asked', async () => {
    const { results } = await readReport(undisturbed)
    const byFault = new Map(results.map((result) => [lab.laboratory.truth.get(result.exit_fingerprint)?.fault, result]))
    expect(byFault.get('wrong_address')?.resolver?.wrong_answer).toBe('rewritten')
    expect(byFault.get('wrong_address')?.resolver?.asked).toBe(false)
    expect(byFault.get('poisoned')?.resolver?.wrong_answer).toBe('poisoned')
    const resolverOf = (fault: string): string => byFault.get(fault)?.exit_address.replace(/\.\d+$/, '.53') ?? ''
    expect(byFault.get('poisoned')?.resolver?.addresses).toEqual([resolverOf('poisoned')])
    expect(byFault.get('right_ipv6')?.resolver?.addresses).toEqual([resolverOf('right_ipv6')])
    expect(byFault.get('right_ipv6')?.status_ipv6).toBe('success')
  })

  test('publishes for everybody and keeps its state to itself', async () => {
    const mode = async (name: string): Promise<string> =>
      ((await stat(join(undisturbed, name))).mode & 0o777).toString(8)
    const names = await readdir(undisturbed)
    const published = names.filter((name) => /^(dnshealth_|report_|latest|files|result_)/.test(name))
    expect(published.length).toBeGreaterThanOrEqual(5 + 8)
    for (const name of published) expect([name, await mode(name)]).toEqual([name, '644'])
    for (const name of names.filter((entry) => entry.startsWith('journal_'))) expect(await mode(name)).toBe('600')
    expect(await mode('.candor')).toBe('700')
    const [manifest] = JSON.parse(await readFile(join(undisturbed, 'files.json'), 'utf8')) as string[]
    expect(names).toContain(manifest)
  })

  test('writes a report for people', async () => {
    const name = (await readdir(undisturbed)).find((entry) => entry.startsWith('report_')) ?? ''
    const text = await readFile(join(undisturbed, name), 'utf8')
    expect(text).toMatch(/^# DNS Health Report\n/)
    expect(text).toContain('| Fingerprint | Nickname | Exit IP | Status | Consecutive Failures |')
  })

  test('gives the same verdicts after kill −9 at any moment and --resume, and asks nothing twice', async () => {
    const directory = await lab.newDirectory()
    const args = ['exits', 'run', '--analysis-dir', directory, '--in-flight', '3']
    for (const [index, lines] of [1, 6, 14, 30].entries()) {
      const command = startCandor(index === 0 ? args : [...args, '--resume'], lab.environment)
      await eventually(async () => (await readJournalLines(directory)).length >= lines, 60_000)
      command.kill('SIGKILL')
      await command.outcome
      expect(await eventually(async () => (await processesNaming(directory)).length === 0, 10_000)).toBe(true)
    }
    const last = await startCandor([...args, '--resume'], lab.environment).outcome
    expect(last.status).toBe(0)
    const report = await readReport(directory)
    expect(verdicts(report.results)).toEqual(verdicts((await readReport(undisturbed)).results))
    const journal = await readJournalLines(directory)
    const results = journal.filter(({ kind }) => kind === 'result').map((line) => line['result'] as ExitResult)
    expect(results.map(({ exit_fingerprint: fingerprint }) => fingerprint).toSorted()).toEqual(
      Object.keys(verdicts(report.results)).toSorted(),
    )
    // A name is sent once, and no circuit is opened for a relay after its verdict.
    const issued = journal.filter(({ kind }) => kind === 'issued')
    expect(new Set(issued.map(({ name }) => name)).size).toBe(issued.length)
    const finished = new Set<unknown>()
    const askedAfterwards = journal.filter((line) => {
      if (line.kind === 'result') finished.add((line['result'] as ExitResult).exit_fingerprint)
      return line.kind === 'issued' && finished.has(line['fingerprint'])
    })
    expect(askedAfterwards).toEqual([])
  })

  test('merges three shards into the whole, and refuses a missing, doubled or foreign one', async () => {
    const directory = await lab.newDirectory()
    const runId = '20260131120000'
    for (const shard of ['0/3', '1/3', '2/3']) {
      const outcome = await runExitsIn(lab, directory, ['--run-id', runId, '--shard', shard, '--seed', 'shards'])
      expect([shard, outcome.status, outcome.stderr]).toEqual([shard, 0, expect.any(String)])
    }
    const shards = (await readdir(directory)).filter((name) => /_shard-\d-of-3\.json$/.test(name))
    expect(shards).toHaveLength(3)
    const paths = shards.map((name) => join(directory, name))
    const merge = async (...inputs: string[]): Promise<{ status: number | null; stderr: string }> =>
      await startCandor(['exits', 'merge', ...inputs, '--output', join(directory, 'merged.json')], {}).outcome
    expect((await merge(...paths)).status).toBe(0)
    const merged = await readReport(directory, 'merged.json')
    expect(verdicts(merged.results)).toEqual(verdicts((await readReport(undisturbed)).results))
    const [first = '', second = ''] = paths
    expect(await merge(first, second)).toMatchObject({ status: 2, stderr: expect.stringContaining('missing') })
    expect(await merge(...paths, first)).toMatchObject({ status: 2 })
    expect(await merge(first, second, join(undisturbed, 'latest.json'))).toMatchObject({ status: 2 })
  })

  test('lets no second run into the same directory', async () => {
    const directory = await lab.newDirectory()
    const first = startCandor(['exits', 'run', '--analysis-dir', directory], lab.environment)
    await eventually(() => first.stderr().includes('Tor'), 20_000)
    const second = await runExitsIn(lab, directory)
    expect(second.status).toBe(1)
    const skipped = await runExitsIn(lab, directory, ['--skip-if-busy'])
    expect(skipped.status).toBe(0)
    expect((await first.outcome).status).toBe(0)
  })

  test('finishes what is in flight at SIGINT, writes, and leaves no Tor behind', async () => {
    const directory = await lab.newDirectory()
    const command = startCandor(['exits', 'run', '--analysis-dir', directory, '--in-flight', '1'], lab.environment)
    await eventually(async () => (await readJournalLines(directory)).some(({ kind }) => kind === 'result'), 60_000)
    command.kill('SIGINT')
    const { status } = await command.outcome
    expect(status).toBe(130)
    const name = (await readdir(directory)).find((entry) => entry.startsWith('dnshealth_')) ?? ''
    const { metadata, results } = await readReport(directory, name)
    expect(metadata.interrupted).toBe(true)
    expect(metadata.not_tested).toBeGreaterThan(0)
    expect(results).toHaveLength(8)
    expect(await processesNaming(directory)).toEqual([])
  })

  test('goes on with a new Tor when Tor is killed, and blames nobody', async () => {
    const directory = await lab.newDirectory()
    const command = startCandor(['exits', 'run', '--analysis-dir', directory, '--in-flight', '2'], lab.environment)
    await eventually(async () => (await readJournalLines(directory)).length > 3, 60_000)
    const pids = await Promise.all((await readdir('/proc')).filter((name) => /^\d+$/.test(name)).map(torPid))
    async function torPid(pid: string): Promise<number | undefined> {
      const line = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')
      return line.includes(directory) && /(^|\/)tor\0/.test(line) ? Number(pid) : undefined
    }
    const tor = pids.find((pid) => pid !== undefined)
    expect(tor).toBeDefined()
    process.kill(tor ?? 0, 'SIGKILL')
    expect((await command.outcome).status).toBe(0)
    const { results, metadata } = await readReport(directory)
    expect(misclassified(lab.laboratory, results)).toEqual([])
    expect(metadata.notes.join(' ')).toContain('started again')
  })

  test('runs a module of ten lines', async () => {
    const directory = await lab.newDirectory()
    const file = join(directory, 'hello.ts')
    await writeFile(
      file,
      `export const module = {
  name: 'hello',
  async *probe(exit, { dialer, attach, target }) {
    const connection = await dialer.connect(target.host, target.port)
    await connection.write(new TextEncoder().encode('GET / HTTP/1.0\\r\\n\\r\\n'))
    const octets = await connection.read()
    await attach('page', octets)
    yield { status: 'success', octets: octets.length, nickname: exit.nickname }
  },
}
`,
    )
    const connect = lab.laboratory.describe().tor.torrc_append_connect
    const outcome = await runExitsIn(lab, directory, ['dnsresolution', '--module', file, '--torrc-append', connect])
    expect([outcome.status, outcome.stderr]).toEqual([0, expect.stringContaining('hello_')])
    const name = (await readdir(directory)).find((entry) => entry.startsWith('hello_')) ?? ''
    const { results } = JSON.parse(await readFile(join(directory, name), 'utf8')) as {
      results: readonly { status: string; octets?: number; attachments?: readonly unknown[] }[]
    }
    expect(results).toHaveLength(8)
    expect(results.filter(({ octets = 0 }) => octets > 0).length).toBeGreaterThanOrEqual(1)
    expect(results.find(({ octets = 0 }) => octets > 0)?.attachments).toHaveLength(1)
  })
})
