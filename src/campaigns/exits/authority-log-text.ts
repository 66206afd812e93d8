/**
 * Query logs of other servers: BIND's query log, `dnstap-read` (short and `-p`) and `kdig -G` (also `+qr`), line by line.
 *
 * What a log does not say is taken as answered with RCODE 0; an EDNS size that is not said is 0.
 *
 * **Sources**: the output of BIND 9.18 (`querylog yes`, dnstap-read) and Knot DNS 3.2 (kdig).
 */
import { formatIsoTime, parseTime } from '../../core/clock.ts'
import { canonicalIp, formatPrefix, parsePrefix } from '../../core/ip-address.ts'
import { parseRrType } from '../../dns/rr-type.ts'
import type { AuthorityQuery } from '../../model/authority-query.ts'

/** What a line made of a log in text form is. */
export type TextLine =
  /** A query; `open` when lines after it may say more about it. */
  | { readonly kind: 'query'; readonly query: AuthorityQuery; readonly open: boolean }
  /** Belongs to the query before it, and may say more about it. */
  | { readonly kind: 'detail'; readonly change: (query: AuthorityQuery) => AuthorityQuery }
  /** Belongs to such a log and is no query. */
  | { readonly kind: 'other' }
  | { readonly kind: 'malformed' }

const OTHER: TextLine = { kind: 'other' }
const MALFORMED: TextLine = { kind: 'malformed' }

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec']

/** `20-Nov-2026 22:32:32.618`, or ISO 8601. */
const TIME = String.raw`(\d{2}-[A-Z][a-z]{2}-\d{4} \d\d:\d\d:\d\d(?:\.\d{3})?|\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:\.\d{1,9})?Z?)`
const BIND_LINE = new RegExp(
  String.raw`^${TIME} (?:[\w-]+: ){0,2}client (?:@0x[\da-f]+ )?(\S+)#(\d+)(?:/key \S+)? \(\S*\): (?:view \S+: )?query: (\S+) (\S+) (\S+) ([+-]\S*)(?: \(\S+\))?(?: \[ECS (\S+)\])?\s*$`,
  'i',
)
const DNSTAP_LINE = new RegExp(
  String.raw`^${TIME} ([A-Z]{2}) (\S+):(\d+) (?:->|<-) \S+ (UDP|TCP|DOT|DOH) \d+b (\S+)/(\S+)/(\S+)$`,
)
const TIMED_LINE = new RegExp(`^${TIME} `)

/** Reads one line of BIND's query log or of `dnstap-read`. Dates without a zone are UTC. */
export function parseTextLine(line: string): TextLine {
  if (line.trim() === '') return OTHER
  if (line.startsWith(';')) return parseDetail(line)
  const bind = BIND_LINE.exec(line)
  if (bind !== null) return makeBindQuery(bind)
  const dnstap = DNSTAP_LINE.exec(line)
  if (dnstap !== null) return makeDnstapQuery(dnstap)
  // Other entries of the same log (transfers, failures), and records in long outputs.
  return TIMED_LINE.test(line) || /^\S+\s+\d+\s+IN\s+\S+\s/.test(line) ? OTHER : MALFORMED
}

/** Milliseconds of a time in a log; NaN when it is none. */
export function parseLogTime(text: string): number {
  const match = /^(\d\d)-([A-Z][a-z]{2})-(\d{4}) (.+)$/.exec(text)
  if (match === null) return parseTime(`${text.replace(' ', 'T').replace(/Z$/, '')}Z`)
  const [, day, monthName = '', year, time] = match
  const month = MONTHS.indexOf(monthName) + 1
  return month === 0 ? Number.NaN : parseTime(`${year}-${String(month).padStart(2, '0')}-${day}T${time}Z`)
}

