/**
 * Judges the rounds of one invocation, after finding out whose new addresses are.
 *
 * **Invariant**: the first round of a name becomes its baseline only when the AS of each of its addresses was asked for; it waits
 * for a later invocation otherwise. A round that finds no subrequest left for that is judged without.
 */
import type { Clock } from '../core/clock.ts'
import type { MonitoredName, MonitorPlan } from '../model/monitor-name.ts'
import type { MonitorRound } from '../model/monitor-round.ts'
import type { MonitorNotice, MonitorState } from '../model/monitor-state.ts'
import { judgeMonitorRound, type JudgedRound } from '../verdicts/monitor-judge.ts'
import { createMonitorState } from '../verdicts/monitor-profile.ts'
import { addOrigins, askOrigin, listUnknownPrefixes, type AddressOrigin } from './ask-origin.ts'
import type { FetchAsker } from './ask-over-fetch.ts'
import { describeNews } from './describe-news.ts'
import { continueRecord, toRecordedAnswer, type NameRecord } from './name-record.ts'
import type { DueName } from './plan-minute.ts'
import type { RememberedName } from './worker-memory.ts'

/** A name with the answers that it got. */
export interface AskedName {
  readonly due: DueName
  readonly round: MonitorRound
  /** `undefined` before its first round. */
  readonly before: RememberedName | undefined
  /** What `dns:…` holds, where it was read because nothing else is known. */
  readonly record: NameRecord | undefined
}

/** A name after its round. */
export interface JudgedName {
  readonly due: DueName
  readonly judged: JudgedRound
  readonly before: RememberedName | undefined
  readonly after: RememberedName
  readonly notices: readonly MonitorNotice[]
}

/** What judging needs. */
export interface JudgeParts {
  readonly asker: FetchAsker
  readonly plan: MonitorPlan
  readonly clock: Clock
  /** How many lookups may still be made. */
  readonly lookupsLeft: () => number
}

/** Judges rounds, in their order. Names whose first round has to wait are not among the results. */
export async function judgeAsked(parts: JudgeParts, asked: readonly AskedName[]): Promise<readonly JudgedName[]> {
  const origins = new Map<string, AddressOrigin>()
  const results: JudgedName[] = []
  for (const each of asked) {
    const { before, due, record } = each
    const state = before?.state ?? createMonitorState()
    const recorded = record === undefined ? undefined : recordedRound(parts, each, record)
    const unknown = [recorded, each.round].flatMap((round) =>
      round === undefined ? [] : listUnknownPrefixes(round, state.profile),
    )
    const missing = [...new Set(unknown)].filter((address) => !origins.has(prefixOf(each, recorded, address)))
    // A name with more networks than one invocation can ask for has to begin at some time.
    if (before === undefined && missing.length > parts.lookupsLeft() && origins.size > 0) continue
    for (const address of missing) {
      if (parts.lookupsLeft() <= 0) break
      const origin = await askOrigin(parts.asker, parts.plan, each.round, address)
      origins.set(prefixOf(each, recorded, address), origin)
    }
    const start = record === undefined || recorded === undefined ? state : begin(state, recorded, record, origins)
    const round = addOrigins(each.round, start.profile, origins)
    const foreseen = judgeMonitorRound(start, due.monitored, round)
    const judged = await judgeNews(parts, start, due.monitored, round, foreseen)
    results.push({ due, judged, before, after: remember(each, judged), notices: judged.notices })
  }
  return results
}

/** Looks at the addresses of what is about to be told, and judges again with what was found. */
async function judgeNews(
  { asker, plan, clock, lookupsLeft: left }: JudgeParts,
  before: MonitorState,
  monitored: MonitoredName,
  round: MonitorRound,
  foreseen: JudgedRound,
): Promise<JudgedRound> {
  if (!foreseen.notices.some(({ event, incident }) => event === 'new' && incident !== null)) return foreseen
  const intelligence = await describeNews({ asker, plan, clock, left }, foreseen.answers, before.profile, round.atMs)
  return intelligence.length === 0 ? foreseen : judgeMonitorRound(before, monitored, { ...round, intelligence })
}

/** The record as if it were a round, so that its addresses are treated as all others are. */
function recordedRound({ asker, plan }: JudgeParts, { due, round }: AskedName, record: NameRecord): MonitorRound {
  return { ...round, answers: [toRecordedAnswer(due.monitored, record, asker.addressPlan, plan.sinkholes)] }
}

function begin(
  empty: MonitorState,
  recorded: MonitorRound,
  record: NameRecord,
  origins: ReadonlyMap<string, AddressOrigin>,
): MonitorState {
  const [answer] = addOrigins(recorded, empty.profile, origins).answers
  return answer === undefined || answer.units.length === 0 ? empty : continueRecord(answer, record)
}

function prefixOf({ round }: AskedName, recorded: MonitorRound | undefined, address: string): string {
  const units = [...round.answers, ...(recorded?.answers ?? [])].flatMap((answer) => answer.units)
  return units.find(({ text }) => text === address)?.prefix ?? ''
}

function remember({ before, record, round }: AskedName, judged: JudgedRound): RememberedName {
  const answers = judged.answers.map(({ answer, class: answerClass }) => ({
    resolver: answer.resolver,
    outcome: answer.outcome,
    reason: answer.reason,
    values: answer.units.map(({ text }) => text),
    // A baseline has nothing to be compared with.
    class: judged.isBaseline ? ('K0' as const) : answerClass,
  }))
  return {
    state: judged.state,
    record: before?.record ?? record ?? null,
    last: { atMs: round.atMs, class: judged.class, answers },
  }
}
