/**
 * Joins the authoritative log into a run: for each relay, which resolver asked and how.
 *
 * Whoever has seen a name can ask for it again, so only names that were issued count, of each name and type only the
 * first arrival, and only within the attempt's window. Everything else is forgotten as it comes, which is why a log of
 * any size fits.
 *
 * **Invariant**: holds a few queries per issued name, whatever the log says.
 *
 * Specification: docs/manual/authority.md
 */
import { parseTime } from '../../core/clock.ts'
import type { AuthorityQuery } from '../../model/authority-query.ts'
import type { ExitAttempt, ExitResolver } from '../../model/exit-result.ts'
import { findAuthorityQuery, judgeWrongAnswer, type AuthorityWindow } from '../../verdicts/exit-authority.ts'

/** Names of a log are compared in lower case, without a dot at the end. */
type NameKey = string

/** AS and country of an address, in the form of the records. */
export interface AddressOrigin {
  /** `AS64496 Example`. */
  readonly as: string | null
  /** ISO 3166 code, upper case. */
  readonly country: string | null
}

/** What is needed to join. */
export interface AuthorityJoinOptions {
  readonly window: AuthorityWindow
  /** Looks an address up, for the resolvers. */
  readonly describe: (address: string) => AddressOrigin
}

/** A run and its log, joined as both go on. */
export interface AuthorityJoin {
  /** Says that a name was issued, before it is asked (or before a log is read afterwards). */
  issue(name: string): void
  /** Takes queries of the log, of any names, in any order. */
  add(queries: readonly AuthorityQuery[]): void
  /** What counts for an attempt; `undefined` when our authority was not asked for it within its window. */
  queryFor(attempt: ExitAttempt): AuthorityQuery | undefined
  /**
   * Describes the resolver behind a relay.
   *
   * @param attempts - Everything the relay was asked in this run.
   */
  resolverOf(attempts: readonly ExitAttempt[]): ExitResolver
  /** Whether any query came, of whatever name: a log without one is not that of the zone, or not there. */
  heard(): boolean
  /** Answers to issued names that our authority limited (TC = 1). */
  limited(): number
}

interface Seen {
  /** As it was issued. */
  readonly name: string
  /** Type → the first arrival and, when that was limited, the answer that the same resolver got by asking again. */
  readonly byType: Map<string, { readonly first: AuthorityQuery; readonly answered: AuthorityQuery }>
}

/** A log is taken to cover a moment when it has any query of this many minutes around. */
const COVERED_MINUTES = 2
/** Two months of minutes: more than any run lasts. */
const MINUTES_MAX = 86_400

/** A join in which nothing was issued yet. */
export function createAuthorityJoin({ window, describe }: AuthorityJoinOptions): AuthorityJoin {
  const issued = new Map<NameKey, Seen>()
  /** Parents of issued names → their first arrival, `undefined` until it comes. */
  const parents = new Map<NameKey, AuthorityQuery | undefined>()
  const minutes = new Set<number>()
  let limited = 0

  const addQuery = (query: AuthorityQuery): void => {
    const arrivedMs = parseTime(query.timestamp)
    if (Number.isNaN(arrivedMs)) return
    if (minutes.size < MINUTES_MAX) minutes.add(Math.floor(arrivedMs / 60_000))
    const key = keyOf(query.query_name)
    const seen = issued.get(key)
    if (seen !== undefined) {
      if (query.outcome === 'truncated') limited += 1
      keepFirst(seen, query)
      return
    }
    const parentKey = parentIn(parents, key)
    if (parentKey === undefined) return
    const earlier = parents.get(parentKey)
    if (earlier === undefined || arrivedMs < parseTime(earlier.timestamp)) parents.set(parentKey, query)
  }
  const pick = (attempt: ExitAttempt, which: 'first' | 'answered'): AuthorityQuery | undefined => {
    if (attempt.query_domain === null) return undefined
    const entries = [...(issued.get(keyOf(attempt.query_domain))?.byType.values() ?? [])]
    // The window is always that of the first arrival.
    const first = findAuthorityQuery(attempt, entries.map(firstOf), window)
    return which === 'first' ? first : entries.find((entry) => entry.first === first)?.answered
  }
  const isMinimised = (attempt: ExitAttempt): boolean => {
    if (attempt.query_domain === null) return false
    return parentsOf(keyOf(attempt.query_domain)).some((parentKey) => {
      const query = parents.get(parentKey)
      if (query === undefined) return false
      const renamed = { ...query, query_name: attempt.query_domain ?? '', query_type: attempt.query_type }
      return findAuthorityQuery(attempt, [renamed], window) !== undefined
    })
  }
  return {
    issue: (name) => {
      const key = keyOf(name)
      if (issued.has(key)) return
      issued.set(key, { name, byType: new Map() })
      for (const parentKey of parentsOf(key)) if (!parents.has(parentKey)) parents.set(parentKey, undefined)
    },
    add: (queries) => {
      for (const query of queries) addQuery(query)
    },
    queryFor: (attempt) => pick(attempt, 'answered'),
    resolverOf: (attempts) => {
      const firsts = attempts.map((attempt) => pick(attempt, 'first')).filter(isPresent)
      const all = new Set([...firsts, ...attempts.map((attempt) => pick(attempt, 'answered')).filter(isPresent)])
      const wrong = attempts.find(isWrongA) ?? attempts.find(isWrong)
      const judged = wrong && (judgeWrongAnswer(wrong, pick(wrong, 'first')) ?? undefined)
      return {
        ...summarize(firsts, [...all], describe),
        asked: attempts.some((attempt) => attempt.query_type === 'A' && pick(attempt, 'first') !== undefined),
        mixed_case: attempts.some((attempt) => isRecased(attempt.query_domain, pick(attempt, 'first'))),
        qname_minimisation: attempts.some(isMinimised),
        // "Never asked" can only be said of a time that the log knows about.
        wrong_answer:
          judged === 'rewritten' && wrong !== undefined && !isCovered(minutes, wrong) ? null : (judged ?? null),
      }
    },
    heard: () => minutes.size > 0,
    limited: () => limited,
  }
}

