/**
 * What the monitor remembers of one name and type: the profile, what is being confirmed, and its incidents.
 *
 * Invariant: plain JSON, so that SQLite and a key-value store keep the same text. Times are Unix milliseconds.
 */
import type { AlertSeverity } from './alert.ts'
import type { AddressIntelligence, Corroboration } from './monitor-round.ts'

/** How a round, an answer or a value stands to the profile; docs/detectors/monitor-classes.md. */
export type MonitorClass = 'K0' | 'K1' | 'K2' | 'K3' | 'K4' | 'K5' | 'K6'
/** The classes that are confirmed before anybody is told. */
export type CandidateClass = 'K3' | 'K4' | 'K5'

/** Something that was seen before. */
export interface KnownItem {
  readonly firstSeenMs: number
  readonly lastSeenMs: number
  /** Names of the resolvers that gave it. */
  readonly resolvers: readonly string[]
}

/** A value that was seen before. */
export interface KnownUnit extends KnownItem {
  readonly asn: number | null
  readonly prefix: string | null
  readonly country: string | null
  readonly zone: string | null
}

/** How answers move: counters since the last halving. */
export interface ModeCounters {
  readonly rounds: number
  /** Rounds in which all resolvers gave the same. */
  readonly agreed: number
  readonly answers: number
  /** Answers that differ from the same resolver's answer before. */
  readonly changed: number
  /** Resolver → its newest answer, as one text. */
  readonly newest: Readonly<Record<string, string>>
}

/** The range of TTLs in seconds. */
export interface TtlRange {
  readonly min: number
  readonly max: number
  /** The highest of the current window, and how many rounds it has. */
  readonly recentMax: number
  readonly recentRounds: number
}

/** What is normal for the zone that a name lies in. */
export interface ZoneProfile {
  readonly zone: string
  /** Names of the servers at the parent; `null` until it has said. */
  readonly ns: readonly string[] | null
  /** DS records at the parent; empty for none, `null` until it has said. */
  readonly ds: readonly string[] | null
  /** What the newest check found in place of them, which the next one has to confirm. */
  readonly pending: { readonly ns: string | null; readonly ds: string | null }
  /** Since when the servers have several serials; `null` while they have one. */
  readonly serialsDifferSinceMs: number | null
}

/** What is normal for a name and type. */
export interface MonitorProfile {
  /** `null` before the first round that had an answer. */
  readonly baselineAtMs: number | null
  /** Rounds with an answer, confirmations aside. */
  readonly rounds: number
  /** Whether a history was imported: nothing is left to be learned then. */
  readonly isImported: boolean
  readonly units: Readonly<Record<string, KnownUnit>>
  /** `AS64500` → known item. */
  readonly asns: Readonly<Record<string, KnownItem>>
  /** New prefixes in a known AS → rounds in which they were seen. */
  readonly newPrefixes: Readonly<Record<string, number>>
  readonly ttl: TtlRange | null
  readonly counters: ModeCounters
  /** Absent until its servers were asked. */
  readonly zone?: ZoneProfile
}

/** A round of a confirmation. */
export interface CandidateRound {
  /** Resolvers that showed it. */
  readonly resolvers: readonly string[]
  /** How many operators they have. */
  readonly operators: number
  readonly isOnAll: boolean
}

/** Something new that is being confirmed: at most four rounds within half a minute. */
export interface MonitorCandidate {
  readonly class: CandidateClass
  readonly startedAtMs: number
  readonly rounds: readonly CandidateRound[]
  readonly units: Readonly<Record<string, KnownUnit>>
}

/** Somebody has seen it and takes care. */
export interface Acknowledgement {
  readonly who: string
  readonly note: string
  /** It clears itself then. */
  readonly untilMs: number
}

/** Where something is told. `digest` waits for the daily message. */
export type MonitorChannel = 'page' | 'ticket' | 'digest' | 'availability'

/** What of a zone can be wrong: its servers at the parent, its DS there, the serials of its servers. */
export type ZoneSubject = 'parent_ns' | 'parent_ds' | 'serials'

