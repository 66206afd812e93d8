import { createHash } from 'node:crypto'
import { beforeAll, describe, expect, test } from 'vitest'
import { exampleFacts, exampleResult } from '../../../test/exit-fixtures/example-report.ts'
import { ConfigError } from '../../core/config-error.ts'
import type { ExitReport, ExitResult, ExitStatus } from '../../model/exit-result.ts'
import { parseExitReport } from './exit-report-reader.ts'
import { buildExitReport, formatExitReport, type ExitRunFacts } from './exit-report.ts'
import { mergeReports, type ShardFile } from './merge-reports.ts'
import { hashCandidates, shardOf } from './shard.ts'

const COUNT = 3
const STATUSES: readonly ExitStatus[] = ['success', 'success', 'wrong_ip', 'dns_fail', 'circuit_fail', 'not_tested']

/** One network, scanned once as a whole and once in three parts. */
let whole: ExitReport
let shards: readonly ExitReport[]

beforeAll(async () => {
  const results = Array.from({ length: 40 }, (_, number) => {
    const fingerprint = createHash('sha1').update(String(number)).digest('hex').toUpperCase()
    return exampleResult(number, STATUSES[number % STATUSES.length] ?? 'success', { exit_fingerprint: fingerprint })
  })
  const facts = { candidates_sha256: await hashCandidates(results.map((result) => result.exit_fingerprint)) }
  whole = buildExitReport(results, exampleFacts(facts))
  const parts: ExitResult[][] = [[], [], []]
  for (const result of results) {
    const index = await shardOf(result.exit_fingerprint, COUNT)
    parts[index]?.push({ ...result, shard: `${index}/3` })
  }
  shards = parts.map((part, index) =>
    buildExitReport(
      part,
      exampleFacts({
        ...facts,
        shard: `${index}/3`,
        timestamp: `2026-01-31T12:1${index}:00.000Z`,
        started_at: `2026-01-31T12:00:0${index}.000Z`,
        finished_at: `2026-01-31T12:0${index}:00.000Z`,
        seed: `seed${index}`,
        circuits_built: 10,
        authority_limited: index,
        notes: ['a note'],
      }),
    ),
  )
})

const withShard = (result: ExitResult, shard: string): ExitResult => ({ ...result, shard })
const file = (report: ExitReport | undefined, path = `shard-${report?.metadata.shard}.json`): ShardFile => ({
  ...parseExitReport(formatExitReport(report as ExitReport), path),
  path,
})
const changed = (index: number, facts: Partial<ExitRunFacts>): ShardFile => {
  const report = shards[index] as ExitReport
  return file({ ...report, metadata: { ...report.metadata, ...facts } }, 'changed.json')
}
const others = (index: number): readonly ShardFile[] =>
  shards.filter((_, other) => other !== index).map((report) => file(report))

