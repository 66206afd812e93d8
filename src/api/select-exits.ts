/**
 * Filters, sorts and pages the exits of a run.
 *
 * Invariant: the order is total (equal rows stand in order of fingerprint), so that paging neither repeats nor skips one.
 */
import { assertNever } from '../core/assert.ts'
import type { ExitRow } from '../model/exit-archive.ts'
import type { ExitResult } from '../model/exit-result.ts'
import type { ExitRunView } from '../model/run-view.ts'
import { exitStanding } from './exit-standing.ts'
import { formatExitQuery, NOT_KNOWN, type ExitQuery, type ExitSortKey, type ExitStatusFilter } from './exit-query.ts'
import { compareWithTruth, EXIT_STATUSES, type TruthAgreement } from './run-summary.ts'

/** A row of a list: of the archive, or a whole result. */
export type ListedExit = ExitRow & { readonly resolver?: ExitResult['resolver'] }

/** What is true about a row, where that is known. */
export type TruthLookup = (
  row: ListedExit,
) => { readonly fault: string; readonly agreement: TruthAgreement } | undefined

/** A part of a selection. */
export interface ExitPage<Row> {
  readonly rows: readonly Row[]
  /** Rows of the selection, all pages together. */
  readonly total: number
  /** Place of the first row on this page, 1 for the first of all; 0 when there is no row. */
  readonly from: number
  /** Whether the cursor names a row that the selection does not have; this is the first page then. */
  readonly isCursorLost: boolean
  /** Query strings with their question mark; `null` where the link would lead nowhere. */
  readonly links: Readonly<Record<'first' | 'previous' | 'next' | 'last', string | null>>
}

/** @returns What is true about the exits of a laboratory run; knows nothing of any other run. */
export function createTruthLookup(view: ExitRunView): TruthLookup {
  return (row) => {
    const truth = view.truth.get(row.exit_fingerprint)
    return truth === undefined ? undefined : { fault: truth.fault, agreement: compareWithTruth(view, row, truth) }
  }
}

/** @returns Every row that a selection asks for, in its order, all pages together. */
export function selectExits<Row extends ListedExit>(
  rows: readonly Row[],
  query: ExitQuery,
  truthOf: TruthLookup = knowNothing,
): readonly Row[] {
  const filters = createExitFilters(query, truthOf)
  const keyed = rows
    .filter((row) => filters.every(({ test }) => test(row)))
    .map((row) => ({ row, key: sortKeyOf(row, query.sort, truthOf) }))
  const sign = query.order === 'asc' ? 1 : -1
  keyed.sort((a, b) => compareKeys(a.key, b.key, sign) || compareText(a.row.exit_fingerprint, b.row.exit_fingerprint))
  return keyed.map(({ row }) => row)
}

/** Cuts the page that `query` asks for out of what {@link selectExits} gave for it. */
export function pageExits<Row extends ListedExit>(selected: readonly Row[], query: ExitQuery): ExitPage<Row> {
  const { cursor, limit } = query
  const total = selected.length
  const lastStart = Math.max(0, Math.ceil(total / limit) - 1) * limit
  let start = 0
  let end = limit
  let isCursorLost = false
  if (cursor === 'z') [start, end] = [lastStart, total]
  else if (cursor !== undefined) {
    const at = selected.findIndex((row) => row.exit_fingerprint === cursor.slice(1))
    isCursorLost = at < 0
    if (at >= 0) [start, end] = cursor.startsWith('a') ? [at + 1, at + 1 + limit] : [Math.max(0, at - limit), at]
  }
  end = Math.min(end, total)
  const rows = selected.slice(start, end)
  const link = (to: string | undefined): string => formatExitQuery({ ...query, cursor: to }) || '?'
  return {
    rows,
    total,
    from: rows.length === 0 ? 0 : start + 1,
    isCursorLost,
    links: {
      first: start > 0 ? link(undefined) : null,
      previous: start > 0 ? link(start <= limit ? undefined : `b${selected[start]?.exit_fingerprint ?? ''}`) : null,
      next: end < total ? link(`a${selected[end - 1]?.exit_fingerprint ?? ''}`) : null,
      last: end < total ? link('z') : null,
    },
  }
}

/** One filter that is set. */
export interface ExitFilter {
  /** The parameter it comes from. */
  readonly name: string
  readonly test: (row: ListedExit) => boolean
}

/** @returns The filters that a selection sets; none for a selection of everything. */
export function createExitFilters(query: ExitQuery, truthOf: TruthLookup = knowNothing): readonly ExitFilter[] {
  const filters: ExitFilter[] = []
  const add = <T>(name: string, value: T | undefined, test: (row: ListedExit, value: T) => boolean): void => {
    if (value !== undefined) filters.push({ name, test: (row) => test(row, value) })
  }
  add('status', query.status, (row, value) => hasStatus(row.status, value))
  add('status_ipv6', query.statusIpv6, (row, value) => hasStatus(row.status_ipv6, value))
  add('error_code', query.errorCode, (row, value) => isValue(row.error_code, value))
  add('standing', query.standing, (row, value) => exitStanding(row) === value)
  add('flag', query.flag, (row, value) => row.flags.includes(value))
  add('as', query.as, (row, value) => isValue(parseAsNumber(row.as), value))
  add('country', query.country, (row, value) => isValue(row.country, value))
  add('family', query.family, isOfFamily)
  add('operator', query.operator, (row, value) => isValue(row.operator, value))
  add('first_hop', query.firstHop, (row, value) => isValue(row.first_hop_fingerprint, value))
  add('address', query.address, (row, value) => isValue(row.exit_address || null, value))
  add('fault', query.fault, (row, value) => truthOf(row)?.fault === value)
  add('truth', query.truth, (row, value) => truthOf(row)?.agreement === value)
  add('failing_at_least', query.failingAtLeast, (row, value) => row.consecutive_failures >= value)
  add('q', query.search?.toLowerCase(), matches)
  return filters
}

