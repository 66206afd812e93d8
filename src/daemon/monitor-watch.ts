/**
 * A watch over names that keeps what it saw: the campaign, its archive and its outbox together, for `candor serve` and
 * `candor monitor run`.
 *
 * **Invariant**: people are told before the state says so; what waits for the daily digest is kept and not sent.
 */
import { createMonitorOrders } from '../campaigns/monitor/monitor-orders.ts'
import { runMonitor } from '../campaigns/monitor/run-monitor.ts'
import type { MonitorRunOptions, WatchCapabilities } from '../campaigns/monitor/watch-options.ts'
import { sleep } from '../core/clock.ts'
import { RunError } from '../core/config-error.ts'
import type { Log } from '../core/log.ts'
import type { AlertMessage, AlertOutbox } from '../model/alert.ts'
import { formatMonitorKey, type MonitoredName, type MonitorPlan } from '../model/monitor-name.ts'
import type { MonitorRound } from '../model/monitor-round.ts'
import type { MonitorNotice } from '../model/monitor-state.ts'
import type { CheckedName, SeenRound } from '../model/monitor-view.ts'
import type { MonitorArchive } from '../store/monitor-archive.node.ts'
import type { JudgedRound } from '../verdicts/monitor-judge.ts'
import { composeMonitorMessage } from '../verdicts/monitor-messages.ts'

/** How often it is looked whether something must be written. */
const TURN_MS = 1_000
/** New rounds are written after so many turns; rows that only grew, and counters of profiles, after many more. */
const TURNS_NEW = 15
const TURNS_ALL = 300
/** Who asks for a name again within this time gets the round that was made: rounds cannot be had in bulk. */
const FRESH_MS = 5_000

/** What a watch is made of. */
export interface MonitorWatchParts extends WatchCapabilities, Pick<MonitorRunOptions, 'follow' | 'vantage'> {
  readonly log: Log
  readonly archive: MonitorArchive
  readonly outbox: Pick<AlertOutbox, 'add'>
  readonly plan: MonitorPlan
  readonly timeoutMs: number
  /** Called for what people are told, after it was kept. */
  readonly onTold?: (notice: MonitorNotice, message: AlertMessage) => Promise<void>
}

/** A watch. */
export interface MonitorWatch {
  /** Watches until `signal` aborts, then writes everything. @throws {RunError} When a message cannot be kept. */
  run(signal: AbortSignal): Promise<void>
  /** Asks names now. Never rejects. */
  check(keys: readonly string[]): Promise<readonly CheckedName[]>
  /** Tells people what came of something that was not a round. */
  tell(notice: MonitorNotice, monitored: MonitoredName | null): Promise<void>
  /** Rounds that were judged. */
  rounds(): number
  /** When the last one was, Unix milliseconds; `null` before the first. */
  lastRoundMs(): number | null
  /** Since when this vantage reaches nobody, Unix milliseconds; `null` while it does. */
  downSinceMs(): number | null
  /** Why nothing can be written, one sentence; `null` while it can. */
  problem(): string | null
}

