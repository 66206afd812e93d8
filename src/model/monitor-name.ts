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
  /**
   * How old the newest full round may get while the serial at the authoritative servers stands still; in between only the
   * serial is asked for. Absent: every round is a full one.
   */
  readonly fullIntervalMs?: number
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
  /** Questions a second at most; {@link RESOLVER_PER_SECOND_DEFAULT} where absent. */
  readonly perSecond?: number
}

/** Questions a second to one resolver: public ones take many times that from one address. */
export const RESOLVER_PER_SECOND_DEFAULT = 50

/** A list of bad addresses in a file, one prefix a line. */
export interface ReputationFile {
  readonly path: string
  readonly name: string
  readonly category: string
  /** How often the file is read again, in milliseconds. */
  readonly refreshMs: number
  /** A file that was not changed for longer says nothing, in milliseconds. */
  readonly maxAgeMs: number
}

/** A list of bad addresses that is asked over DNS. */
export interface DnsBlocklist {
  /** `zen.list.example`. */
  readonly zone: string
  readonly name: string
  readonly category: string
}

/** A service that is asked about addresses over HTTP. */
export interface AddressProvider {
  readonly kind: 'ip-api.com' | 'ipapi.co'
  /** Without the address, with a slash at its end. */
  readonly url: string
  readonly perMinute: number
}

/** What the monitor does beside asking. */
export interface MonitorExtras {
  /** Where walks to authoritative servers begin; empty for the root's servers, `null` where nobody is asked. */
  readonly roots: readonly string[] | null
  /** Called every minute while all is well. */
  readonly heartbeatUrl: string | null
  /** Minute of the day (UTC) at which a message proves that messages arrive; `null` for never. */
  readonly selfTestMinute: number | null
  /** ISO 3166. */
  readonly highRiskCountries: readonly string[]
  readonly reputation: readonly ReputationFile[]
  readonly blocklists: readonly DnsBlocklist[]
  readonly providers: readonly AddressProvider[]
}

/** Nothing beside asking. */
export const NO_MONITOR_EXTRAS: MonitorExtras = {
  roots: null,
  heartbeatUrl: null,
  selfTestMinute: null,
  highRiskCountries: [],
  reputation: [],
  blocklists: [],
  providers: [],
}

/** A whole configuration. */
export interface MonitorPlan {
  readonly names: readonly MonitoredName[]
  readonly resolvers: readonly MonitorResolver[]
  /** Prefixes of addresses that answer for names that were taken away. */
  readonly sinkholes: readonly string[]
  /** {@link NO_MONITOR_EXTRAS} where absent. */
  readonly extras?: MonitorExtras
}

/** The key of a name with its type in stores and incidents: `www.zone.example/A`. */
export function formatMonitorKey({ domain, type }: Pick<MonitoredName, 'domain' | 'type'>): string {
  return `${domain}/${type}`
}
