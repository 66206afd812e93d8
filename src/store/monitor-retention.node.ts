/**
 * Gives up what is old: rounds become counts per hour, hours are forgotten after a year, and a file that is nearly full
 * rolls up earlier.
 *
 * **Invariant**: changes and incidents are for ever.
 */
import type { DatabaseSync } from 'node:sqlite'
import type { SeenHour } from '../model/monitor-view.ts'
import { CLASSES, classOf } from './monitor-rounds.node.ts'
import { transact } from './monitor-store.node.ts'

const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS
/** Names whose rounds are rolled up in one transaction, so that a round of today waits for moments only. */
const NAMES_AT_ONCE = 50
const VALUES_MAX = 64
/** Of the budget: from here on it rolls up earlier than it was told to. */
const FULL = 0.9

/** How long what is kept. */
export interface MonitorRetention {
  readonly roundsMs: number
  readonly hoursMs: number
  readonly budgetOctets: number
}

/** The number and its severity order are those of the verdicts: K6 is milder than something new. */
const WORSE = ['K0', 'K6', 'K1', 'K2', 'K3', 'K5', 'K4']

/** An hour in the making. */
interface Hour {
  rounds: number
  failed: number
  class: string
  readonly values: Set<string>
}

/** Gives up what is older than allowed. @returns The days of rounds that are left, fewer where the budget asked for it. */
export async function retainMonitor(
  database: DatabaseSync,
  policy: MonitorRetention,
  nowMs: number,
  yieldTurn: () => Promise<void>,
): Promise<number> {
  let keptMs = policy.roundsMs
  await rollUp(database, nowMs - keptMs, yieldTurn)
  while (measureMonitor(database) > policy.budgetOctets * FULL && keptMs > DAY_MS) {
    keptMs = Math.max(DAY_MS, keptMs / 2)
    await rollUp(database, nowMs - keptMs, yieldTurn)
  }
  database.prepare('DELETE FROM hour WHERE hour_ms + hours * ? < ?').run(HOUR_MS, Math.floor(nowMs - policy.hoursMs))
  // An answer says the day of its use when the day is over, so two days more are needed to be sure.
  database.prepare('DELETE FROM answer WHERE used_ms < ?').run(Math.floor(nowMs - policy.roundsMs - 2 * DAY_MS))
  database.exec('PRAGMA wal_checkpoint(TRUNCATE)')
  return keptMs / DAY_MS
}

/** Octets of the file that are in use. */
export function measureMonitor(database: DatabaseSync): number {
  const read = (name: string): number => Number(database.prepare(`PRAGMA ${name}`).get()?.[name])
  return (read('page_count') - read('freelist_count')) * read('page_size')
}

/** Prepares reading hours of a name, newest first. */
export function createHourReader(
  database: DatabaseSync,
): (key: string, sinceMs: number, limit: number) => readonly SeenHour[] {
  const select = database.prepare(
    `SELECT hour_ms, hours, rounds, failed, class, answer_values FROM hour
     WHERE name_id = (SELECT id FROM name WHERE key = ?) AND hour_ms + hours * ${HOUR_MS} >= ?
     ORDER BY hour_ms DESC LIMIT ?`,
  )
  return (key, sinceMs, limit) =>
    select.all(key, Math.floor(sinceMs), limit).map((row) => ({
      fromMs: Number(row['hour_ms']),
      hours: Number(row['hours']),
      rounds: Number(row['rounds']),
      failed: Number(row['failed']),
      class: classOf(row['class']),
      values: JSON.parse(String(row['answer_values'])) as readonly string[],
    }))
}

async function rollUp(database: DatabaseSync, beforeMs: number, yieldTurn: () => Promise<void>): Promise<void> {
  // Whole hours, so that an hour is made once.
  const cutMs = Math.floor(beforeMs / HOUR_MS) * HOUR_MS
  const ids = database.prepare('SELECT DISTINCT name_id FROM round WHERE at_ms < ?').all(cutMs)
  for (let at = 0; at < ids.length; at += NAMES_AT_ONCE) {
    transact(database, () => {
      for (const row of ids.slice(at, at + NAMES_AT_ONCE)) rollUpName(database, Number(row['name_id']), cutMs)
    })
    await yieldTurn()
  }
}

