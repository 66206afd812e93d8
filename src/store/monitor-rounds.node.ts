/**
 * Rounds of the monitor on the disk: equal rounds in a row are one row, and the answers that come again and again are
 * kept once.
 *
 * **Invariant**: what was written is never changed, except that a row grows while equal rounds follow.
 *
 * Format: docs/formats/monitor.md
 */
import type { DatabaseSync } from 'node:sqlite'
import type { MonitorClass } from '../model/monitor-state.ts'
import type { SeenAnswer, SeenRound } from '../model/monitor-view.ts'
import { createLruCache } from './lru-cache.ts'

/** Classes by the number that stands for them. */
export const CLASSES: readonly MonitorClass[] = ['K0', 'K1', 'K2', 'K3', 'K4', 'K5', 'K6']

/** Answers whose numbers are known without looking: the pools of some thousand rotating names. */
const ANSWERS_MAX = 50_000
const DAY_MS = 86_400_000
/** A gap of more than so many usual pauses is a gap: equal rounds on both sides are two rows. */
const GAP_MAX_MS = 3_600_000

/** Writes rounds. */
export interface RoundWriter {
  /** Takes a round; it is on the disk after {@link RoundWriter.write}. */
  add(key: string, round: SeenRound): void
  /** The newest round of a name that was taken or, at first, is on the disk. */
  newest(key: string): SeenRound | undefined
  /** Whether there are rows that are not on the disk at all. */
  hasNew(): boolean
  /** Writes inside a transaction of the caller: new rows, or also those that only grew. */
  write(isAll: boolean): void
  /** Says that what was written is on the disk. */
  settle(): void
  /** The number of a name, given to it when it is new; inside a transaction of the caller. */
  nameId(key: string): number
  /** Forgets what is remembered of the file: after something else changed it, or a transaction was lost. */
  refresh(): void
}

/** A row that still grows. */
interface OpenRow {
  readonly key: string
  readonly fingerprint: string
  round: SeenRound
  /** `new`: not on the disk at all; `grown`: its number and end are older there. */
  state: 'new' | 'grown' | 'kept'
}

/** Makes a writer over an open file. */
export function createRoundWriter(database: DatabaseSync): RoundWriter {
  const names = createNumbering(database, 'name', 'key')
  const resolvers = createNumbering(database, 'resolver', 'name')
  const answers = createAnswerNumbering(database)
  const open = new Map<string, OpenRow>()
  const closed: OpenRow[] = []
  let writtenRows: readonly OpenRow[] = []
  const insert = database.prepare(
    'INSERT OR REPLACE INTO round (name_id, at_ms, until_ms, count, class, answers) VALUES (?, ?, ?, ?, ?, ?)',
  )
  const grow = database.prepare('UPDATE round SET until_ms = ?, count = ? WHERE name_id = ? AND at_ms = ?')
  const reader = createRoundReader(database)
  const find = (key: string): OpenRow | undefined => {
    const known = open.get(key)
    if (known !== undefined) return known
    const [round] = reader(key, 0, 1)
    if (round === undefined) return undefined
    const row: OpenRow = { key, fingerprint: fingerprintOf(round), round, state: 'kept' }
    open.set(key, row)
    return row
  }
  const put = (row: OpenRow): void => {
    const { round, state } = row
    if (state === 'kept') return
    const nameId = names.number(row.key)
    const { atMs, untilMs, count, answers: seen } = round
    if (state === 'grown') grow.run(untilMs, count, nameId, atMs)
    if (state !== 'new') return
    const packed = seen.map(
      (each) => `${resolvers.number(each.resolver)}.${answers.number(each, untilMs)}.${CLASSES.indexOf(each.class)}`,
    )
    insert.run(nameId, atMs, untilMs, count, CLASSES.indexOf(round.class), packed.join(' '))
  }
  return {
    nameId: (key) => names.number(key),
    newest: (key) => find(key)?.round,
    add: (key, round) => {
      const before = find(key)
      const fingerprint = fingerprintOf(round)
      if (before?.fingerprint === fingerprint && round.atMs - before.round.untilMs <= GAP_MAX_MS) {
        before.round = { ...before.round, untilMs: round.untilMs, count: before.round.count + round.count }
        if (before.state === 'kept') before.state = 'grown'
        return
      }
      if (before !== undefined && before.state !== 'kept') closed.push(before)
      // Two rounds within a millisecond would be one row.
      const atMs = Math.max(round.atMs, (before?.round.untilMs ?? 0) + 1)
      const fresh = { ...round, atMs, untilMs: Math.max(atMs, round.untilMs) }
      open.set(key, { key, fingerprint, round: fresh, state: 'new' })
    },
    hasNew: () => closed.length > 0 || [...open.values()].some(({ state }) => state === 'new'),
    write: (isAll) => {
      const growing = [...open.values()].filter(({ state }) => state === 'new' || (isAll && state === 'grown'))
      writtenRows = [...closed, ...growing]
      for (const row of writtenRows) put(row)
    },
    settle: () => {
      for (const row of writtenRows) row.state = 'kept'
      closed.splice(0, closed.length)
      writtenRows = []
    },
    refresh: () => {
      for (const [key, { state }] of open) if (state === 'kept') open.delete(key)
      names.forget()
      resolvers.forget()
      answers.forget()
    },
  }
}

