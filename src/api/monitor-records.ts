/**
 * What the API gives out about the monitor, as programs get it: JSON with times in ISO 8601 UTC.
 *
 * Format: docs/formats/monitor.md
 */
import type { AlertSeverity } from '../model/alert.ts'
import type { MonitorType } from '../model/monitor-name.ts'
import type { AnswerOutcome, Corroboration } from '../model/monitor-round.ts'
import type { IncidentSubject, MonitorChannel, MonitorClass } from '../model/monitor-state.ts'
import type { MonitorChange, MonitorStanding, ObservedMode } from '../model/monitor-view.ts'

/** What one resolver said. */
export interface SeenAnswerRecord {
  readonly resolver: string
  readonly outcome: AnswerOutcome
  readonly reason: string | null
  readonly values: readonly string[]
  readonly class: MonitorClass
}

/** Rounds in a row in which the same was seen. */
export interface SeenRoundRecord {
  readonly at: string
  readonly until: string
  readonly count: number
  readonly class: MonitorClass
  readonly answers: readonly SeenAnswerRecord[]
}

/** Hours in a row in which the same was seen. */
export interface SeenHourRecord {
  readonly from: string
  readonly hours: number
  readonly rounds: number
  readonly failed: number
  readonly class: MonitorClass
  readonly values: readonly string[]
}

/** Something that happened. */
export interface MonitorChangeRecord {
  readonly key: string | null
  readonly at: string
  readonly kind: MonitorChange['kind']
  readonly severity: AlertSeverity
  readonly channel: MonitorChannel
  readonly text: string
}

/** What is known about a new address. */
export interface AddressRecord {
  readonly address: string
  readonly country: string | null
  readonly region: string | null
  readonly asn: number | null
  readonly org: string | null
  readonly ptr: string | null
  readonly reputation: readonly { readonly list: string; readonly category: string }[]
  readonly score: number
  readonly level: 'low' | 'medium' | 'high' | 'critical'
  readonly reasons: readonly string[]
  readonly recommendation: string
}

/** An incident of a name. */
export interface MonitorIncidentRecord {
  readonly id: string
  readonly campaign: 'monitor'
  readonly key: string
  readonly name: string
  readonly title: string
  readonly subject: IncidentSubject
  readonly resolver: string | null
  readonly severity: AlertSeverity
  readonly channel: MonitorChannel
  readonly status: 'open' | 'resolved' | 'changed'
  readonly opened_at: string
  readonly last_seen: string
  readonly closed_at: string | null
  readonly told_at: string | null
  readonly is_flapping: boolean
  readonly asns: readonly number[]
  readonly values: readonly string[]
  readonly corroboration: {
    readonly authoritative: Corroboration['authoritative']
    readonly dnssec: Corroboration['dnssec']
    readonly tls: Corroboration['tls']
    readonly parent_ns: Corroboration['parentNs']
    readonly parent_ds: Corroboration['parentDs']
  }
  readonly recommendation: string
  readonly intelligence: readonly AddressRecord[]
  readonly acknowledged: { readonly who: string; readonly note: string; readonly until: string } | null
  readonly url: string
}

/** A name in a list. */
export interface MonitorRecord {
  readonly key: string
  readonly name: string
  readonly domain: string
  readonly record_type: MonitorType
  readonly category: string
  readonly owner: string | null
  readonly interval_ms: number
  readonly mode: 'auto' | 'pin'
  readonly observed_mode: ObservedMode
  readonly standing: MonitorStanding
  readonly is_learning: boolean
  readonly rounds: number
  readonly last_round: SeenRoundRecord | null
  readonly open_incidents: readonly string[]
  readonly url: string
  readonly page_url: string
}

/** A known value. */
export interface KnownValueRecord {
  readonly value: string
  readonly asn: number | null
  readonly prefix: string | null
  readonly country: string | null
  readonly first_seen: string
  readonly last_seen: string
  readonly resolvers: readonly string[]
}

/** A name with its profile. */
export interface MonitorDetailRecord extends MonitorRecord {
  readonly resolvers: readonly string[]
  readonly expect: readonly string[]
  readonly baseline_at: string | null
  readonly ttl_seconds: { readonly min: number; readonly max: number } | null
  readonly values: readonly KnownValueRecord[]
  readonly incidents: readonly MonitorIncidentRecord[]
  readonly rounds_url: string
  readonly hours_url: string
  readonly changes_url: string
}
