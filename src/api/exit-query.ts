/**
 * Which exits a reader wants to see, in which order: the state of the list, kept in the URL.
 *
 * Invariant: a value that is not understood is named, never taken for another one.
 */
import { assertNever } from '../core/assert.ts'
import type { ExitFlag, ExitResult, ExitStatus } from '../model/exit-result.ts'
import type { ExitRunView } from '../model/run-view.ts'
import { compareWithTruth, EXIT_STATUSES, type TruthAgreement } from './run-summary.ts'

/** What the list can be sorted by. `verdict` puts bad news first. */
export type ExitSortKey = 'verdict' | 'exit' | 'address' | 'network' | 'latency' | 'resolver' | 'truth'

/** `failing` stands for wrong_ip, dns_fail and timeout together. */
export type ExitStatusFilter = ExitStatus | 'failing'

/** One selection. `undefined` filters select everything. */
export interface ExitQuery {
  readonly status: ExitStatusFilter | undefined
  readonly flag: ExitFlag | undefined
  /** Name of a laboratory fault. */
  readonly fault: string | undefined
  /** How the verdict compares with the truth. */
  readonly truth: TruthAgreement | undefined
  /** Part of nickname, fingerprint, address, AS, country or operator, in any case. */
  readonly search: string | undefined
  readonly sort: ExitSortKey
  readonly order: 'asc' | 'desc'
  /** 1 for the first page. */
  readonly page: number
}

/** The selection of a page that nobody has changed: everything, bad news first. */
export const DEFAULT_EXIT_QUERY: ExitQuery = {
  status: undefined,
  flag: undefined,
  fault: undefined,
  truth: undefined,
  search: undefined,
  sort: 'verdict',
  order: 'asc',
  page: 1,
}

/** Every flag, in the order of the lists that show them. */
export const EXIT_FLAGS: readonly ExitFlag[] = [
  'inconsistent',
  'unconfirmed',
  'unsure',
  'confirmed_same_hop',
  'suspected',
  'weak_evidence',
  'decoy_mismatch',
]

/** Rows on one page: a table that a browser still lays out at once. */
export const EXITS_PER_PAGE = 200

const SORT_KEYS: readonly ExitSortKey[] = ['verdict', 'exit', 'address', 'network', 'latency', 'resolver', 'truth']
const TEXT_CHARS_MAX = 100
const PAGE_MAX = 1_000

/** What a query string says. */
export interface ParsedExitQuery {
  readonly query: ExitQuery
  /** Names of parameters whose value is not understood, in their order. */
  readonly ignored: readonly string[]
}

/** Parses the parameters of a list. Parameters of other names are left alone. */
export function parseExitQuery(parameters: URLSearchParams): ParsedExitQuery {
  const ignored: string[] = []
  const choose = <T extends string>(name: string, values: readonly T[]): T | undefined => {
    const text = parameters.get(name)
    if (text === null || text === '') return undefined
    const value = values.find((candidate) => candidate === text)
    if (value === undefined) ignored.push(name)
    return value
  }
  const take = (name: string): string | undefined => {
    const text = parameters.get(name)?.trim() ?? ''
    if (text.length > TEXT_CHARS_MAX) ignored.push(name)
    return text === '' || text.length > TEXT_CHARS_MAX ? undefined : text
  }
  const query: ExitQuery = {
    status: choose<ExitStatusFilter>('status', ['failing', ...EXIT_STATUSES]),
    flag: choose('flag', EXIT_FLAGS),
    fault: take('fault'),
    truth: choose<TruthAgreement>('truth', ['right', 'wrong', 'open']),
    search: take('q'),
    sort: choose('sort', SORT_KEYS) ?? DEFAULT_EXIT_QUERY.sort,
    order: choose('order', ['asc', 'desc']) ?? DEFAULT_EXIT_QUERY.order,
    page: parsePage(parameters.get('page'), ignored),
  }
  return { query, ignored }
}

/** Formats a selection as a query string with its question mark, `?status=failing`; empty for the default. */
export function formatExitQuery(query: ExitQuery): string {
  const parameters = new URLSearchParams()
  const put = (name: string, value: string | undefined, unless?: string): void => {
    if (value !== undefined && value !== unless) parameters.set(name, value)
  }
  put('status', query.status)
  put('flag', query.flag)
  put('fault', query.fault)
  put('truth', query.truth)
  put('q', query.search)
  put('sort', query.sort, DEFAULT_EXIT_QUERY.sort)
  put('order', query.order, DEFAULT_EXIT_QUERY.order)
  put('page', String(query.page), '1')
  return parameters.size === 0 ? '' : `?${parameters.toString()}`
}

/** @returns Every result that a selection asks for, in its order, all pages together. */
export function selectExits(view: ExitRunView, query: ExitQuery): readonly ExitResult[] {
  const needle = query.search?.toLowerCase()
  const selected = view.results.filter((result) => {
    if (query.status === 'failing' ? !isFailing(result) : query.status !== undefined && query.status !== result.status)
      return false
    if (query.flag !== undefined && !result.flags.includes(query.flag)) return false
    const truth = view.truth.get(result.exit_fingerprint)
    if (query.fault !== undefined && truth?.fault !== query.fault) return false
    if (query.truth !== undefined && (truth === undefined || compareWithTruth(view, result, truth) !== query.truth))
      return false
    return needle === undefined || matches(result, needle)
  })
  const sign = query.order === 'asc' ? 1 : -1
  const keyed = selected.map((result) => ({ result, key: sortKeyOf(view, result, query.sort) }))
  keyed.sort((a, b) => compareKeys(a.key, b.key, sign) || compareText(a.result.exit_nickname, b.result.exit_nickname))
  return keyed.map(({ result }) => result)
}

function parsePage(text: string | null, ignored: string[]): number {
  if (text === null || text === '') return 1
  const page = /^\d{1,4}$/.test(text) ? Number(text) : 0
  if (page >= 1 && page <= PAGE_MAX) return page
  ignored.push('page')
  return 1
}

function isFailing({ status }: ExitResult): boolean {
  return status === 'wrong_ip' || status === 'dns_fail' || status === 'timeout'
}

function matches(result: ExitResult, needle: string): boolean {
  return [
    result.exit_nickname,
    result.exit_fingerprint,
    result.exit_address,
    result.as,
    result.country,
    result.operator,
    result.error_code,
  ].some((text) => text?.toLowerCase().includes(needle))
}

function sortKeyOf(view: ExitRunView, result: ExitResult, sort: ExitSortKey): string | number | null {
  switch (sort) {
    case 'verdict':
      return EXIT_STATUSES.indexOf(result.status)
    case 'exit':
      return result.exit_nickname.toLowerCase()
    case 'address':
      return addressKey(result.exit_address)
    case 'network':
      return result.as
    case 'latency':
      return result.latency_ms
    case 'resolver':
      return result.resolver?.addresses[0] === undefined ? null : addressKey(result.resolver.addresses[0])
    case 'truth':
      return view.truth.get(result.exit_fingerprint)?.fault ?? null
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

/** Pads the parts of an IPv4 address, so that text order is the order of numbers. */
function addressKey(address: string): string {
  return address.replaceAll(/\d+/g, (digits) => digits.padStart(5, '0'))
}
