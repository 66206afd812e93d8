/**
 * The record of a name in KV, as the original of this monitor keeps it: `dns:{domain}:{recordType}` with `domain`, `ips`,
 * `timestamp` and `recordType`. Both read what the other has written.
 *
 * **Invariant**: an answer is in it, never a failure and never nothing: an empty record of the original, which keeps
 * total failures in this way, is taken for none.
 *
 * Format: docs/formats/monitor-kv.md
 */
import type { AddressPlan } from '../core/address-plan.ts'
import { parseRrType } from '../dns/rr-type.ts'
import type { MonitoredName, MonitorType } from '../model/monitor-name.ts'
import type { ResolverAnswer } from '../model/monitor-round.ts'
import type { MonitorState } from '../model/monitor-state.ts'
import { readMonitorAnswer } from '../campaigns/monitor/read-monitor-answer.ts'
import { toKnownUnit, joinUnits, learnUnits, createMonitorState } from '../verdicts/monitor-profile.ts'

/** What a record holds. */
export interface NameRecord {
  /** Sorted presentation values of any type. */
  readonly ips: readonly string[]
  /** Unix milliseconds. */
  readonly timestamp: number
}

/** Types whose data end with a name. The original has a dot behind it, as the JSON of resolvers does. */
const NAME_TYPES = new Set<MonitorType>(['CNAME', 'NS', 'MX', 'SRV', 'PTR'])
const VALUES_MAX = 2_000

/** The key of a record: `dns:www.zone.example:A`. */
export function formatRecordKey({ domain, type }: Pick<MonitoredName, 'domain' | 'type'>): string {
  return `dns:${domain}:${type}`
}

/** Puts a record into its form. */
export function formatRecord({ domain, type }: MonitoredName, { ips, timestamp }: NameRecord): string {
  return JSON.stringify({ domain, ips, timestamp, recordType: type })
}

/** Reads a record. @returns `undefined` for what is none, or has no values. */
export function parseRecord(text: string | null): NameRecord | undefined {
  let value: unknown
  try {
    value = JSON.parse(text ?? 'null')
  } catch (error) {
    if (error instanceof SyntaxError) return undefined
    throw error
  }
  if (typeof value !== 'object' || value === null) return undefined
  const { ips, timestamp } = value as { readonly ips?: unknown; readonly timestamp?: unknown }
  if (!Array.isArray(ips) || ips.length === 0 || ips.length > VALUES_MAX) return undefined
  if (!ips.every((each) => typeof each === 'string' && each !== '')) return undefined
  if (typeof timestamp !== 'number' || !Number.isFinite(timestamp) || timestamp <= 0) return undefined
  return { ips: ips as readonly string[], timestamp }
}

/** Reads a record's values as an answer, so that they have the very form in which answers are compared. */
export function toRecordedAnswer(
  monitored: MonitoredName,
  { ips }: NameRecord,
  addressPlan: AddressPlan,
  sinkholes: readonly string[],
): ResolverAnswer {
  const type = parseRrType(monitored.type)
  const name = `${monitored.domain}.`
  const answers = ips.map((text) => ({ name, type, TTL: 0, data: text }))
  const octets = new TextEncoder().encode(JSON.stringify({ Status: 0, Question: [{ name, type }], Answer: answers }))
  const oddities = { wrongId: 0, wrongSource: 0, wrongQuestion: 0, malformed: 0 }
  const exchange = { kind: 'responses', responses: [{ octets, elapsedMs: 0 }], oddities } as const
  const { isCut: _isCut, ...answer } = readMonitorAnswer(exchange, monitored.type, true, addressPlan, sinkholes)
  return { resolver: 'record', operator: 'record', ...answer }
}

/** The state that continues a record: its values are known since its time, and the rest is learned. */
export function continueRecord({ units }: ResolverAnswer, { timestamp }: NameRecord): MonitorState {
  const state = createMonitorState()
  const known = joinUnits(units.map((unit) => ({ [unit.text]: toKnownUnit(unit, 'record', timestamp) })))
  return { ...state, profile: learnUnits({ ...state.profile, baselineAtMs: timestamp }, known) }
}

/** The values of an answer as a record has them. */
export function toRecordValues({ units }: ResolverAnswer, type: MonitorType): readonly string[] {
  const values = units.flatMap(({ text }) => text.split('\n'))
  return values.map((text) => (NAME_TYPES.has(type) ? text.replace(/\.?$/, '.') : text)).toSorted()
}
