/**
 * What pages and programs see of a monitor: the port between whoever watches (the daemon, a Worker) and the doors.
 *
 * Invariant: plain records; whatever is a judgement was made before.
 */
import type { AlertSeverity } from './alert.ts'
import type { MonitoredName } from './monitor-name.ts'
import type { AnswerOutcome } from './monitor-round.ts'
import type { Acknowledgement, MonitorChannel, MonitorClass, MonitorIncident, MonitorProfile } from './monitor-state.ts'

/** How the answers of a name move. */
export const OBSERVED_MODES = ['static', 'rotating', 'geographic', 'multi_cdn', 'unknown'] as const
/** One of {@link OBSERVED_MODES}; `unknown` in the first rounds. */
export type ObservedMode = (typeof OBSERVED_MODES)[number]

/** How a name stands: something is wrong, nobody answers, its profile is being learned, or all is as usual. */
export const MONITOR_STANDINGS = ['incident', 'unanswered', 'learning', 'steady', 'waiting'] as const
/** One of {@link MONITOR_STANDINGS}; `waiting` before the first round. */
export type MonitorStanding = (typeof MONITOR_STANDINGS)[number]

/** What one resolver said, and how it stands to what was known then. */
export interface SeenAnswer {
  readonly resolver: string
  readonly outcome: AnswerOutcome
  /** RCODE or failure; `null` for an answer. */
  readonly reason: string | null
  readonly values: readonly string[]
  readonly class: MonitorClass
}

/** A round, or equal rounds in a row. */
export interface SeenRound {
  /** Unix milliseconds of the first and of the last. */
  readonly atMs: number
  readonly untilMs: number
  readonly count: number
  readonly class: MonitorClass
  readonly answers: readonly SeenAnswer[]
}

/** An hour, or hours in a row in which the same was seen. */
export interface SeenHour {
  readonly fromMs: number
  readonly hours: number
  readonly rounds: number
  /** Rounds in which nobody answered. */
  readonly failed: number
  readonly class: MonitorClass
  /** At most 64. */
  readonly values: readonly string[]
}

/** Something that happened to a name, kept for ever. */
export interface MonitorChange {
  /** `null` for what is about the vantage. */
  readonly key: string | null
  readonly atMs: number
  /** `learned`: a value became known; others are what people were told. */
  readonly kind: 'learned' | 'new' | 'ongoing' | 'recovered' | 'info'
  readonly severity: AlertSeverity
  readonly channel: MonitorChannel
  readonly text: string
}

/** A name as it stands. */
export interface NameView {
  /** `www.zone.example/A`. */
  readonly key: string
  readonly monitored: MonitoredName
  readonly standing: MonitorStanding
  readonly observedMode: ObservedMode
  readonly isLearning: boolean
  /** `null` before the first round. */
  readonly profile: MonitorProfile | null
  readonly last: SeenRound | null
  /** Open ones, the worst first. */
  readonly open: readonly MonitorIncident[]
}

/** An incident with the name that it is about. */
export interface NamedIncident {
  /** `monitor-KEY16-OPENED`, as addresses have it. */
  readonly id: string
  /** Of the name. */
  readonly key: string
  readonly monitored: MonitoredName | null
  readonly incident: MonitorIncident
  /** What it is, one sentence without full stop. */
  readonly title: string
  /** What to do, one sentence without full stop. */
  readonly recommendation: string
}

/** All names in numbers, and the vantage. */
export interface MonitorSummary {
  readonly names: number
  readonly standings: Readonly<Record<MonitorStanding, number>>
  /** Since when this vantage reaches nobody, Unix milliseconds; `null` while it does. */
  readonly downSinceMs: number | null
  /** When rounds were made last, Unix milliseconds; `null` before the first. */
  readonly lastRoundMs: number | null
  /** Rounds since the start. */
  readonly rounds: number
  readonly startedMs: number
  /** What is kept, and what it may take. */
  readonly usedOctets: number
  readonly budgetOctets: number
  /** What is wrong, one sentence each. */
  readonly problems: readonly string[]
}

/** Which incidents are wanted. */
export interface MonitorIncidentQuery {
  readonly status?: 'open' | 'closed'
  /** Those that were open at or after this time, Unix milliseconds. */
  readonly sinceMs?: number
  /** Of one name. */
  readonly key?: string
  readonly limit: number
}

/** What came of asking now. */
export interface CheckedName {
  readonly key: string
  /** `null` when no round came in time. */
  readonly round: SeenRound | null
}

/** A monitor. */
export interface MonitorSource {
  summary(): MonitorSummary
  /** In the order of the configuration. */
  names(): readonly NameView[]
  /** @param key - `www.zone.example/A`. */
  name(key: string): NameView | undefined
  /** Newest first. */
  rounds(key: string, sinceMs: number, limit: number): Promise<readonly SeenRound[]>
  /** What is older than rounds are kept; newest first. */
  hours(key: string, sinceMs: number, limit: number): Promise<readonly SeenHour[]>
  /** Newest first; of all names without a key. */
  changes(key: string | null, limit: number): Promise<readonly MonitorChange[]>
  /** Newest first. */
  incidents(query: MonitorIncidentQuery): Promise<readonly NamedIncident[]>
  /** By its id. */
  incident(id: string): Promise<NamedIncident | undefined>
  /** Asks names now; those that were asked a moment ago are answered from memory. */
  check(keys: readonly string[]): Promise<readonly CheckedName[]>
  /** Acknowledges open incidents whose key begins so. @returns How many. */
  acknowledge(keyStart: string, acknowledgement: Acknowledgement, isAccepted: boolean): Promise<number>
}
