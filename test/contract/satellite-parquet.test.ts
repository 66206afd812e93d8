import { readdirSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DuckDBInstance } from '@duckdb/node-api'
import { describe, expect, test } from 'vitest'
import { makeTestDirectory } from '../alert-fixtures/alert-parts.ts'
import { SATELLITE_ROWS } from '../satellite-fixtures/satellite-rows.ts'
import { HOME } from '../tidy/source-tree.ts'
import { runSimulatedCli } from './simulated-cli.ts'

const NAMES = ['one.example', 'two.example', 'blocked.example']
const COUNTRIES = ['XA', 'XB']
/** In the documentation. */
const EXAMPLE = 'CP_Satellite-2026-11-21-04-00-00'

function toLines(records: readonly object[]): string {
  return records.map((record) => `${JSON.stringify(record)}\n`).join('')
}

function respond(vp: string, name: string, answer: string): object {
  const trial = { url: name, has_type_a: true, response: [answer], error: 'null', rcode: 0 }
  return { vp, test_url: name, response: [trial], passed_liveness: true, connect_error: false }
}

/** Two countries with ten resolvers each; those of one say that a name is at a private address. */
function putScan(): string {
  const directory = join(makeTestDirectory(), 'scan')
  mkdirSync(join(directory, 'raw'), { recursive: true })
  const resolvers = COUNTRIES.flatMap((country, at) =>
    Array.from({ length: 10 }, (_, host) => ({ vp: `198.51.${at}.${host + 1}`, country })),
  )
  const address = (name: string): string => `203.0.113.${NAMES.indexOf(name) + 1}`
  const put = (name: string, records: readonly object[]): void => {
    writeFileSync(join(directory, 'raw', name), toLines(records))
  }
  put(
    'responses_control.json',
    NAMES.map((name) => respond('192.0.2.1', name, address(name))),
  )
  put(
    'tagged_responses.json',
    NAMES.map((name) => ({ ip: address(name), http: '', cert: '', asname: 'E', asnum: 64_500 })),
  )
  put(
    'tagged_resolvers.json',
    resolvers.map(({ vp, country }) => ({ vp, location: { country_name: country, country_code: country } })),
  )
  put(
    'responses.json',
    resolvers.flatMap(({ vp, country }) =>
      NAMES.map((name) =>
        respond(vp, name, country === 'XA' && name === 'blocked.example' ? '10.0.0.1' : address(name)),
      ),
    ),
  )
  return directory
}

async function ask(sql: string): Promise<readonly Readonly<Record<string, unknown>>[]> {
  const instance = await DuckDBInstance.create(':memory:')
  const connection = await instance.connect()
  const reader = await connection.runAndReadAll(sql)
  const rows = reader.getRowObjectsJson()
  connection.closeSync()
  instance.closeSync()
  return rows
}

describe('candor satellite parquet', () => {
  test('answers the documented question: which domains are interfered with in country X', async () => {
    const scan = putScan()
    const judged = join(scan, '../judged')
    const verified = join(scan, '../verified')
    expect((await runSimulatedCli(['satellite', 'detect', scan, '--output', judged])).status).toBe(0)
    expect((await runSimulatedCli(['satellite', 'verify', judged, '--output', verified])).status).toBe(0)
    expect((await runSimulatedCli(['satellite', 'parquet', verified])).status).toBe(0)
    const page = readFileSync(join(HOME, 'docs/manual/satellite.md'), 'utf8')
    const query = /```sql\n([^`]+)```/.exec(page)?.[1] ?? ''
    expect(query).toContain(EXAMPLE)
    const inScan = query.replaceAll(EXAMPLE, verified)
    expect(await ask(inScan)).toMatchObject([{ domain: 'blocked.example', resolvers: 10, share: 1 }])
    expect(await ask(inScan.replace("'XA'", "'XB'"))).toEqual([])
    const pairs = `'${verified}/parquet/pairs/*/*.parquet'`
    expect(
      await ask(`SELECT country, count(*)::int AS n, sum(anomaly::int)::int AS a FROM ${pairs} GROUP BY 1 ORDER BY 1`),
    ).toEqual([
      { country: 'XA', n: 30, a: 0 },
      { country: 'XB', n: 30, a: 0 },
    ])
    expect(
      await ask(
        `SELECT DISTINCT domain, judgement FROM '${verified}/parquet/findings/*/*.parquet' WHERE judgement = 'interference'`,
      ),
    ).toEqual([{ domain: 'blocked.example', judgement: 'interference' }])
  })

  test('takes every flavour, and exclusions from verified rows', async () => {
    const directory = makeTestDirectory()
    const rows = Object.values(SATELLITE_ROWS).flatMap((each) => [each['judged'] ?? {}])
    mkdirSync(join(directory, 'in'))
    writeFileSync(join(directory, 'in/results.json'), toLines(rows))
    const { vp, test_url: name } = rows[2] as Readonly<Record<string, unknown>>
    const verified = { ...rows[2], excluded: true, exclude_reason: ['is_CDN'] }
    writeFileSync(join(directory, 'in/results_verified.json'), toLines([verified]))
    const imported = join(directory, 'imported')
    await runSimulatedCli(['satellite', 'import', join(directory, 'in'), '--output', imported])
    for (const [at, source] of [join(directory, 'in'), imported].entries()) {
      const output = join(directory, `tables-${at}`)
      expect((await runSimulatedCli(['satellite', 'parquet', source, '--output', output])).status).toBe(0)
      expect(readdirSync(output)).toEqual(['pairs'])
      const found = await ask(
        `SELECT country, flavour, resolver, domain, excluded, len(trials)::int AS trials, started_at::VARCHAR AS t
         FROM '${output}/pairs/*/*.parquet' ORDER BY flavour`,
      )
      expect(found.map(({ country, flavour }) => [country, flavour])).toEqual([
        ['unknown', 'v1'],
        ['XE', 'v2.0'],
        ['XE', 'v2.1'],
        ['XE', 'v2.2'],
        ['XE', 'v2.3'],
      ])
      expect(found[2]).toMatchObject({
        resolver: vp,
        domain: name,
        excluded: true,
        trials: 3,
        t: '2021-04-18 18:49:01.62448452',
      })
    }
    expect((await runSimulatedCli(['satellite', 'parquet', imported])).status).toBe(0)
    expect((await runSimulatedCli(['satellite', 'parquet', makeTestDirectory()])).stderr).toContain('has no pairs')
  })
})
