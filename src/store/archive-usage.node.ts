/** What the archive holds, and whether it is whole. */
import { setImmediate } from 'node:timers/promises'
import type { DatabaseSync } from 'node:sqlite'
import { zstdDecompressSync } from 'node:zlib'
import { BugError } from '../core/assert.ts'
import type { ArchiveFault, ArchiveUsage } from '../model/retention.ts'
import { usedOctets } from './archive-retention.node.ts'
import { decodeRunBlock } from './run-block.ts'

/** More of them tell a reader nothing new. */
const FAULTS_MAX = 100

/** Counts what there is. */
export function readUsage(database: DatabaseSync): ArchiveUsage {
  const row = database
    .prepare(
      `SELECT count(*) AS runs, count(invalid) AS invalid, min(run_id) AS oldest, max(run_id) AS newest,
        coalesce(sum(has_rows), 0) AS rows, coalesce(sum(evidence = 'all'), 0) AS evidence,
        coalesce(sum(evidence <> 'none'), 0) AS failures, (SELECT count(*) FROM relay) AS relays FROM run`,
    )
    .get()
  const pages = Object.values(database.prepare('PRAGMA page_count').get() ?? {})[0]
  const size = Object.values(database.prepare('PRAGMA page_size').get() ?? {})[0]
  const idOrNull = (value: unknown): string | null => (typeof value === 'number' ? String(value) : null)
  return {
    runs: Number(row?.['runs']),
    invalidRuns: Number(row?.['invalid']),
    oldestRun: idOrNull(row?.['oldest']),
    newestRun: idOrNull(row?.['newest']),
    runsWithRows: Number(row?.['rows']),
    runsWithEvidence: Number(row?.['evidence']),
    runsWithFailureEvidence: Number(row?.['failures']),
    relays: Number(row?.['relays']),
    usedOctets: usedOctets(database),
    fileOctets: Number(pages) * Number(size),
  }
}

/** Looks at every page, every block and every count. Gives other work a turn after each run. @returns At most 100 faults. */
export async function checkArchive(database: DatabaseSync): Promise<readonly ArchiveFault[]> {
  const faults: ArchiveFault[] = []
  const add = (runId: string | null, message: string): void => {
    if (faults.length < FAULTS_MAX) faults.push({ runId, message })
  }
  for (const row of database.prepare('PRAGMA integrity_check(20)').all()) {
    if (row['integrity_check'] !== 'ok') add(null, String(row['integrity_check']))
  }
  const runs = database
    .prepare(
      `SELECT seq, run_id, invalid, has_rows, evidence, success + wrong_ip + dns_fail + timeout + circuit_fail + error
        + exception + not_tested AS candidates, (SELECT count(*) FROM run_metadata AS m WHERE m.seq = run.seq) AS metadata
        FROM run ORDER BY run_id`,
    )
    .all()
  const block = database.prepare('SELECT block FROM run_rows WHERE seq = ?')
  const evidence = database.prepare('SELECT block FROM evidence WHERE seq = ?')
  const verdicts = database.prepare('SELECT 1 FROM verdict WHERE relay = ? AND run_id = ?')
  for (const row of runs) {
    const [seq, runId] = [Number(row['seq']), String(row['run_id'])]
    if (row['metadata'] !== 1) add(runId, 'it has no metadata')
    for (const packed of evidence.iterate(seq)) {
      if (!isPacked(packed['block'])) add(runId, 'a block of its evidence cannot be unpacked')
    }
    const relays = row['has_rows'] === 1 ? relaysOf(block.get(seq)?.['block']) : new Uint32Array()
    if (relays === undefined) add(runId, 'its rows cannot be read')
    else if (row['has_rows'] === 1) {
      if (relays.length !== row['candidates']) {
        add(runId, `it has ${relays.length} rows, and its counts say ${String(row['candidates'])}`)
      }
      const missing = relays.filter((relay) => verdicts.get(relay, Number(runId)) === undefined).length
      // A roll-up that was interrupted has moved some of them already.
      if (row['invalid'] === null && missing === relays.length && missing > 0) add(runId, 'its verdicts are missing')
    }
    // Gives others a turn.
    await setImmediate()
  }
  return faults
}

function relaysOf(octets: unknown): Uint32Array | undefined {
  if (!(octets instanceof Uint8Array)) return undefined
  try {
    return decodeRunBlock(zstdDecompressSync(octets)).relay
  } catch (error) {
    // What zlib cannot unpack, or what is no block of ours.
    if (error instanceof BugError || (error instanceof Error && 'code' in error)) return undefined
    throw error
  }
}

function isPacked(octets: unknown): boolean {
  if (!(octets instanceof Uint8Array)) return false
  try {
    return zstdDecompressSync(octets).length > 0
  } catch (error) {
    if (error instanceof Error && 'code' in error) return false
    throw error
  }
}
