/**
 * Lines of an authoritative query log → records. The format is recognised line by line: our own JSON Lines, BIND's query
 * log, the text of `dnstap-read` (also `-p`) and of `kdig -G`.
 *
 * **Invariant**: whatever a line says, it makes a valid record or is counted as malformed. Holds at most one record and
 * one block of kdig.
 *
 * Format: docs/formats/authority-log.md
 */
import { parseTime } from '../../core/clock.ts'
import { canonicalIp } from '../../core/ip-address.ts'
import type { AuthorityQuery } from '../../model/authority-query.ts'
import { createKdigReader } from './authority-log-kdig.ts'
import { parseSubnet, parseTextLine } from './authority-log-text.ts'

/** A line that made no sense. */
export interface MalformedLine {
  /** Counted from 1, over all files of a log in the order of reading. */
  readonly line: number
  /** The first 200 characters. */
  readonly text: string
}

/** Reads line after line. */
export interface AuthorityLogParser {
  /** Takes a line without its end. @returns Queries that are complete now. */
  take(line: string): readonly AuthorityQuery[]
  /** @returns The query that was still open for details. */
  flush(): readonly AuthorityQuery[]
  malformedCount(): number
  /** The first ten. */
  malformedLines(): readonly MalformedLine[]
}

const MALFORMED_KEPT_MAX = 10
const EXCERPT_CHARACTERS_MAX = 200
/** A name of 255 octets with every octet escaped is 1,016 characters; with room for the rest. */
const LINE_CHARACTERS_MAX = 4096

/** A parser before the first line. */
export function createAuthorityLogParser(): AuthorityLogParser {
  const kdig = createKdigReader()
  const malformed: MalformedLine[] = []
  let open: AuthorityQuery | undefined
  let lines = 0
  let malformedCount = 0

  const reject = (line: string): readonly AuthorityQuery[] => {
    malformedCount += 1
    if (malformed.length < MALFORMED_KEPT_MAX) {
      malformed.push({ line: lines, text: line.slice(0, EXCERPT_CHARACTERS_MAX) })
    }
    return []
  }
  const flush = (): readonly AuthorityQuery[] => {
    const queries = open === undefined ? [] : [open]
    open = undefined
    return queries
  }
  const takeText = (line: string): readonly AuthorityQuery[] => {
    const parsed = parseTextLine(line)
    switch (parsed.kind) {
      case 'query': {
        const before = flush()
        if (!parsed.open) return [...before, parsed.query]
        open = parsed.query
        return before
      }
      case 'detail':
        if (open !== undefined) open = parsed.change(open)
        return []
      case 'other':
        return flush()
      case 'malformed':
        break
    }
    return [...flush(), ...reject(line)]
  }
  return {
    take: (line) => {
      lines += 1
      if (line.length > LINE_CHARACTERS_MAX) return reject(line)
      if (line.startsWith('{')) {
        const query = parseJsonLine(line)
        return query === undefined ? reject(line) : [...flush(), query]
      }
      const block = kdig.take(line)
      if (block === false) return reject(line)
      if (block !== undefined) return [block]
      return kdig.isInside() ? [] : takeText(line)
    },
    flush,
    malformedCount: () => malformedCount,
    malformedLines: () => malformed,
  }
}

/** @returns The record of a line of our own format; `undefined` when a field is absent or of another kind. */
function parseJsonLine(line: string): AuthorityQuery | undefined {
  let value: unknown
  try {
    value = JSON.parse(line)
  } catch (error) {
    // The way of JSON.parse to say that this is not JSON.
    if (error instanceof SyntaxError) return undefined
    throw error
  }
  if (typeof value !== 'object' || value === null) return undefined
  const record = value as Readonly<Record<string, unknown>>
  return isAuthorityQuery(record) ? pickFields(record) : undefined
}

function isAuthorityQuery(
  record: Readonly<Record<string, unknown>>,
): record is Readonly<Record<string, unknown>> & AuthorityQuery {
  const text = (name: string): string | undefined =>
    typeof record[name] === 'string' && record[name].length <= 1024 ? record[name] : undefined
  const isNumber = (name: string, max: number): boolean => {
    const value = record[name]
    return typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= max
  }
  const isFlag = (name: string): boolean => typeof record[name] === 'boolean'
  const subnet = record['client_subnet']
  return (
    !Number.isNaN(parseTime(text('timestamp') ?? '')) &&
    canonicalIp(text('source_address') ?? '') !== undefined &&
    isNumber('source_port', 65_535) &&
    ['udp', 'tcp'].includes(text('transport') ?? '') &&
    (text('query_name') ?? '') !== '' &&
    (text('query_type') ?? '') !== '' &&
    isNumber('id', 65_535) &&
    ['recursion_desired', 'dnssec_ok', 'cookie', 'mixed_case'].every(isFlag) &&
    (record['edns_udp_size'] === null || isNumber('edns_udp_size', 65_535)) &&
    (subnet === null || (typeof subnet === 'string' && parseSubnet(subnet) !== null)) &&
    ['answered', 'truncated', 'refused'].includes(text('outcome') ?? '') &&
    isNumber('rcode', 4095)
  )
}

/** Leaves out what the format does not know. */
function pickFields(record: AuthorityQuery): AuthorityQuery {
  return {
    timestamp: record.timestamp,
    source_address: canonicalIp(record.source_address) ?? record.source_address,
    source_port: record.source_port,
    transport: record.transport,
    query_name: record.query_name,
    query_type: record.query_type,
    id: record.id,
    recursion_desired: record.recursion_desired,
    edns_udp_size: record.edns_udp_size,
    dnssec_ok: record.dnssec_ok,
    client_subnet: record.client_subnet,
    cookie: record.cookie,
    mixed_case: record.mixed_case,
    outcome: record.outcome,
    rcode: record.rcode,
  }
}