/**
 * What an incident is about: the name (a class), a resolver that says other things than the rest, its reach, or the zone.
 */
export type IncidentSubject = CandidateClass | 'diverges' | 'unavailable' | ZoneSubject

/** Something is wrong with a name, or with a resolver's answers for it. */
export interface MonitorIncident {
  /** SHA-256, 64 hexadecimal digits; docs/detectors/monitor-incidents.md. */
  readonly key: string
  readonly subject: IncidentSubject
  /** The resolver that diverges; `null` for other subjects. */
  readonly resolver: string | null
  /** New ASNs at its beginning and later, sorted. */
  readonly asns: readonly number[]
  readonly units: Readonly<Record<string, KnownUnit>>
  readonly severity: AlertSeverity
  readonly channel: MonitorChannel
  readonly status: 'open' | 'resolved' | 'changed'
  readonly openedAtMs: number
  readonly lastSeenMs: number
  readonly closedAtMs: number | null
  /** `null` until it was told: a maintenance window holds it back. */
  readonly toldAtMs: number | null
  readonly cleanRounds: number
  readonly isShown: boolean
  /** When it appeared or went away, within the last hour. */
  readonly transitionsAtMs: readonly number[]
  readonly isFlapping: boolean
  /** Since when what is new stands everywhere and is vouched for. */
  readonly standingSinceMs: number | null
  readonly acknowledgement: Acknowledgement | null
  readonly corroboration: Corroboration
  /** What was known when it opened, newest first, at most ten values; absent in records of older versions. */
  readonly previous?: readonly string[]
  /** What each resolver said when it was last shown: `resolver: answer`. */
  readonly answers?: readonly string[]
  /** Of its first addresses; absent where nothing was found out. */
  readonly intelligence?: readonly AddressIntelligence[]
}

/** Everything about one name and type. */
export interface MonitorState {
  readonly profile: MonitorProfile
  readonly candidates: readonly MonitorCandidate[]
  /** Open ones, and those that closed within the last hour. */
  readonly incidents: readonly MonitorIncident[]
  /** Rounds in a row in which no resolver gave an answer. */
  readonly failedRounds: number
}

/** Something that people are to be told. */
export interface MonitorNotice {
  /** `test`: says that messages get through. */
  readonly event: 'new' | 'ongoing' | 'recovered' | 'info' | 'test'
  readonly channel: MonitorChannel
  readonly severity: AlertSeverity
  readonly atMs: number
  /** One sentence without full stop. */
  readonly title: string
  /** `null` for what is only information. */
  readonly incident: MonitorIncident | null
}

/** What a change of a state gives back beside the new state. */
export interface ChangedState<T> {
  readonly state: MonitorState
  readonly result: T
}

/** Keeps states: SQLite for the commands, a key-value store for a Worker. Keys are `www.zone.example/A`. */
export interface MonitorStateStore {
  /** @returns `undefined` for a name that was never judged. @throws {RunError} When what is kept cannot be read. */
  load(key: string): Promise<MonitorState | undefined>
  /**
   * Replaces a state by what `change` makes of it, as one step: nobody else changes it in between.
   *
   * @throws {RunError} When it cannot be kept; the state is as before then.
   */
  update<T>(key: string, change: (before: MonitorState | undefined) => ChangedState<T>): Promise<T>
}

/** Remembers that this vantage reaches nobody, over restarts. */
export interface VantageMemory {
  /** @returns Since when, Unix milliseconds; `null` while it reaches somebody. @throws {RunError} */
  load(): Promise<number | null>
  /** @throws {RunError} */
  keep(sinceMs: number | null): Promise<void>
}

/** What somebody else saw of one name and type. Times are Unix milliseconds. */
export interface MonitorHistory {
  readonly domain: string
  readonly type: string
  readonly values: readonly { readonly value: string; readonly firstSeenMs: number; readonly lastSeenMs: number }[]
  /** Whether each value is a whole record set; otherwise all of them together are one, where the type has sets. */
  readonly areSets: boolean
  /** Seconds; `null` where it is not known. */
  readonly ttl: { readonly min: number; readonly max: number } | null
}
