/**
 * Which exits of a run a reader wants to see, in which order and which part: the state of a list, kept in the URL. Pages
 * and API read it alike.
 *
 * Invariant: a value that is not understood is named, never taken for another one.
 */
import { z } from 'zod'
import type { ExitFlag, ExitStatus } from '../model/exit-result.ts'
import { integerParameter } from './integer-parameter.ts'
import type { ExitStanding } from './exit-standing.ts'
import { EXIT_STATUSES, type TruthAgreement } from './run-summary.ts'

/** What the list can be sorted by: every column. `verdict` puts bad news first. */
export type ExitSortKey = (typeof SORT_KEYS)[number]

/** `failing` stands for wrong_ip, dns_fail and timeout together. */
export type ExitStatusFilter = ExitStatus | 'failing'

/** One selection. `undefined` filters select everything; {@link NOT_KNOWN} selects where nothing is known. */
export interface ExitQuery {
  /** 14 digits; `current` for the run that goes on; `undefined` for the newest valid one. */
  readonly run: string | undefined
  readonly status: ExitStatusFilter | undefined
  /** What the verdict amounts to. */
  readonly standing: ExitStanding | undefined
  /** The verdict about AAAA. */
  readonly statusIpv6: ExitStatusFilter | typeof NOT_KNOWN | undefined
  readonly errorCode: string | undefined
  readonly flag: ExitFlag | undefined
  /** `AS64496`. */
  readonly as: string | undefined
  /** Two letters, upper case. */
  readonly country: string | undefined
  /** Fingerprint of a relay: it and those that name it as their family; `none` for relays without family. */
  readonly family: string | undefined
  readonly operator: string | undefined
  /** Fingerprint of the first hop of the deciding circuit. */
  readonly firstHop: string | undefined
  /** Exit address, as the run writes it. */
  readonly address: string | undefined
  /** Name of a laboratory fault. */
  readonly fault: string | undefined
  /** How the verdict compares with the truth. */
  readonly truth: TruthAgreement | undefined
  /** Part of nickname, AS or operator, or the beginning of a fingerprint or address; in any case. */
  readonly search: string | undefined
  /** Only relays that failed in at least so many runs in a row. */
  readonly failingAtLeast: number | undefined
  readonly sort: ExitSortKey
  readonly order: 'asc' | 'desc'
  /** Where the page begins; `undefined` for the first page. Opaque: made by `pageExits`. */
  readonly cursor: string | undefined
  /** Rows on a page. */
  readonly limit: number
}

/** The value of a filter that selects the exits of which nothing is known. */
export const NOT_KNOWN = 'none'

/** Rows on one page: a table that a browser still lays out at once. */
export const EXITS_PER_PAGE = 100
const EXITS_PER_PAGE_MAX = 1_000

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

/** Every standing, the worst first. */
export const EXIT_STANDINGS: readonly ExitStanding[] = [
  'failing',
  'suspect',
  'sound',
  'unreachable',
  'not_judged',
  'not_tested',
]

const SORT_KEYS = [
  'verdict',
  'exit',
  'fingerprint',
  'address',
  'error_code',
  'status_ipv6',
  'network',
  'country',
  'operator',
  'first_hop',
  'latency',
  'failing',
  'first_seen',
  'last_seen',
  'resolver',
  'truth',
] as const

/** The selection of a page that nobody has changed: everything, bad news first. */
export const DEFAULT_EXIT_QUERY: ExitQuery = {
  run: undefined,
  status: undefined,
  standing: undefined,
  statusIpv6: undefined,
  errorCode: undefined,
  flag: undefined,
  as: undefined,
  country: undefined,
  family: undefined,
  operator: undefined,
  firstHop: undefined,
  address: undefined,
  fault: undefined,
  truth: undefined,
  search: undefined,
  failingAtLeast: undefined,
  sort: 'verdict',
  order: 'asc',
  cursor: undefined,
  limit: EXITS_PER_PAGE,
}

const statusFilter = z.enum(['failing', ...EXIT_STATUSES])
const fingerprint = z
  .string()
  .regex(/^[0-9A-Fa-f]{40}$/)
  .toUpperCase()
const text = z.string().trim().min(1).max(100)

