/**
 * Gives up what is older than it has to be kept: first evidence of sound relays, then evidence of failures, then rows, which
 * become counts per relay and day. Counts of runs stay for ever.
 *
 * Work goes in small transactions, oldest first, and each leaves a state that is right: killed in between, the next time
 * goes on where this one ended.
 *
 * **Invariant**: no transaction holds up others for more than some tens of milliseconds; what is given up is said in the
 * run before, or in the same transaction as, it is gone.
 *
 * Format: docs/formats/archive.md
 */
import { setImmediate } from 'node:timers/promises'
import type { DatabaseSync } from 'node:sqlite'
import { formatCompactTime } from '../core/clock.ts'
import type { BudgetState, RetentionOutcome, RetentionPolicy } from '../model/retention.ts'
import { archiveError } from './archive-database.node.ts'
import { createRowRoller, type RowRoller } from './roll-up-rows.node.ts'
import { EVIDENCE_OF_SUCCESSES } from './pack-evidence.node.ts'
import { beginWriting, takeTurn } from './write-turns.node.ts'

const DAY_MS = 86_400_000
/** At this share of the budget there is a warning, and above that one the oldest goes before its age. */
const WARNING_SHARE = 0.8
const EARLY_SHARE = 0.9
/** What the budget cannot take: a day of evidence, a week of failures, a month of rows. */
const MINIMUM: Pick<RetentionPolicy, 'evidenceDays' | 'failureEvidenceDays' | 'rowDays'> = {
  evidenceDays: 1,
  failureEvidenceDays: 7,
  rowDays: 30,
}
/** Free pages that are given back in one transaction: a megabyte. */
const PAGES_PER_TURN = 256
/** Relays whose days are looked at in one transaction. */
const RELAYS_PER_TURN = 500

/** How retention is done this time. */
export interface RetentionTask {
  readonly policy: RetentionPolicy
  /** Unix milliseconds. */
  readonly nowMs: number
  readonly dryRun: boolean
  /** Ends it after the piece of work that is being done. */
  readonly signal?: AbortSignal | undefined
}

/** @returns Octets in use: pages of the file that are not free. */
export function usedOctets(database: DatabaseSync): number {
  const value = (name: string): number => Number(Object.values(database.prepare(`PRAGMA ${name}`).get() ?? {})[0])
  return (value('page_count') - value('freelist_count')) * value('page_size')
}

/** A kind of thing that is given up, run by run. */
interface Level {
  readonly count: 'evidenceRuns' | 'failureEvidenceRuns' | 'rowRuns'
  readonly age: keyof typeof MINIMUM
  /** The runs that still have it, oldest first; takes the first run id that is kept. */
  readonly select: string
  /** Octets that it takes in a run. */
  readonly size: string
}

const LEVELS: readonly Level[] = [
  {
    count: 'evidenceRuns',
    age: 'evidenceDays',
    select: `SELECT seq, run_id FROM run WHERE run_id < ? AND evidence = 'all' ORDER BY run_id`,
    size: `SELECT sum(length(block)) AS size FROM evidence WHERE seq = ? AND class = ${EVIDENCE_OF_SUCCESSES}`,
  },
  {
    count: 'failureEvidenceRuns',
    age: 'failureEvidenceDays',
    select: `SELECT seq, run_id FROM run WHERE run_id < ? AND evidence <> 'none' ORDER BY run_id`,
    size: 'SELECT sum(length(block)) AS size FROM evidence WHERE seq = ?',
  },
  {
    count: 'rowRuns',
    age: 'rowDays',
    select: 'SELECT seq, run_id FROM run WHERE run_id < ? AND has_rows = 1 ORDER BY run_id',
    // A row of `verdict` takes about half as much as one of the block.
    size: 'SELECT 3 * length(block) AS size FROM run_rows WHERE seq = ?',
  },
]

interface AgedRun {
  readonly seq: number
  readonly runId: number
}

type Counts = Record<Level['count'] | 'relayDays' | 'earlyRuns', number>