describe('mergeReports', () => {
  test('takes shards of mode nxdomain, each of which made up a label of its own', async () => {
    const labels = ['a', 'b', 'c'].map((letter) => `${letter.repeat(16)}.invalid`)
    const parts = labels.map((domain, index) => changed(index, { mode: 'nxdomain', domain, expect: [] }))
    expect((await mergeReports(parts)).metadata.candidates).toBe(40)
    const foreign = changed(2, { mode: 'nxdomain', domain: 'nothing.zone.example', expect: [] })
    await expect(mergeReports([...parts.slice(0, 2), foreign])).rejects.toThrow(/its domain is nothing\.zone\.example/)
  })

  test('gives the whole from three shards, in any order', async () => {
    const merged = await mergeReports([file(shards[2]), file(shards[0]), file(shards[1])])
    expect(merged.results.map((result) => withShard(result, '0/1'))).toEqual(whole.results)
    expect(merged.dns_failures).toEqual(whole.dns_failures)
    expect(merged.failures_by_ip).toEqual(whole.failures_by_ip)
    const { total_relays, candidates, dns_tested, success_rate_percent, timing, shard } = whole.metadata
    expect(merged.metadata).toMatchObject({
      total_relays,
      candidates,
      dns_tested,
      success_rate_percent,
      timing,
      shard,
      timestamp: '2026-01-31T12:12:00.000Z',
      started_at: '2026-01-31T12:00:00.000Z',
      finished_at: '2026-01-31T12:02:00.000Z',
      duration_ms: 120_000,
      seed: 'seed0, seed1, seed2',
      circuits_built: 30,
      authority_limited: 3,
      notes: ['a note', 'merged from 3 shards'],
      invalid: null,
    })
  })

  test('merges a run of one shard', async () => {
    expect((await mergeReports([file(whole)])).results).toEqual(whole.results)
  })

  test('is invalid and interrupted when a part is, and knows of no limit where one part does not', async () => {
    const merged = await mergeReports([
      ...others(1),
      changed(1, { invalid: 'zone down', interrupted: true, authority_limited: null }),
    ])
    expect(merged.metadata).toMatchObject({
      invalid: 'shard 1/3: zone down',
      interrupted: true,
      authority_limited: null,
    })
  })

  test('keeps the longest duration where times cannot be read', async () => {
    const merged = await mergeReports([
      changed(0, { started_at: '', finished_at: '', duration_ms: 5 }),
      changed(1, { started_at: '', finished_at: '', duration_ms: 7 }),
      changed(2, { started_at: '', finished_at: '', duration_ms: 6 }),
    ])
    expect(merged.metadata.duration_ms).toBe(7)
  })

  test('names a missing shard', async () => {
    await expect(mergeReports(others(1))).rejects.toThrow('shard 1/3 is missing')
    await expect(mergeReports([file(shards[1])])).rejects.toThrow('shard 0/3, 2/3 is missing')
  })

  test('names a doubled shard and its files', async () => {
    const files = [...others(-1), file(shards[0], 'copy.json')]
    await expect(mergeReports(files)).rejects.toThrow('shard 0/3 is there 2 times: shard-0/3.json, copy.json')
  })

  test.each([
    [{ run_id: '20260131180000' }, 'its run id is 20260131180000, that of shard-0/3.json is 20260131120000'],
    [{ candidates_sha256: 'ab' }, 'its list of candidates is ab'],
    [{ shard: '2/4' }, 'its number of shards is 4, that of shard-0/3.json is 3'],
    [{ mode: 'nxdomain' as const }, 'its mode is nxdomain'],
    [{ domain: null }, 'its domain is none'],
  ])('names a foreign shard: %j', async (facts, why) => {
    await expect(mergeReports([...others(2), changed(2, facts)])).rejects.toThrow(
      `changed.json is of another run: ${why}`,
    )
    await expect(mergeReports([changed(2, facts), ...others(2)])).rejects.toThrow('changed.json is of another run')
  })

  test('takes shards that began with another consensus and the same candidates', async () => {
    const later = { consensus_valid_after: '2026-01-31T12:00:00.000Z' }
    const merged = await mergeReports([changed(0, later), ...others(0)])
    expect(merged.metadata.consensus_valid_after).toBe('2026-01-31T11:00:00.000Z')
    expect(merged.metadata.notes.at(-1)).toBe('the shards began with 2 consensuses and one list of candidates')
    const unstated = [0, 1].map((index) => changed(index, { candidates_sha256: '' }))
    await expect(mergeReports([...unstated, changed(2, { ...later, candidates_sha256: '' })])).rejects.toThrow(
      'its consensus is 2026-01-31T12:00:00.000Z',
    )
  })

  test('names relays that belong to another shard', async () => {
    const moved = shards[0]?.results[0] as ExitResult
    const report = buildExitReport([...(shards[1]?.results ?? []), moved], shards[1]?.metadata as ExitRunFacts)
    await expect(mergeReports([...others(1), file(report, 'with-guest.json')])).rejects.toThrow(
      `with-guest.json has relays of other shards: ${moved.exit_fingerprint} (of shard 0/3)`,
    )
  })

  test('sees a gap in the list of candidates', async () => {
    const report = buildExitReport(shards[1]?.results.slice(1) ?? [], shards[1]?.metadata as ExitRunFacts)
    await expect(mergeReports([...others(1), file(report, 'short.json')])).rejects.toThrow(
      'the 39 relays of all shards together are not the candidates of the run',
    )
  })

  test('does not ask for a list of candidates from scanners that state none', async () => {
    const files = [0, 1, 2].map((index) => changed(index, { candidates_sha256: '' }))
    await expect(mergeReports(files)).resolves.toMatchObject({ metadata: { candidates: 40 } })
  })

  test('refuses a damaged file, a shard that does not exist, and no file at all', async () => {
    const damaged = { ...file(shards[0]), warnings: ['result 3 cannot be read'] }
    await expect(mergeReports([damaged, ...others(0)])).rejects.toThrow('shard-0/3.json: result 3 cannot be read')
    await expect(mergeReports([changed(0, { shard: '3/3' }), ...others(0)])).rejects.toThrow(
      '"3/3", which does not exist',
    )
    await expect(mergeReports([changed(0, { shard: 'all' }), ...others(0)])).rejects.toThrow('"all"')
    await expect(mergeReports([])).rejects.toThrow('there is no file to merge')
  })

  test('says what to do', async () => {
    const error = await mergeReports(others(0)).catch((caught: unknown) => caught)
    expect(error).toBeInstanceOf(ConfigError)
    expect((error as ConfigError).hint).toContain('candor exits merge')
  })
})
