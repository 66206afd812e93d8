/**
 * `candor monitor check`: one round now. What each resolver says, what they agree on, the class, and what would be told.
 *
 * Invariant: changes nothing: neither state nor incidents, and tells nobody.
 */
import type { Command } from 'commander'
import { createMonitorProbe } from '../campaigns/monitor/monitor-probe.ts'
import { formatIsoTime } from '../core/clock.ts'
import { formatMonitorKey, type MonitoredName } from '../model/monitor-name.ts'
import type { MonitorRound } from '../model/monitor-round.ts'
import type { MonitorState } from '../model/monitor-state.ts'
import { openMonitorStore } from '../store/monitor-store.node.ts'
import { foreseeNotices } from '../verdicts/foresee-notices.ts'
import { findConsensus, formatAnswer } from '../verdicts/monitor-consensus.ts'
import { judgeMonitorRound } from '../verdicts/monitor-judge.ts'
import { createMonitorState } from '../verdicts/monitor-profile.ts'
import { assessRisk } from '../verdicts/monitor-risk.ts'
import type { CliContext } from './cli-context.ts'
import { STATUS_DONE, STATUS_FINDINGS, STATUS_INCOMPLETE, type CliStatus } from './exit-status.ts'
import { formatCheckText, type MonitorCheckRecord } from './format-check-text.ts'
import { findDataDirectory, MONITOR_TIMEOUT_DEFAULT, readMonitorFormat, readMonitorTimeout } from './monitor-options.ts'
import { readMonitorPlan, selectNames } from './monitor-plan.ts'

/** Names that are asked at once. */
const NAMES_AT_ONCE = 20

interface CheckFlags {
  readonly config?: string
  readonly dataDir?: string
  readonly timeout: string
  readonly format?: string
}

/** Adds `candor monitor check`. */
export function registerMonitorCheck(monitor: Command, context: CliContext): void {
  const command = monitor
    .command('check')
    .description('one round now: what each resolver says, what is new, and what would be told')
    .argument('[name]', 'a name of the file; all without one')
    .option('--config <file>', 'the names to watch (default: dns-monitor.toml)')
    .option('--data-dir <directory>', 'compare with what `candor monitor run` has learned there (CANDOR_DATA_DIR)')
    .option('--timeout <duration>', 'how long a resolver may take', MONITOR_TIMEOUT_DEFAULT)
    .option('--format <format>', 'text or jsonl (default: text on a terminal)')
  command.action(async (word: string | undefined) => {
    const flags = command.optsWithGlobals<CheckFlags>()
    const isText = readMonitorFormat(flags.format, context)
    const timeoutMs = readMonitorTimeout(flags.timeout)
    const plan = await readMonitorPlan(context, flags.config)
    const names = selectNames(plan, word)
    const states = await loadStates(names, findDataDirectory(flags.dataDir, context))
    const random = context.createRandom(context.newSeed())
    const probe = createMonitorProbe({ ...context, random }, plan, timeoutMs)
    const records: MonitorCheckRecord[] = []
    try {
      for (let at = 0; at < names.length && !context.interrupted.aborted; at += NAMES_AT_ONCE) {
        const some = names.slice(at, at + NAMES_AT_ONCE)
        const rounds = await Promise.all(some.map((name) => probe.ask(name, false, context.interrupted)))
        for (const [index, round] of rounds.entries()) {
          const name = some[index] as MonitoredName
          const record = toRecord(name, round, states.get(formatMonitorKey(name)))
          records.push(record)
          await context.stdout.write(isText ? formatCheckText(record) : `${JSON.stringify(record)}\n`)
        }
      }
    } finally {
      probe.close()
    }
    context.finish(statusOf(records))
  })
}

/** 4 when something is not as expected; 3 when a name got no answer, or no two resolvers agree; else 0. */
function statusOf(records: readonly MonitorCheckRecord[]): CliStatus {
  if (records.some(({ would_tell: told }) => told.length > 0)) return STATUS_FINDINGS
  return records.some(({ consensus }) => consensus.kind !== 'agreed') ? STATUS_INCOMPLETE : STATUS_DONE
}

/** Without a history what is expected is all that is known: a name that expects something is judged by that alone. */
function toRecord(name: MonitoredName, round: MonitorRound, known: MonitorState | undefined): MonitorCheckRecord {
  const isPinned = known === undefined && name.expect.length > 0
  const monitored: MonitoredName = isPinned ? { ...name, mode: 'pin' } : name
  const state = known ?? createMonitorState()
  const judged = judgeMonitorRound(state, monitored, round)
  const findings = { ptr: 'not_looked_up', lists: [] } as const
  return {
    name: name.name,
    domain: name.domain,
    record_type: name.type,
    checked_at: formatIsoTime(round.atMs),
    class: judged.class,
    is_baseline: judged.isBaseline,
    consensus: findConsensus(round.answers),
    answers: judged.answers.map(({ answer, class: each, units }) => ({
      resolver: answer.resolver,
      operator: answer.operator,
      outcome: answer.outcome,
      reason: answer.reason,
      answer: formatAnswer(answer),
      class: each,
      ttl_seconds: answer.ttlSeconds,
      values: units.map(({ unit, class: unitClass }) => ({
        value: unit.text,
        class: unitClass,
        asn: unit.asn,
        country: unit.country,
        ...(unit.prefix === null ? {} : { risk: assessRisk(unit, state.profile, findings) }),
      })),
    })),
    would_tell: foreseeNotices(state, monitored, round).map(({ title, severity, channel }) => ({
      title,
      severity,
      channel,
    })),
  }
}

/** What was learned of each name; nothing where nobody has watched. */
async function loadStates(
  names: readonly MonitoredName[],
  dataDirectory: string | undefined,
): Promise<ReadonlyMap<string, MonitorState>> {
  const states = new Map<string, MonitorState>()
  if (dataDirectory === undefined) return states
  await using store = await openMonitorStore(dataDirectory, null)
  for (const name of names) {
    const key = formatMonitorKey(name)
    const state = await store.load(key)
    if (state !== undefined) states.set(key, state)
  }
  return states
}
