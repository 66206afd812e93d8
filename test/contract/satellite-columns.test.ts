import {
  appendFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import { writeSatelliteScan } from '../../bench/satellite-scan.ts'
import { makeTestDirectory } from '../alert-fixtures/alert-parts.ts'
import { SATELLITE_ROWS } from '../satellite-fixtures/satellite-rows.ts'
import { runSimulatedCli, type CliOutcome } from './simulated-cli.ts'

type Fields = Readonly<Record<string, unknown>>

function runSatellite(...argv: readonly string[]): Promise<CliOutcome> {
  return runSimulatedCli(['satellite', ...argv])
}

function readLines(path: string): readonly Fields[] {
  return readFileSync(path, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Fields)
}

function byPair(rows: readonly Fields[]): ReadonlyMap<string, Fields> {
  return new Map(rows.map((row) => [`${String(row['vp'])} ${String(row['test_url'])}`, row]))
}

function makeScan(rows: 'results' | 'responses', resolvers: number, domains: number): string {
  const directory = join(makeTestDirectory(), 'scan')
  writeSatelliteScan(directory, { resolvers, domains, seed: 7, rows })
  return directory
}

describe('candor satellite import --as columns', () => {
  test('keeps every line of a generated scan: known fields, unknown ones, and why a line was put aside', async () => {
    // More than one batch, so that threads take part.
    const scan = makeScan('results', 250, 45)
    const strange =
      '{"vp": "a\\u0041", "test_url": "b", "response": [], "anomaly": true, "measured_by": {"probe": [1, null]}}'
    const malformed = '{"vp": "a", "test_url": "b", "response": [], "anomaly": 1}'
    appendFileSync(join(scan, 'results.json'), `${strange}\n${malformed}\n[]\n`)
    const output = join(scan, '../imported')
    const imported = await runSatellite('import', scan, '--output', output)
    expect(imported.status).toBe(3)
    const back = join(scan, '../back')
    expect((await runSatellite('convert', output, '--format', 'source', '--output', back)).status).toBe(0)
    const lines = readFileSync(join(scan, 'results.json'), 'utf8').split('\n').slice(0, -1)
    const damaged = readLines(join(output, 'quarantine.jsonl'))
    expect(damaged.slice(-2)).toEqual([
      {
        file: join(scan, 'results.json'),
        line: lines.length - 1,
        reason: 'the field anomaly is neither true nor false',
      },
      { file: join(scan, 'results.json'), line: lines.length, reason: 'the line is no JSON object' },
    ])
    const aside = new Set(damaged.map(({ line }) => line))
    const kept = lines.filter((_line, at) => !aside.has(at + 1)).map((line) => JSON.parse(line) as unknown)
    expect(readLines(join(back, 'results.json'))).toEqual(kept)
    expect(kept.some((row) => Object.hasOwn(row as object, 'measured_by'))).toBe(true)
    expect(readLines(join(back, 'raw/tagged_responses.json'))).toEqual(
      readLines(join(scan, 'raw/tagged_responses.json')),
    )
  })

  test('gives rows of all flavours to the other commands as the scan itself does', async () => {
    const directory = makeTestDirectory()
    const rows = Object.values(SATELLITE_ROWS).flatMap((each) => Object.values(each))
    mkdirSync(join(directory, 'in'))
    writeFileSync(join(directory, 'in/results.json.gz'), gzipSync(rows.map((row) => JSON.stringify(row)).join('\n')))
    const imported = join(directory, 'imported')
    expect((await runSatellite('import', join(directory, 'in'), '--output', imported)).status).toBe(0)
    for (const format of ['v1', 'v2.1', 'v2.2']) {
      const [direct, indirect] = [join(directory, `direct-${format}`), join(directory, `indirect-${format}`)]
      await runSatellite('convert', join(directory, 'in'), '--format', format, '--output', direct)
      await runSatellite('convert', imported, '--format', format, '--output', indirect)
      const path = format === 'v1' ? 'interference.json' : format === 'v2.2' ? 'results.json' : 'raw/results.json'
      expect(readLines(join(indirect, path))).toEqual(readLines(join(direct, path)))
    }
  })

  test('begins anew where an import was interrupted, and refuses what is none', async () => {
    const scan = makeScan('results', 5, 4)
    const output = join(scan, '../imported')
    mkdirSync(join(output, 'columns'), { recursive: true })
    writeFileSync(join(output, 'unfinished'), '')
    writeFileSync(join(output, 'columns/part-0.bin'), 'half a block')
    writeFileSync(join(output, 'quarantine.jsonl'), '{}\n')
    const refused = await runSatellite('judge', output)
    expect(refused.status).toBe(2)
    expect(refused.stderr).toContain('is no import, or one that did not end')
    expect((await runSatellite('import', scan, '--output', output)).status).toBe(0)
    expect(existsSync(join(output, 'unfinished'))).toBe(false)
    expect(existsSync(join(output, 'quarantine.jsonl'))).toBe(false)
    expect((await runSatellite('judge', output)).status).toBe(0)
    expect((await runSatellite('import', scan, '--output', output)).stderr).toContain('is not empty')
  })

  test('refuses columns of a later version, and damaged ones', async () => {
    const scan = makeScan('results', 5, 4)
    const output = join(scan, '../imported')
    await runSatellite('import', scan, '--output', output)
    const later = `${output}-later`
    cpSync(output, later, { recursive: true })
    const manifest = readFileSync(join(output, 'columns.json'), 'utf8')
    writeFileSync(join(later, 'columns.json'), manifest.replace('"version":1', '"version":2'))
    const refused = await runSatellite('judge', later)
    expect([refused.status, refused.stderr]).toEqual([1, expect.stringContaining('has version 2')])
    writeFileSync(join(later, 'columns.json'), manifest.slice(0, 200))
    expect((await runSatellite('judge', later)).stderr).toContain('columns.json is damaged')
    const lost = `${output}-lost`
    cpSync(output, lost, { recursive: true })
    writeFileSync(join(lost, 'columns/part-0.names.txt'), 'one\n')
    expect((await runSatellite('judge', lost)).stderr).toContain('the column files are damaged')
    truncateSync(join(output, 'columns/part-0.bin'), 100)
    expect((await runSatellite('judge', output)).stderr).toContain('the column files are damaged')
  })
})

describe('candor satellite judge', () => {
  test.each(['responses', 'results'] as const)('gives for %s what detect and verify give row by row', async (rows) => {
    const scan = makeScan(rows, 60, 40)
    const home = join(scan, '..')
    const file = join(scan, rows === 'responses' ? 'raw/responses.json' : 'results.json')
    // The slow commands judge responses; judged rows are none.
    const responses = readFileSync(file, 'utf8')
      .split('\n')
      .flatMap((line, at) => spoil(line, at))
    writeFileSync(file, `${responses.join('\n')}\n`)
    await runSatellite('import', scan, '--output', join(home, 'imported'))
    const fast = await runSatellite('judge', join(home, 'imported'), '--results', join(home, 'fast'))
    if (rows === 'results') {
      const unjudged = responses
        .filter((line) => isJson(line))
        .map((line) => {
          const { anomaly: _anomaly, ...row } = JSON.parse(line) as Fields
          return JSON.stringify({
            ...row,
            in_control_group: undefined,
            confidence: undefined,
            excluded: undefined,
            exclude_reason: undefined,
          })
        })
      rmSync(file)
      writeFileSync(join(scan, 'raw/responses.json'), `${unjudged.join('\n')}\n`)
    }
    const slow = await runSatellite('detect', scan, '--output', join(home, 'detected'), '--format', 'v2.2')
    expect(slow.status).toBe(0)
    const verify = ['verify', join(home, 'detected'), '--output', join(home, 'slow'), '--publish-as', 'results.json']
    expect(await runSatellite(...verify)).toMatchObject({ status: 0 })
    const [expected, judged] = [join(home, 'slow'), join(home, 'fast')].map((at) =>
      byPair(readLines(join(at, 'results.json'))),
    )
    expect(judged?.size).toBe(expected?.size)
    for (const [pair, row] of expected ?? []) expect(judged?.get(pair)).toEqual(row)
    const { anomalies, excluded } = JSON.parse(fast.stdout) as Readonly<Record<string, number>>
    const count = (has: (row: Fields) => boolean): number => [...(expected?.values() ?? [])].filter(has).length
    expect(anomalies).toBe(count((row) => row['anomaly'] === true))
    expect(excluded).toBe(count((row) => row['excluded'] === true))
    expect(Math.min(anomalies ?? 0, excluded ?? 0)).toBeGreaterThan(10)
  })
})

/** Now and then a row that is unlike the others: control queries, times, damage. */
function spoil(line: string, at: number): readonly string[] {
  if (!isJson(line)) return line === '' ? [] : [line]
  const row = JSON.parse(line) as Fields
  const trials = row['response'] as readonly Fields[]
  const isList = !trials.some(({ response }) => response !== null && !Array.isArray(response))
  const control = (ok: boolean): Fields => ({
    url: 'control.example',
    has_type_a: ok,
    response: isList ? (ok ? ['192.0.2.4'] : null) : {},
    error: 'null',
    rcode: ok ? 0 : 2,
  })
  const times = { start_time: '2021-10-20 14:51:41.2 -0400 EDT', end_time: '2021-10-20 14:51:42 -0400 EDT' }
  const changes: readonly Fields[] = [
    { response: [control(true), ...trials] },
    { response: [control(false), ...trials, control(false)] },
    { response: [control(false)] },
    { response: trials.map((trial) => ({ ...trial, ...times })) },
    { response: [control(true), ...trials.map((trial) => ({ ...trial, ...times }))] },
    { response: [] },
    { location: { country_name: 'Elsewhere', country_code: 'XX' } },
    { new_field: at },
  ]
  const change = changes[at % 23]
  return [JSON.stringify({ ...row, ...change })]
}

function isJson(line: string): boolean {
  try {
    JSON.parse(line)
    return true
  } catch {
    return false
  }
}