const PARAMETERS = {
  run: z
    .union([z.string().regex(/^\d{14}$/), z.literal('current')])
    .describe('Id of a run, or current for the one that goes on; the newest valid one without it.'),
  status: statusFilter.describe('The verdict; failing for wrong_ip, dns_fail and timeout.'),
  standing: z.enum(EXIT_STANDINGS).describe('What the verdict amounts to; suspect is measured, and not accused.'),
  status_ipv6: z.union([statusFilter, z.literal(NOT_KNOWN)]).describe('The verdict about AAAA; none where not asked.'),
  error_code: z.string().regex(/^(?:[A-Z][A-Z0-9_]{0,59}|none)$/),
  flag: z.enum(EXIT_FLAGS),
  as: z
    .string()
    .regex(/^(?:AS\d{1,10}|none)$/)
    .describe('AS64496; none where it is not known.'),
  country: z
    .string()
    .regex(/^(?:[A-Z]{2}|none)$/)
    .describe('Two letters; none where it is not known.'),
  family: z.union([fingerprint, z.literal(NOT_KNOWN)]).describe('A relay and those that name it; none for no family.'),
  operator: z.string().min(1).max(300),
  first_hop: z.union([fingerprint, z.literal(NOT_KNOWN)]).describe('Fingerprint of the first hop.'),
  address: z
    .string()
    .regex(/^(?:[0-9A-Fa-f:.]{2,45}|none)$/)
    .describe('Exit address, as the run writes it.'),
  fault: text.describe('Name of a laboratory fault.'),
  truth: z.enum(['right', 'wrong', 'open']).describe('How the verdict compares with the truth, in a laboratory.'),
  q: text.describe('Part of nickname, AS or operator, or the beginning of a fingerprint or address.'),
  failing_at_least: integerParameter(1, 10_000).describe('Only relays that failed in so many runs in a row.'),
  sort: z.enum(SORT_KEYS),
  order: z.enum(['asc', 'desc']),
  cursor: z
    .string()
    .regex(/^(?:[ab][0-9A-F]{40}|z)$/)
    .describe('From a link of another page.'),
  limit: integerParameter(1, EXITS_PER_PAGE_MAX).describe('Exits on a page.'),
}

/** The parameters of a list of exits, with the schemas that check them; all of them may be left out. */
export const EXIT_PARAMETERS: Readonly<Record<string, z.ZodType>> = Object.fromEntries(
  Object.entries(PARAMETERS).map(([name, schema]) => [name, schema.optional()]),
)

/** What a query string says. */
export interface ParsedExitQuery {
  readonly query: ExitQuery
  /** Names of parameters whose value is not understood, in their order. */
  readonly ignored: readonly string[]
}

/** Parses the parameters of a list. Parameters of other names are left alone; empty ones are absent. */
export function parseExitQuery(parameters: URLSearchParams): ParsedExitQuery {
  const ignored: string[] = []
  const take = <T>(name: keyof typeof PARAMETERS, schema: z.ZodType<T>): T | undefined => {
    const value = parameters.get(name)
    if (value === null || value === '') return undefined
    const parsed = schema.safeParse(value)
    if (!parsed.success) ignored.push(name)
    return parsed.data
  }
  const query: ExitQuery = {
    run: take('run', PARAMETERS.run),
    status: take('status', PARAMETERS.status),
    standing: take('standing', PARAMETERS.standing),
    statusIpv6: take('status_ipv6', PARAMETERS.status_ipv6),
    errorCode: take('error_code', PARAMETERS.error_code),
    flag: take('flag', PARAMETERS.flag),
    as: take('as', PARAMETERS.as),
    country: take('country', PARAMETERS.country),
    family: take('family', PARAMETERS.family),
    operator: take('operator', PARAMETERS.operator),
    firstHop: take('first_hop', PARAMETERS.first_hop),
    address: take('address', PARAMETERS.address),
    fault: take('fault', PARAMETERS.fault),
    truth: take('truth', PARAMETERS.truth),
    search: take('q', PARAMETERS.q),
    failingAtLeast: take('failing_at_least', PARAMETERS.failing_at_least),
    sort: take('sort', PARAMETERS.sort) ?? DEFAULT_EXIT_QUERY.sort,
    order: take('order', PARAMETERS.order) ?? DEFAULT_EXIT_QUERY.order,
    cursor: take('cursor', PARAMETERS.cursor),
    limit: take('limit', PARAMETERS.limit) ?? DEFAULT_EXIT_QUERY.limit,
  }
  return { query, ignored }
}

/** Formats a selection as a query string with its question mark, `?status=failing`; empty for the default. */
export function formatExitQuery(query: ExitQuery): string {
  const parameters = new URLSearchParams()
  const put = (name: keyof typeof PARAMETERS, value: string | number | undefined, unless?: string | number): void => {
    if (value !== undefined && value !== unless) parameters.set(name, String(value))
  }
  put('run', query.run)
  put('status', query.status)
  put('standing', query.standing)
  put('status_ipv6', query.statusIpv6)
  put('error_code', query.errorCode)
  put('flag', query.flag)
  put('as', query.as)
  put('country', query.country)
  put('family', query.family)
  put('operator', query.operator)
  put('first_hop', query.firstHop)
  put('address', query.address)
  put('fault', query.fault)
  put('truth', query.truth)
  put('q', query.search)
  put('failing_at_least', query.failingAtLeast)
  put('sort', query.sort, DEFAULT_EXIT_QUERY.sort)
  put('order', query.order, DEFAULT_EXIT_QUERY.order)
  put('cursor', query.cursor)
  put('limit', query.limit, DEFAULT_EXIT_QUERY.limit)
  return parameters.size === 0 ? '' : `?${parameters.toString()}`
}