/** Prepares reading rounds of a name, newest first. */
export function createRoundReader(
  database: DatabaseSync,
): (key: string, sinceMs: number, limit: number) => readonly SeenRound[] {
  const select = database.prepare(
    `SELECT at_ms, until_ms, count, class, answers FROM round
     WHERE name_id = (SELECT id FROM name WHERE key = ?) AND until_ms >= ? ORDER BY at_ms DESC LIMIT ?`,
  )
  const resolverOf = database.prepare('SELECT name FROM resolver WHERE id = ?')
  const answerOf = database.prepare('SELECT record FROM answer WHERE id = ?')
  const known = createLruCache<number, Pick<SeenAnswer, 'outcome' | 'reason' | 'values'>>(ANSWERS_MAX / 10)
  const resolverNames = new Map<number, string>()
  const readAnswer = (id: number): Pick<SeenAnswer, 'outcome' | 'reason' | 'values'> => {
    const cached = known.get(id)
    if (cached !== undefined) return cached
    const record = answerOf.get(id)?.['record']
    const [outcome, reason, values] = JSON.parse(String(record ?? '["failure","not kept",[]]')) as [
      SeenAnswer['outcome'],
      string | null,
      readonly string[],
    ]
    const answer = { outcome, reason, values }
    if (record !== undefined) known.set(id, answer)
    return answer
  }
  const readResolver = (id: number): string => {
    const name = resolverNames.get(id) ?? String(resolverOf.get(id)?.['name'] ?? 'unknown')
    resolverNames.set(id, name)
    return name
  }
  return (key, sinceMs, limit) =>
    select.all(key, Math.floor(sinceMs), limit).map((row) => ({
      atMs: Number(row['at_ms']),
      untilMs: Number(row['until_ms']),
      count: Number(row['count']),
      class: classOf(row['class']),
      answers: String(row['answers'])
        .split(' ')
        .filter((part) => part !== '')
        .map((part) => {
          const [resolver = 0, answer = 0, each = 0] = part.split('.').map(Number)
          return { resolver: readResolver(resolver), ...readAnswer(answer), class: classOf(each) }
        }),
    }))
}

/** The class that a number stands for. */
export function classOf(number: unknown): MonitorClass {
  return CLASSES[Number(number)] ?? 'K0'
}

function fingerprintOf({ class: worst, answers }: SeenRound): string {
  return JSON.stringify([
    worst,
    answers.map((each) => [each.resolver, each.outcome, each.reason, each.values, each.class]),
  ])
}

/** Texts that get a number when they are new. */
function createNumbering(
  database: DatabaseSync,
  table: 'name' | 'resolver',
  column: string,
): { number(text: string): number; forget(): void } {
  const numbers = new Map<string, number>()
  const select = database.prepare(`SELECT id FROM ${table} WHERE ${column} = ?`)
  const insert = database.prepare(`INSERT OR IGNORE INTO ${table} (${column}) VALUES (?)`)
  return {
    number: (text) => {
      const known = numbers.get(text)
      if (known !== undefined) return known
      insert.run(text)
      const id = Number(select.get(text)?.['id'])
      numbers.set(text, id)
      return id
    },
    forget: () => {
      numbers.clear()
    },
  }
}

interface AnswerNumbering {
  number(answer: SeenAnswer, atMs: number): number
  forget(): void
}

/** An answer remembers the day on which it was used last, so that nobody has to search rounds for those that are not. */
function createAnswerNumbering(database: DatabaseSync): AnswerNumbering {
  const select = database.prepare('SELECT id FROM answer WHERE record = ?')
  const insert = database.prepare('INSERT INTO answer (record, used_ms) VALUES (?, ?)')
  const use = database.prepare('UPDATE answer SET used_ms = ? WHERE id = ?')
  let known = createLruCache<string, { readonly id: number; readonly usedMs: number }>(ANSWERS_MAX)
  return {
    number: ({ outcome, reason, values }, atMs) => {
      const record = JSON.stringify([outcome, reason, values])
      const entry = known.get(record)
      if (entry !== undefined && atMs - entry.usedMs < DAY_MS) return entry.id
      const row = select.get(record)
      const id = Number(row?.['id'] ?? insert.run(record, atMs).lastInsertRowid)
      if (row !== undefined) use.run(atMs, id)
      known.set(record, { id, usedMs: atMs })
      return id
    },
    forget: () => {
      known = createLruCache(ANSWERS_MAX)
    },
  }
}