/** @returns `AS64496` of `AS64496 Example`; `null` when the AS is not known. */
export function parseAsNumber(as: string | null): string | null {
  return /^AS\d+/.exec(as ?? '')?.[0] ?? null
}

/** @returns Whether the status is a verdict that DNS fails: wrong_ip, dns_fail or timeout. */
export function isFailing(status: string | null): boolean {
  return status === 'wrong_ip' || status === 'dns_fail' || status === 'timeout'
}

function knowNothing(): undefined {
  return undefined
}

function hasStatus(status: string | null, filter: ExitStatusFilter | typeof NOT_KNOWN): boolean {
  return filter === 'failing' ? isFailing(status) : isValue(status, filter)
}

function isValue(value: string | null, wanted: string): boolean {
  return wanted === NOT_KNOWN ? value === null : value === wanted
}

/**
 * The smallest fingerprint among a relay and those that it names as its family (`$FINGERPRINT`, with or without
 * `~nickname`): the same for all relays that name each other.
 *
 * @returns `null` when it names nobody.
 */
export function keyOfFamily({ exit_fingerprint, family }: ListedExit): string | null {
  if (family.length === 0) return null
  const { members, smallest } = readFamily(family)
  const others = members.has(exit_fingerprint) ? members.size - 1 : members.size
  if (others === 0 || smallest === undefined) return null
  return smallest < exit_fingerprint ? smallest : exit_fingerprint
}

function isOfFamily(row: ListedExit, value: string): boolean {
  const key = keyOfFamily(row)
  if (value === NOT_KNOWN) return key === null
  return key === value || row.exit_fingerprint === value || readFamily(row.family).members.has(value)
}

/** Members of a family by fingerprint. */
interface ReadFamily {
  readonly members: ReadonlySet<string>
  readonly smallest: string | undefined
}

/** Lists of the archive are shared by all members and by many runs; reading them again and again is what costs most. */
const readFamilies = new WeakMap<readonly string[], ReadFamily>()

function readFamily(family: readonly string[]): ReadFamily {
  const known = readFamilies.get(family)
  if (known !== undefined) return known
  const members = new Set(family.flatMap((member) => parseMember(member) ?? []))
  let smallest: string | undefined
  for (const member of members) if (smallest === undefined || member < smallest) smallest = member
  const read = { members, smallest }
  readFamilies.set(family, read)
  return read
}

function parseMember(member: string): string | undefined {
  return /^\$?([0-9A-Fa-f]{40})/.exec(member)?.[1]?.toUpperCase()
}

function matches(row: ListedExit, needle: string): boolean {
  if (row.exit_fingerprint.toLowerCase().startsWith(needle.replace(/^\$/, ''))) return true
  if (row.exit_address.toLowerCase().startsWith(needle)) return true
  return [row.exit_nickname, row.as, row.operator].some((text) => text?.toLowerCase().includes(needle))
}

function sortKeyOf(row: ListedExit, sort: ExitSortKey, truthOf: TruthLookup): string | number | null {
  switch (sort) {
    case 'verdict':
      return EXIT_STATUSES.indexOf(row.status)
    case 'exit':
      return row.exit_nickname.toLowerCase()
    case 'fingerprint':
      return row.exit_fingerprint
    case 'address':
      return addressKey(row.exit_address)
    case 'error_code':
      return row.error_code
    case 'status_ipv6':
      return row.status_ipv6 === null ? null : EXIT_STATUSES.indexOf(row.status_ipv6)
    case 'network':
      return row.as === null ? null : addressKey(row.as)
    case 'country':
      return row.country
    case 'operator':
      return row.operator?.toLowerCase() ?? null
    case 'first_hop':
      return row.first_hop_fingerprint
    case 'latency':
      return row.latency_ms
    case 'failing':
      return row.consecutive_failures
    case 'first_seen':
      return row.first_seen
    case 'last_seen':
      return row.last_seen
    case 'resolver':
      return row.resolver?.addresses[0] === undefined ? null : addressKey(row.resolver.addresses[0])
    case 'truth':
      return truthOf(row)?.fault ?? null
    default:
      return assertNever(sort)
  }
}

/** What is not known comes last in both directions. */
function compareKeys(a: string | number | null, b: string | number | null, sign: number): number {
  if (a === null || b === null) return Number(a === null) - Number(b === null)
  if (typeof a === 'number' && typeof b === 'number') return sign * (a - b)
  return sign * compareText(String(a), String(b))
}

function compareText(a: string, b: string): number {
  if (a === b) return 0
  return a < b ? -1 : 1
}

/** Pads numbers, so that text order is the order of IPv4 addresses and of AS numbers. IPv6 comes after IPv4. */
function addressKey(address: string): string | null {
  if (address === '') return null
  const padded = address.replaceAll(/\d+/g, (digits) => digits.padStart(10, '0'))
  return address.includes(':') ? `~${address.toLowerCase()}` : padded
}