function isCovered(minutes: ReadonlySet<number>, { timestamp }: ExitAttempt): boolean {
  const minute = Math.floor(timestamp / 60)
  for (let near = minute - COVERED_MINUTES; near <= minute + COVERED_MINUTES; near++) {
    if (minutes.has(near)) return true
  }
  return false
}

function keyOf(name: string): NameKey {
  return name.toLowerCase().replace(/\.$/, '')
}

function firstOf(entry: { readonly first: AuthorityQuery }): AuthorityQuery {
  return entry.first
}

function isPresent<T>(value: T | undefined): value is T {
  return value !== undefined
}

function isWrong(attempt: ExitAttempt): boolean {
  return attempt.status === 'wrong_ip'
}

function isWrongA(attempt: ExitAttempt): boolean {
  return isWrong(attempt) && attempt.query_type === 'A'
}

/** The names that a minimising resolver asks on its way: the moment's and the fingerprint's. */
function parentsOf(key: NameKey): NameKey[] {
  const labels = key.split('.')
  return labels.length < 5 ? [] : [labels.slice(2).join('.'), labels.slice(3).join('.')]
}

/** @returns The parent of an issued name that a query is for: itself, below it by one label, or by BIND's `_`. */
function parentIn(parents: ReadonlyMap<NameKey, unknown>, key: NameKey): NameKey | undefined {
  if (parents.has(key)) return key
  const dot = key.indexOf('.')
  const label = key.slice(0, dot)
  const rest = key.slice(dot + 1)
  if (label === '_') return parentIn(parents, rest)
  return /^\d{1,9}$/.test(label) && parents.has(rest) ? rest : undefined
}

function keepFirst({ byType }: Seen, query: AuthorityQuery): void {
  if (query.query_type !== 'A' && query.query_type !== 'AAAA') return
  const entry = byType.get(query.query_type)
  if (entry === undefined) {
    byType.set(query.query_type, { first: query, answered: query })
    return
  }
  const first = query.timestamp < entry.first.timestamp ? query : entry.first
  const candidates = [first, entry.answered, query]
  const answered = candidates.find((it) => it.source_address === first.source_address && it.outcome !== 'truncated')
  byType.set(query.query_type, { first, answered: answered ?? first })
}

/** 0x20: spelled neither as issued nor in one case. */
function isRecased(issuedName: string | null, query: AuthorityQuery | undefined): boolean {
  if (issuedName === null || query === undefined) return false
  const name = query.query_name
  return name !== issuedName && name !== name.toLowerCase() && name !== name.toUpperCase()
}

function summarize(
  firsts: readonly AuthorityQuery[],
  all: readonly AuthorityQuery[],
  describe: (address: string) => AddressOrigin,
): Pick<ExitResolver, 'addresses' | 'as' | 'country' | 'transport' | 'edns' | 'dnssec_ok' | 'client_subnet'> {
  const inOrder = firsts.toSorted((a, b) => (a.timestamp < b.timestamp ? -1 : a.timestamp > b.timestamp ? 1 : 0))
  const addresses = [...new Set(inOrder.map((query) => query.source_address))]
  const [address] = addresses
  return {
    addresses,
    ...(address === undefined ? { as: null, country: null } : describe(address)),
    transport: [...new Set(all.map((query) => query.transport))].toSorted((a, b) =>
      a === 'udp' ? -1 : b === 'udp' ? 1 : 0,
    ),
    edns: all.some((query) => query.edns_udp_size !== null),
    dnssec_ok: all.some((query) => query.dnssec_ok),
    client_subnet: all.find((query) => query.client_subnet !== null)?.client_subnet ?? null,
  }
}