function rollUpName(database: DatabaseSync, nameId: number, cutMs: number): void {
  const rows = database
    .prepare('SELECT at_ms, until_ms, count, class, answers FROM round WHERE name_id = ? AND at_ms < ? ORDER BY at_ms')
    .all(nameId, cutMs)
  const answerOf = database.prepare('SELECT record FROM answer WHERE id = ?')
  const hours = new Map<number, Hour>()
  for (const row of rows) {
    const values = String(row['answers'])
      .split(' ')
      .filter((part) => part !== '')
      .flatMap((part) => {
        const record = answerOf.get(Number(part.split('.')[1]))?.['record']
        return record === undefined ? [] : (JSON.parse(String(record)) as [string, string | null, string[]])[2]
      })
    const round = {
      atMs: Number(row['at_ms']),
      untilMs: Number(row['until_ms']),
      count: Number(row['count']),
      class: classOf(row['class']),
    }
    const rest = spread(hours, round, values, cutMs)
    database.prepare('DELETE FROM round WHERE name_id = ? AND at_ms = ?').run(nameId, round.atMs)
    if (rest > 0)
      database
        .prepare('INSERT INTO round (name_id, at_ms, until_ms, count, class, answers) VALUES (?, ?, ?, ?, ?, ?)')
        .run(nameId, cutMs, round.untilMs, rest, Number(row['class']), String(row['answers']))
  }
  for (const [hourMs, hour] of hours) putHour(database, nameId, hourMs, hour)
}

/** Spreads equal rounds over the hours that they span. @returns How many of them are younger than `cutMs`. */
function spread(
  hours: Map<number, Hour>,
  { atMs, untilMs, count, class: worst }: { atMs: number; untilMs: number; count: number; class: string },
  values: readonly string[],
  cutMs: number,
): number {
  const pauseMs = count > 1 ? (untilMs - atMs) / (count - 1) : 0
  let left = count
  for (let fromMs = Math.floor(atMs / HOUR_MS) * HOUR_MS; fromMs <= untilMs && fromMs < cutMs; fromMs += HOUR_MS) {
    const isLast = fromMs + HOUR_MS > untilMs
    // The rounds up to the end of the hour, less those before it.
    const upTo = pauseMs === 0 ? count : Math.min(count, Math.ceil((fromMs + HOUR_MS - atMs) / pauseMs))
    const own = isLast ? left : Math.min(left, Math.max(0, upTo - (count - left)))
    left -= own
    if (own === 0) continue
    const hour = hours.get(fromMs) ?? { rounds: 0, failed: 0, class: 'K0', values: new Set<string>() }
    hours.set(fromMs, hour)
    hour.rounds += own
    if (worst === 'K6') hour.failed += own
    if (WORSE.indexOf(worst) > WORSE.indexOf(hour.class)) hour.class = worst
    for (const value of values) if (hour.values.size < VALUES_MAX) hour.values.add(value)
  }
  return left
}

/** Hours in a row in which the same was seen are one row. */
function putHour(database: DatabaseSync, nameId: number, hourMs: number, hour: Hour): void {
  const values = JSON.stringify([...hour.values].toSorted())
  const worst = CLASSES.findIndex((each) => each === hour.class)
  const before = database
    .prepare('SELECT * FROM hour WHERE name_id = ? AND hour_ms <= ? ORDER BY hour_ms DESC LIMIT 1')
    .get(nameId, hourMs)
  if (before !== undefined) {
    const endMs = Number(before['hour_ms']) + Number(before['hours']) * HOUR_MS
    const isSame = before['answer_values'] === values && Number(before['class']) === worst
    // A part of this hour was rolled up before, when the budget asked for it in the middle of it.
    const isWithin = hourMs < endMs
    if (isWithin || (isSame && endMs === hourMs)) {
      database
        .prepare(
          'UPDATE hour SET hours = hours + ?, rounds = rounds + ?, failed = failed + ? WHERE name_id = ? AND hour_ms = ?',
        )
        .run(isWithin ? 0 : 1, hour.rounds, hour.failed, nameId, Number(before['hour_ms']))
      return
    }
  }
  database
    .prepare(
      'INSERT INTO hour (name_id, hour_ms, hours, rounds, failed, class, answer_values) VALUES (?, ?, 1, ?, ?, ?, ?)',
    )
    .run(nameId, hourMs, hour.rounds, hour.failed, worst, values)
}