function makeBindQuery(match: readonly (string | undefined)[]): TextLine {
  const [, time, address, port, name, rrClass, type, flags = '', subnet] = match
  const edns = /E\(\d+\)/.test(flags)
  const letters = flags.replace(/E\(\d+\)/, '')
  const query = makeQuery({ time, address, port, name, rrClass, type, tcp: letters.includes('T') })
  if (query === undefined) return MALFORMED
  return {
    kind: 'query',
    open: false,
    query: {
      ...query,
      recursion_desired: flags.startsWith('+'),
      edns_udp_size: edns ? 0 : null,
      dnssec_ok: letters.includes('D'),
      cookie: /[KV]/.test(letters),
      client_subnet: subnet === undefined ? null : parseSubnet(subnet),
    },
  }
}

function makeDnstapQuery(match: readonly (string | undefined)[]): TextLine {
  const [, time, kind, address, port, protocol, name, rrClass, type] = match
  // AQ: a query that an authoritative server received. Everything else is another side of the same exchange.
  if (kind !== 'AQ') return OTHER
  const query = makeQuery({ time, address, port, name, rrClass, type, tcp: protocol !== 'UDP' })
  return query === undefined ? MALFORMED : { kind: 'query', query, open: true }
}

/** A line of `dnstap-read -p` under the query that it is about. */
function parseDetail(line: string): TextLine {
  const detail = (change: Partial<AuthorityQuery>): TextLine => ({
    kind: 'detail',
    change: (query) => ({ ...query, ...change }),
  })
  const id = /^;; ->>HEADER<<- opcode: \w+, status: \w+, id:\s*(\d+)/.exec(line)?.[1]
  if (id !== undefined) return detail({ id: Number(id) })
  const flags = /^;; flags:([^;]*);/.exec(line)?.[1]
  if (flags !== undefined) return detail({ recursion_desired: / rd\b/.test(flags) })
  const edns = /^; EDNS: version: \d+, flags:([^;]*); udp: (\d+)/.exec(line)
  if (edns !== null) return detail({ edns_udp_size: Number(edns[2]), dnssec_ok: / do\b/.test(edns[1] ?? '') })
  if (line.startsWith('; COOKIE:')) return detail({ cookie: true })
  const subnet = /^; CLIENT-SUBNET: (\S+)/.exec(line)?.[1]
  return detail(subnet === undefined ? {} : { client_subnet: parseSubnet(subnet) })
}

/** What every log says about a query, in its own words. */
export interface LoggedQuery {
  readonly time: string | undefined
  readonly address: string | undefined
  readonly port: string | undefined
  readonly name: string | undefined
  readonly rrClass: string | undefined
  readonly type: string | undefined
  readonly tcp: boolean
}

/** @returns The record with nothing but what the log said; `undefined` when a part of it is no such thing. */
export function makeQuery(logged: LoggedQuery): AuthorityQuery | undefined {
  const { time = '', address = '', port = '', name = '', rrClass, type = '', tcp } = logged
  const arrivedMs = parseLogTime(time)
  const source = canonicalIp(address.replace(/^\[(.*)\]$/, '$1').replace(/^::ffff:(?=\d+\.)/, ''))
  const isName = name.length > 0 && name.length <= 1024
  if (Number.isNaN(arrivedMs) || source === undefined || Number(port) > 65_535 || !isName) return undefined
  if (rrClass !== 'IN' || parseRrType(type) === undefined) return undefined
  const spelled = name === '.' ? name : name.replace(/\.$/, '')
  return {
    timestamp: formatIsoTime(arrivedMs),
    source_address: source,
    source_port: Number(port),
    transport: tcp ? 'tcp' : 'udp',
    query_name: spelled,
    query_type: type,
    id: 0,
    recursion_desired: false,
    edns_udp_size: null,
    dnssec_ok: false,
    client_subnet: null,
    cookie: false,
    mixed_case: /[a-z]/.test(spelled) && /[A-Z]/.test(spelled),
    outcome: 'answered',
    rcode: 0,
  }
}

/** `198.51.100.0/24/0` → `198.51.100.0/24`; `null` when it is no subnet. */
export function parseSubnet(text: string): string | null {
  const prefix = parsePrefix(text.split('/').slice(0, 2).join('/'))
  return prefix === undefined ? null : formatPrefix(prefix)
}
