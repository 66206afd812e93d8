/**
 * Takes a finished run over resolvers from the files of its directory into the archive.
 *
 * **Invariant**: a run that is cut off on the way is not there; lines of another form are passed over and counted. Memory does
 * not grow with rows.
 */
import { createReadStream, existsSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { DatabaseSync, StatementSync } from 'node:sqlite'
import type { SatelliteJudgement } from '../model/satellite-finding.ts'
import { removeSatelliteRun } from './satellite-database.node.ts'

/** Rows of one transaction: between two of them others have their turn. */
const BATCH_ROWS = 5_000

/** A run to be taken. */
export interface SatelliteRunFiles {
  readonly runId: string
  readonly name: string
  readonly directory: string
  readonly startedAt: string | null
  readonly endedAt: string | null
}

type Fields = Readonly<Record<string, unknown>>

const JUDGEMENTS: readonly SatelliteJudgement[] = ['interference', 'down', 'ok', 'unconfirmed', 'no_vote']

/** @returns Lines that were passed over. Takes the place of what there was of this run. */
export async function importSatelliteRun(database: DatabaseSync, run: SatelliteRunFiles): Promise<number> {
  const { runId, name, directory, startedAt, endedAt } = run
  removeSatelliteRun(database, runId)
  database
    .prepare('INSERT INTO run (run_id, name, started_at, ended_at, summary, complete) VALUES (?, ?, ?, ?, ?, 0)')
    .run(runId, name, startedAt, endedAt, '{}')
  const seen = { pairs: 0, domains: new Set<string>(), resolvers: new Map<string, string>() }
  const judgements = Object.fromEntries(JUDGEMENTS.map((each) => [each, 0])) as Record<SatelliteJudgement, number>
  const addPair = database.prepare('INSERT OR REPLACE INTO pair VALUES (?, ?, ?, ?, ?, ?)')
  const pairs = await importLines(database, join(directory, 'findings.jsonl'), (fields) => {
    const { vp, test_url: domain, country_code: code, judgement } = fields
    if (typeof vp !== 'string' || typeof domain !== 'string' || !isJudgement(judgement)) return false
    if (![fields['rcodes'], fields['answers'], fields['findings']].every((list) => Array.isArray(list))) return false
    const country = typeof code === 'string' ? code : ''
    addPair.run(runId, domain, vp, country, judgement, JSON.stringify(trimRecord(fields, judgement)))
    seen.pairs++
    judgements[judgement]++
    seen.domains.add(domain)
    seen.resolvers.set(vp, country)
    return true
  })
  const cells = await importCells(database, run)
  const addControl = database.prepare('INSERT OR REPLACE INTO control VALUES (?, ?, ?)')
  const controls = await importLines(database, join(directory, 'controls.jsonl'), (fields) => {
    if (typeof fields['domain'] !== 'string') return false
    addControl.run(runId, fields['domain'], JSON.stringify(fields))
    return true
  })
  addCountries(database.prepare('INSERT INTO country VALUES (?, ?, ?)'), runId, seen.resolvers)
  const summary = {
    resolvers: seen.resolvers.size,
    domains: seen.domains.size,
    pairs: seen.pairs,
    judgements,
    ...cells.counts,
  }
  database.prepare('UPDATE run SET summary = ?, complete = 1 WHERE run_id = ?').run(JSON.stringify(summary), runId)
  return pairs + cells.passedOver + controls
}

async function importCells(
  database: DatabaseSync,
  { runId, directory }: SatelliteRunFiles,
): Promise<{ readonly passedOver: number; readonly counts: Readonly<Record<string, number>> }> {
  const add = database.prepare('INSERT OR REPLACE INTO cell VALUES (?, ?, ?, ?, ?, ?, ?)')
  const counts = { interfered: 0, tested: 0, cells: 0 }
  const passedOver = await importLines(database, join(directory, 'aggregates.jsonl'), (fields) => {
    const { kind, group, domain, verdict, share } = fields
    if (kind !== 'country' && kind !== 'as') return false
    if (typeof group !== 'string' || typeof domain !== 'string') return false
    if (verdict !== 'interference' && verdict !== 'not_shown' && verdict !== 'too_few') return false
    add.run(runId, kind, group, domain, verdict, typeof share === 'number' ? share : null, JSON.stringify(fields))
    if (kind === 'country') {
      counts.cells++
      if (verdict !== 'too_few') counts.tested++
      if (verdict === 'interference') counts.interfered++
    }
    return true
  })
  return { passedOver, counts }
}

/** Of a pair that is sound only the names and weights of the rules are kept: its answers and the control say the rest. */
function trimRecord(fields: Fields, judgement: SatelliteJudgement): Fields {
  const { findings } = fields
  if (judgement !== 'ok' || !Array.isArray(findings)) return fields
  const short = findings.map((finding: unknown) =>
    typeof finding === 'object' && finding !== null ? { ...finding, evidence: {} } : finding,
  )
  return { ...fields, findings: short }
}

function addCountries(add: StatementSync, runId: string, resolvers: ReadonlyMap<string, string>): void {
  const counts = new Map<string, number>()
  for (const country of resolvers.values()) counts.set(country, (counts.get(country) ?? 0) + 1)
  for (const [country, count] of counts) if (country !== '') add.run(runId, country, count)
}

/** @param take - Whether a record has the right form. @returns Lines that had not. A file that is not there has none. */
async function importLines(database: DatabaseSync, path: string, take: (fields: Fields) => boolean): Promise<number> {
  if (!existsSync(path)) return 0
  let passedOver = 0
  let batch: string[] = []
  const flush = (): void => {
    database.exec('BEGIN IMMEDIATE')
    try {
      for (const line of batch) {
        const fields = parseLine(line)
        if (fields === undefined || !take(fields)) passedOver++
      }
      database.exec('COMMIT')
    } catch (error) {
      database.exec('ROLLBACK')
      throw error
    }
    batch = []
  }
  for await (const line of createInterface({ input: createReadStream(path), crlfDelay: Infinity })) {
    if (line === '') continue
    batch.push(line)
    if (batch.length >= BATCH_ROWS) flush()
  }
  if (batch.length > 0) flush()
  return passedOver
}

function parseLine(line: string): Fields | undefined {
  try {
    const value: unknown = JSON.parse(line)
    return typeof value === 'object' && value !== null ? (value as Fields) : undefined
  } catch {
    return undefined
  }
}

function isJudgement(value: unknown): value is SatelliteJudgement {
  return JUDGEMENTS.includes(value as SatelliteJudgement)
}
