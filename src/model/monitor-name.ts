/**
 * What a person asked the monitor to watch: names, the resolvers that are asked, and changes that were announced.
 *
 * Format: docs/formats/monitor.md
 */

/** The record types that can be watched. */
export const MONITOR_TYPES = [
  'A',
  'AAAA',
  'CNAME',
  'NS',
  'MX',
  'TXT',
  'CAA',
  'SOA',
  'DS',
  'HTTPS',
  'SRV',
  'PTR',
] as const
/** One of {@link MONITOR_TYPES}. */
export type MonitorType = (typeof MONITOR_TYPES)[number]

/** A span of wall time, Unix milliseconds; the end is not part of it. */
export interface TimeSpan {
  readonly fromMs: number
  readonly untilMs: number
}

/** A value, a prefix (`192.0.2.0/24`) or an AS (`AS64500`) that is right, in a span or (`null`) always. */
export interface ExpectedValue {
  readonly text: string
  readonly span: TimeSpan | null
}

/** One name with one type: the unit that has a profile, a state and incidents. */
export interface MonitoredName {
  /** What alerts show. */
  readonly name: string
  /** Lower case, without a dot at the end. */
  readonly domain: string
  readonly type: MonitorType
  readonly category: string
  readonly owner: string | null
  readonly intervalMs: number
  /** `pin`: what is not expected is told, whatever is known; nothing is learned. */
  readonly mode: 'auto' | 'pin'
  readonly expect: readonly ExpectedValue[]
  readonly approve: readonly ExpectedValue[]
  readonly maintenance: readonly TimeSpan[]
  /** Names of resolvers; at least two of different operators. */
  readonly resolvers: readonly string[]
  /** Names of alert channels that alone are told about it; empty for all that take its messages. */
  readonly channels: readonly string[]
}

/** A resolver that the monitor asks. */
export interface MonitorResolver {
  readonly name: string
  /** Who runs it: two resolvers of one operator count as one witness. */
  readonly operator: string
  readonly transport: 'udp' | 'tcp' | 'tls' | 'https' | 'https_json'
  /** IPv4 or IPv6. */
  readonly address: string
  readonly port: number
  /** Whom the certificate is for; of no meaning over UDP and TCP. */
  readonly host: string
  /** Path of the URL; of no meaning without HTTPS. */
  readonly path: string
}

/** A whole configuration. */
export interface MonitorPlan {
  readonly names: readonly MonitoredName[]
  readonly resolvers: readonly MonitorResolver[]
  /** Prefixes of addresses that answer for names that were taken away. */
  readonly sinkholes: readonly string[]
}

/** The key of a name with its type in stores and incidents: `www.zone.example/A`. */
export function formatMonitorKey({ domain, type }: Pick<MonitoredName, 'domain' | 'type'>): string {
  return `${domain}/${type}`
}