/**
 * Does retention once.
 *
 * @param path - Of the database, for taking turns.
 * @param database - The connection that writes.
 * @throws {RunError} When the disk is full or somebody else writes for too long.
 */
export async function retainRuns(path: string, database: DatabaseSync, task: RetentionTask): Promise<RetentionOutcome> {
  const counts: Counts = { evidenceRuns: 0, failureEvidenceRuns: 0, rowRuns: 0, relayDays: 0, earlyRuns: 0 }
  const before = usedOctets(database)
  try {
    const expected = task.dryRun ? estimate(database, task, counts) : 0
    if (!task.dryRun) await giveUp(path, database, task, counts)
    const used = usedOctets(database)
    return {
      dryRun: task.dryRun,
      ...counts,
      freedOctets: task.dryRun ? expected : Math.max(before - used, 0),
      usedOctets: used,
      budgetOctets: task.policy.budgetOctets,
      budget: budgetState(used, task.policy.budgetOctets),
      interrupted: task.signal?.aborted === true,
    }
  } catch (cause) {
    throw archiveError('retention could not go on', cause)
  }
}

/** How full a budget is. */
export function budgetState(used: number, budget: number): BudgetState {
  return used <= budget * WARNING_SHARE ? 'within' : used <= budget * EARLY_SHARE ? 'warning' : 'exceeded'
}

async function giveUp(path: string, database: DatabaseSync, task: RetentionTask, counts: Counts): Promise<void> {
  const inTurn = createTurns(path, database)
  const roller = createRowRoller(database)
  const removers = createRemovers(database, roller)
  const isStopped = (): boolean => task.signal?.aborted === true
  for (const level of LEVELS) {
    for (const run of runsBefore(database, level, firstKept(task.nowMs, task.policy[level.age]))) {
      if (isStopped()) return
      // One run after the other, oldest first.
      await removers[level.count](run, inTurn)
      counts[level.count]++
    }
  }
  counts.relayDays += await removeRelayDays(database, task, inTurn)
  const isOver = (share: number): boolean => usedOctets(database) > task.policy.budgetOctets * share
  if (isOver(EARLY_SHARE)) {
    for (const level of LEVELS) {
      for (const run of runsBefore(database, level, firstKept(task.nowMs, MINIMUM[level.age]))) {
        if (isStopped() || !isOver(WARNING_SHARE)) break
        // One run after the other, oldest first.
        await removers[level.count](run, inTurn)
        counts[level.count]++
        counts.earlyRuns++
      }
    }
  }
  await returnPages(database, inTurn, isStopped)
}

/** Does a piece of writing in a transaction of its own, in turn with other writers. */
type Turn = (work: () => void) => Promise<void>

function createTurns(path: string, database: DatabaseSync): Turn {
  return async (work) => {
    await takeTurn(path, async () => {
      // What a loss of power undoes is done again the next time; waiting for the disk would hold up pages.
      database.exec('PRAGMA synchronous = NORMAL')
      try {
        await beginWriting(database)
        work()
        database.exec('COMMIT')
      } catch (cause) {
        if (database.isTransaction) database.exec('ROLLBACK')
        throw cause
      } finally {
        database.exec('PRAGMA synchronous = FULL')
      }
    })
    await setImmediate()
  }
}

type Remover = (run: AgedRun, inTurn: Turn) => Promise<void>

function createRemovers(database: DatabaseSync, roller: RowRoller): Readonly<Record<Level['count'], Remover>> {
  const mark = database.prepare('UPDATE run SET evidence = ? WHERE seq = ?')
  const ofSuccesses = database.prepare('DELETE FROM evidence WHERE seq = ? AND class = ?')
  const ofAll = database.prepare('DELETE FROM evidence WHERE seq = ?')
  return {
    evidenceRuns: ({ seq }, inTurn) =>
      inTurn(() => {
        mark.run('failures', seq)
        ofSuccesses.run(seq, EVIDENCE_OF_SUCCESSES)
      }),
    failureEvidenceRuns: ({ seq }, inTurn) =>
      inTurn(() => {
        mark.run('none', seq)
        ofAll.run(seq)
      }),
    rowRuns: async ({ seq, runId }, inTurn) => {
      for (const piece of roller.pieces(seq, runId)) {
        // Each piece is a transaction.
        await inTurn(piece)
      }
    },
  }
}

