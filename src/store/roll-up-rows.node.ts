/**
 * Turns the rows of a run into counts per relay and day.
 *
 * **Invariant**: at any moment a verdict is either in `verdict` or counted in `relay_day`: each relay moves in one
 * transaction. The block of the run goes with its last relays, so that a roll-up that was interrupted finds the rest.
 */
import type { DatabaseSync } from 'node:sqlite'
import { zstdDecompressSync } from 'node:zlib'
import type { ExitRow } from '../model/exit-archive.ts'
import type { ExitVerdictPoint } from '../model/exit-history.ts'
import type { ExitStatus } from '../model/exit-result.ts'
import { createArchiveReader } from './archive-reader.node.ts'
import { createArchiveRuns } from './archive-runs.node.ts'
import { createArchiveTexts, type ArchiveTexts } from './archive-texts.node.ts'
import { decodeRunBlock } from './run-block.ts'

/** Relays in one transaction: some ten milliseconds, most of them for the disk, because each is on a page of its own. */
const RELAYS_PER_PIECE = 150
/** `20260131` of 20260131120000. */
const RUN_IDS_PER_DAY = 1_000_000
const DNS_VERDICTS: ReadonlySet<ExitStatus | null> = new Set(['success', 'wrong_ip', 'dns_fail', 'timeout'])
const STATUSES: readonly ExitStatus[] = [
  'success',
  'wrong_ip',
  'dns_fail',
  'timeout',
  'circuit_fail',
  'error',
  'exception',
  'not_tested',
]

/** Rolls up runs. */
export interface RowRoller {
  /** The pieces of work of one run; each must run in a transaction of its own, in this order. */
  pieces(seq: number, runId: number): Iterable<() => void>
}

/** @param database - The connection that writes; what is read on it is what is committed. */
export function createRowRoller(database: DatabaseSync): RowRoller {
  const texts = createArchiveTexts(database)
  const reader = createArchiveReader(database, createArchiveRuns(database), texts)
  const block = database.prepare('SELECT block FROM run_rows WHERE seq = ?')
  const timestamp = database.prepare('SELECT timestamp FROM run WHERE seq = ?')
  const moveRelay = createRelayMover(database, texts)
  const removeBlock = database.prepare('DELETE FROM run_rows WHERE seq = ?')
  const mark = database.prepare('UPDATE run SET has_rows = 0 WHERE seq = ?')
  return {
    *pieces(seq, runId) {
      const octets = block.get(seq)?.['block']
      const relays = octets instanceof Uint8Array ? decodeRunBlock(zstdDecompressSync(octets)).relay : new Uint32Array()
      const reported = String(timestamp.get(seq)?.['timestamp'])
      const rows = new Map(reader.rows(String(runId))?.map((row) => [row.exit_fingerprint, row]))
      for (let start = 0; start === 0 || start < relays.length; start += RELAYS_PER_PIECE) {
        yield () => {
          for (const relay of relays.subarray(start, start + RELAYS_PER_PIECE)) {
            moveRelay(relay, { runId, timestamp: reported, row: rows.get(texts.fingerprint(relay)) })
          }
          if (start + RELAYS_PER_PIECE < relays.length) return
          mark.run(seq)
          removeBlock.run(seq)
        }
      }
    },
  }
}

interface MovedRun {
  readonly runId: number
  readonly timestamp: string
  readonly row: ExitRow | undefined
}

function createRelayMover(database: DatabaseSync, texts: ArchiveTexts): (relay: number, run: MovedRun) => void {
  const remove = database.prepare('DELETE FROM verdict WHERE relay = ? AND run_id = ? RETURNING kind')
  const later = database.prepare('SELECT 1 FROM verdict WHERE relay = ? AND run_id > ? LIMIT 1')
  const keepFirst = database.prepare('UPDATE relay SET first_point = ? WHERE id = ? AND first_point IS NULL')
  const keepLast = database.prepare('UPDATE relay SET last_row = ? WHERE id = ?')
  const counts = new Map(
    STATUSES.map((status) => [
      status,
      database.prepare(`INSERT INTO relay_day (relay, day, ${STATUSES.join(', ')})
        VALUES (?, ?, ${STATUSES.map((each) => (each === status ? 1 : 0)).join(', ')})
        ON CONFLICT (relay, day) DO UPDATE SET ${status} = ${status} + 1`),
    ]),
  )
  return (relay, { runId, timestamp, row }) => {
    const kind = remove.get(relay, runId)?.['kind']
    // Rolled up before an interruption, or a run that is no verdict.
    if (typeof kind !== 'number') return
    const { status, statusIpv6 } = texts.verdict(kind)
    counts.get(status)?.run(relay, Math.floor(runId / RUN_IDS_PER_DAY))
    if (DNS_VERDICTS.has(status) || DNS_VERDICTS.has(statusIpv6)) {
      const point: ExitVerdictPoint = { runId: String(runId), timestamp, status, statusIpv6 }
      keepFirst.run(JSON.stringify(point), relay)
    }
    if (row !== undefined && later.get(relay, runId) === undefined) keepLast.run(JSON.stringify(row), relay)
  }
}
