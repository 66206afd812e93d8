/**
 * The DNS verdicts of earlier runs, as counters need them.
 *
 * **Invariant**: of a relay there are at most 100 points: its very first, and the last 99. The very first is remembered
 * also when the rows of its run were given up.
 */
import { setImmediate } from 'node:timers/promises'
import type { DatabaseSync, SQLOutputValue, StatementSync } from 'node:sqlite'
import type { ExitVerdictPoint } from '../model/exit-history.ts'
import type { ExitStatus } from '../model/exit-result.ts'
import type { ArchiveTexts } from './archive-texts.node.ts'

const NEWEST_POINTS_MAX = 99
/** Relays between two turns for other work: some ten milliseconds. */
const RELAYS_PER_TURN = 100
const DNS_VERDICTS: ReadonlySet<ExitStatus | null> = new Set(['success', 'wrong_ip', 'dns_fail', 'timeout'])

type Row = Readonly<Record<string, SQLOutputValue>>

/** Reads the points of relays. */
export type VerdictReader = (
  beforeRunId: string,
  among: readonly string[] | undefined,
) => Promise<ReadonlyMap<string, readonly ExitVerdictPoint[]>>

/** @param database - A connection that reads. */
export function createVerdictReader(database: DatabaseSync, texts: ArchiveTexts): VerdictReader {
  const relays = database.prepare('SELECT fingerprint FROM relay')
  const times = database.prepare('SELECT run_id, max(timestamp) AS timestamp FROM run GROUP BY run_id')
  const select = (order: string): StatementSync =>
    database.prepare(`SELECT run_id, kind FROM verdict WHERE relay = ? AND run_id < ? ORDER BY run_id ${order}`)
  const [oldest, newest] = [select('ASC'), select('DESC')]
  const first = database.prepare('SELECT first_point FROM relay WHERE id = ?')
  return async (beforeRunId, among) => {
    const before = Number(beforeRunId.replace('_', ''))
    const timestamps = new Map(times.all().map((row) => [Number(row['run_id']), String(row['timestamp'])]))
    const pointOf = (row: Row): ExitVerdictPoint => {
      const runId = Number(row['run_id'])
      const { status, statusIpv6 } = texts.verdict(Number(row['kind']))
      return { runId: String(runId), timestamp: timestamps.get(runId) ?? '', status, statusIpv6 }
    }
    const pointsOf = (relay: number): readonly ExitVerdictPoint[] => {
      const points = takeVerdicts(newest.iterate(relay, before), pointOf, NEWEST_POINTS_MAX).toReversed()
      const kept = first.get(relay)?.['first_point']
      if (typeof kept === 'string') {
        const point = JSON.parse(kept) as ExitVerdictPoint
        const next = points[0]?.runId ?? beforeRunId.replace('_', '')
        if (point.runId < next) return [point, ...points]
      }
      if (points.length < NEWEST_POINTS_MAX) return points
      const [earliest] = takeVerdicts(oldest.iterate(relay, before), pointOf, 1)
      return earliest === undefined || earliest.runId === points[0]?.runId ? points : [earliest, ...points]
    }
    const found = new Map<string, readonly ExitVerdictPoint[]>()
    const fingerprints = among ?? relays.all().map((row) => String(row['fingerprint']))
    for (const [index, fingerprint] of fingerprints.entries()) {
      const relay = texts.relayOf(fingerprint)
      const points = relay === undefined ? [] : pointsOf(relay)
      if (points.length > 0) found.set(fingerprint, points)
      // Gives others a turn.
      if (index % RELAYS_PER_TURN === RELAYS_PER_TURN - 1) await setImmediate()
    }
    return found
  }
}

function takeVerdicts(
  rows: Iterable<Row>,
  pointOf: (row: Row) => ExitVerdictPoint,
  pointsMax: number,
): ExitVerdictPoint[] {
  const points: ExitVerdictPoint[] = []
  for (const row of rows) {
    const point = pointOf(row)
    if (!DNS_VERDICTS.has(point.status) && !DNS_VERDICTS.has(point.statusIpv6)) continue
    points.push(point)
    if (points.length === pointsMax) break
  }
  return points
}