function runsBefore(database: DatabaseSync, level: Level, firstRunId: number): readonly AgedRun[] {
  const rows = database.prepare(level.select).all(firstRunId)
  return rows.map((row) => ({ seq: Number(row['seq']), runId: Number(row['run_id']) }))
}

/** The first run id of the day that is still kept: whole days go, so that no day is counted half. */
function firstKept(nowMs: number, days: number): number {
  return Number(`${formatCompactTime(nowMs - days * DAY_MS).slice(0, 8)}000000`)
}

async function removeRelayDays(database: DatabaseSync, task: RetentionTask, inTurn: Turn): Promise<number> {
  const firstDay = Math.floor(firstKept(task.nowMs, task.policy.relayDayDays) / 1_000_000)
  const last = Number(database.prepare('SELECT max(id) AS id FROM relay').get()?.['id'] ?? 0)
  const remove = database.prepare('DELETE FROM relay_day WHERE relay = ? AND day < ?')
  const hasOld = database.prepare('SELECT 1 FROM relay_day WHERE day < ? LIMIT 1')
  if (hasOld.get(firstDay) === undefined) return 0
  let removed = 0
  for (let start = 1; start <= last && task.signal?.aborted !== true; start += RELAYS_PER_TURN) {
    // Each piece is a transaction.
    await inTurn(() => {
      const end = Math.min(start + RELAYS_PER_TURN, last + 1)
      for (let relay = start; relay < end; relay++) removed += Number(remove.run(relay, firstDay).changes)
    })
  }
  return removed
}

/** Gives free pages back to the file system, a megabyte at a time. */
async function returnPages(database: DatabaseSync, inTurn: Turn, isStopped: () => boolean): Promise<void> {
  const free = database.prepare('PRAGMA freelist_count')
  for (let left = Infinity; !isStopped();) {
    const now = Number(free.get()?.['freelist_count'])
    // A file from before this setting keeps its free pages, for what comes.
    if (now === 0 || now >= left) return
    left = now
    // Each piece is a transaction.
    await inTurn(() => {
      database.exec(`PRAGMA incremental_vacuum(${PAGES_PER_TURN})`)
    })
  }
}

/** Counts what would go. @returns About how many octets it takes. */
function estimate(database: DatabaseSync, task: RetentionTask, counts: Counts): number {
  let [freed, used] = [0, usedOctets(database)]
  const gone = new Set<string>()
  const sizes = LEVELS.map(({ size }) => database.prepare(size))
  const take = (index: number, level: Level, run: AgedRun): void => {
    const key = `${level.count} ${run.seq}`
    if (gone.has(key)) return
    gone.add(key)
    counts[level.count]++
    const octets = Number(sizes[index]?.get(run.seq)?.['size'] ?? 0)
    freed += octets
    used -= octets
  }
  for (const [index, level] of LEVELS.entries()) {
    for (const run of runsBefore(database, level, firstKept(task.nowMs, task.policy[level.age])))
      take(index, level, run)
  }
  const budget = task.policy.budgetOctets
  if (used > budget * EARLY_SHARE) {
    for (const [index, level] of LEVELS.entries()) {
      for (const run of runsBefore(database, level, firstKept(task.nowMs, MINIMUM[level.age]))) {
        if (used <= budget * WARNING_SHARE) break
        if (gone.has(`${level.count} ${run.seq}`)) continue
        take(index, level, run)
        counts.earlyRuns++
      }
    }
  }
  const day = Math.floor(firstKept(task.nowMs, task.policy.relayDayDays) / 1_000_000)
  const old = database.prepare('SELECT count(*) AS count FROM relay_day WHERE day < ?').get(day)
  counts.relayDays = Number(old?.['count'] ?? 0)
  return freed
}