/** Puts a watch together; nothing is asked before {@link MonitorWatch.run}. */
export function createMonitorWatch(parts: MonitorWatchParts): MonitorWatch {
  const { clock, archive, outbox, plan, timeoutMs } = parts
  const orders = createMonitorOrders()
  const waiting = new Map<string, Set<(round: SeenRound) => void>>()
  const writing = createWritingTurns(parts)
  let rounds = 0
  let lastRoundMs: number | null = null
  let downSinceMs: number | null = null

  const tell = async (notice: MonitorNotice, monitored: MonitoredName | null): Promise<void> => {
    if (monitored === null && isOutage(notice)) downSinceMs = notice.event === 'new' ? notice.atMs : null
    const message = composeMonitorMessage(notice, monitored)
    if (notice.channel !== 'digest') await outbox.add(message)
    const key = monitored === null ? null : formatMonitorKey(monitored)
    const { severity, channel, atMs, title } = notice
    const kind = notice.event === 'test' ? 'info' : notice.event
    archive.addChange({ key, atMs, kind, severity, channel, text: title })
    await parts.onTold?.(notice, message)
  }
  const onRound = (monitored: MonitoredName, judged: JudgedRound, round: MonitorRound): void => {
    const key = formatMonitorKey(monitored)
    const seen = toSeenRound(judged, round)
    rounds += 1
    lastRoundMs = seen.atMs
    archive.addRound(key, seen)
    for (const answer of waiting.get(key) ?? []) answer(seen)
    waiting.delete(key)
  }
  const checkOne = async (key: string): Promise<CheckedName> => {
    const newest = archive.newestRound(key)
    if (newest !== undefined && clock.wallNowMs() - newest.untilMs < FRESH_MS) return { key, round: newest }
    const controller = new AbortController()
    let found: SeenRound | null = null
    const answer = (round: SeenRound): void => {
      found = round
      controller.abort()
    }
    waiting.set(key, (waiting.get(key) ?? new Set()).add(answer))
    orders.add([key])
    await sleep(clock, timeoutMs * 2 + FRESH_MS, controller.signal)
    waiting.get(key)?.delete(answer)
    return { key, round: found }
  }
  return {
    run: async (signal) => {
      const ending = new AbortController()
      const turns = writing.run(ending.signal)
      try {
        const store = createLearningStore(archive, plan, () => clock.wallNowMs())
        downSinceMs = (await parts.vantage?.load()) ?? null
        await runMonitor(parts, { ...parts, store, signal, tell, onRound, orders })
      } finally {
        ending.abort()
        await turns
      }
    },
    check: (keys) => Promise.all(keys.map(checkOne)),
    tell,
    rounds: () => rounds,
    lastRoundMs: () => lastRoundMs,
    downSinceMs: () => downSinceMs,
    problem: () => writing.problem(),
  }
}

/** Whether a notice begins or ends our own outage; tests of delivery are about no name either. */
function isOutage({ event }: MonitorNotice): boolean {
  return event === 'new' || event === 'recovered'
}

/** From the facts and their classes to what is kept. */
function toSeenRound({ class: worst, answers }: JudgedRound, { atMs }: MonitorRound): SeenRound {
  return {
    atMs,
    untilMs: atMs,
    count: 1,
    class: worst,
    answers: answers.map(({ answer, class: each, units }) => ({
      resolver: answer.resolver,
      outcome: answer.outcome,
      reason: answer.reason,
      values: units.map(({ unit }) => unit.text),
      class: each,
    })),
  }
}

/** The states of the archive, with a note of each value that became known after the first round. */
function createLearningStore(
  archive: MonitorArchive,
  plan: MonitorPlan,
  nowMs: () => number,
): MonitorArchive['states'] {
  const known = new Set(plan.names.map(formatMonitorKey))
  return {
    ...archive.states,
    update: async (key, change) => {
      const before = archive.states.peek(key)?.profile.units
      const result = await archive.states.update(key, change)
      const after = archive.states.peek(key)?.profile.units ?? {}
      if (before === undefined || !known.has(key)) return result
      for (const value of Object.keys(after)) {
        if (before[value] === undefined)
          archive.addChange({ key, atMs: nowMs(), kind: 'learned', severity: 'info', channel: 'digest', text: value })
      }
      return result
    },
  }
}

/** Writes in turns; a disk that takes nothing is tried again, and shown. */
function createWritingTurns({ clock, archive, log }: MonitorWatchParts): {
  run(signal: AbortSignal): Promise<void>
  problem(): string | null
} {
  let problem: string | null = null
  const flush = (isAll: boolean): void => {
    try {
      archive.flush(isAll)
      problem = null
    } catch (error) {
      if (!(error instanceof RunError)) throw error
      if (problem === null) log.error('daemon.monitor.not_kept', { message: error.message })
      problem = `What the monitor sees is not kept: ${error.message}`
    }
  }
  return {
    problem: () => problem,
    run: async (signal) => {
      for (let turn = 1; !signal.aborted; turn++) {
        await sleep(clock, TURN_MS, signal)
        const isAll = signal.aborted || turn % TURNS_ALL === 0
        if (isAll || turn % TURNS_NEW === 0 || archive.isPressing()) flush(isAll)
      }
    },
  }
}
