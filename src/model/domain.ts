/**
 * The health of a domain: its score, its state, when it is looked at next, and the addresses it was last known by.
 *
 * Invariant: all times are Unix milliseconds, all scores whole milli-points. A record says what is; `verdicts/domain-*`
 * say what becomes of it.
 *
 * Format: docs/formats/domains.md
 */

/** What one check of a domain came to; docs/detectors/domain-outcome.md says how. */
export type DomainOutcome = 'OK' | 'RUNTIME' | 'NX2' | 'NX1' | 'TIMEOUT' | 'TEMP' | 'NODATA' | 'FILTERED' | 'REFUSED'

/** How a domain is treated, best first. */
export const DOMAIN_STATES = ['ACTIVE', 'STABLE', 'SUSPECT', 'QUARANTINE', 'HARD'] as const
/** One of {@link DOMAIN_STATES}. */
export type DomainState = (typeof DOMAIN_STATES)[number]

/** An address of a domain and who said so. */
export interface DomainAddress {
  /** In its canonical form. */
  readonly address: string
  /** When it was last said. */
  readonly seenAtMs: number
  /** The name of a resolver, or `runtime`. */
  readonly source: string
}

/** Everything that is remembered about the health of one domain. */
export interface DomainHealth {
  /** −40,000 to 40,000, as it was at `scoreAtMs`. */
  readonly scoreMilli: number
  readonly scoreAtMs: number
  readonly state: DomainState
  /** The last check that could move the score; `null` before the first. */
  readonly scoredAtMs: number | null
  /** The last time that an observation at run time could move it. */
  readonly runtimeScoredAtMs: number | null
  /** The last observation at run time. */
  readonly runtimeSeenAtMs: number | null
  /** The last time that addresses were found: the clock of what is kept although it is stale. */
  readonly lastOkAtMs: number | null
  /** The latest time of the next scored check. */
  readonly nextCheckAtMs: number
  /** When the live pass asks again; `null` in quarantine. */
  readonly refreshAtMs: number | null
  /** One check that confirms a quarantine and scores nothing; `null` for none. */
  readonly confirmAtMs: number | null
  /** Until when a HARD quarantine stands before it is renewed. */
  readonly hardUntilMs: number | null
  /** Whether a HARD quarantine was renewed: somebody may want to look. */
  readonly needsReview: boolean
  /** The first confirmed NXDOMAIN since the name was last known to exist. */
  readonly nx2SinceMs: number | null
  /** Until when a negative answer is remembered instead of asked for. */
  readonly negativeUntilMs: number | null
  /** Checks without an address, one after the other. */
  readonly failures: number
  readonly lastOutcome: DomainOutcome | null
  /** Whether the addresses are doubted. */
  readonly isSuspectSet: boolean
  readonly addresses: readonly DomainAddress[]
}

/** A domain that nothing is known about: due at once. */
export function createDomainHealth(atMs: number): DomainHealth {
  return {
    scoreMilli: 0,
    scoreAtMs: atMs,
    state: 'SUSPECT',
    scoredAtMs: null,
    runtimeScoredAtMs: null,
    runtimeSeenAtMs: null,
    lastOkAtMs: null,
    nextCheckAtMs: atMs,
    refreshAtMs: atMs,
    confirmAtMs: null,
    hardUntilMs: null,
    needsReview: false,
    nx2SinceMs: null,
    negativeUntilMs: null,
    failures: 0,
    lastOutcome: null,
    isSuspectSet: false,
    addresses: [],
  }
}

/** A name of the lists. */
export interface ListedDomain {
  /** Lower case, A-labels, no dot at the end, without `*.`. */
  readonly name: string
  /** Whether it stands for everything below it, and goes the way of wildcards. */
  readonly isWildcard: boolean
  /** Labels of the lists that have it, each once. */
  readonly labels: readonly string[]
}

/** A domain as it is kept. */
export interface DomainRow extends ListedDomain {
  readonly id: number
  /** Whether a list still has it. What no list has is not asked, and is in no set. */
  readonly isListed: boolean
  readonly health: DomainHealth
}

/** What one resolver said to one attempt (A and AAAA together). */
export type AttemptOutcome = 'ok' | 'nxdomain' | 'nodata' | 'filtered' | 'refused' | 'temporary' | 'timeout' | 'unsent'

/** One attempt: A and AAAA to one resolver. */
export interface DomainAttempt {
  readonly resolver: string
  readonly operator: string
  /** Whether a NXDOMAIN of this resolver counts. */
  readonly hasVote: boolean
  readonly isHedge: boolean
  /** After the start of the check, in milliseconds. */
  readonly startedMs: number
  readonly elapsedMs: number
  readonly outcome: AttemptOutcome
  /** Usable addresses, canonical. */
  readonly addresses: readonly string[]
}

/** Why a check did, or did not, move a score. */
export type ScoreReason =
  | 'scored'
  | 'left_quarantine'
  | 'too_soon'
  | 'confirming'
  | 'storm_guard'
  | 'nx_guard'
  | 'pool_down'

/** One check or observation, in full. */
export interface DomainTrace {
  readonly atMs: number
  /** Which pass it was: the live one, a scored check, a confirming one, a sight at run time, a hand. */
  readonly pass: 'live' | 'check' | 'confirm' | 'runtime' | 'release'
  readonly outcome: DomainOutcome | 'RELEASED'
  readonly reason: ScoreReason
  readonly scoreBeforeMilli: number
  readonly scoreAfterMilli: number
  readonly stateBefore: DomainState
  readonly stateAfter: DomainState
  /** Whether some resolvers had addresses and others denied the name. */
  readonly isDisputed: boolean
  readonly attempts: readonly DomainAttempt[]
  /** The set afterwards. */
  readonly addresses: readonly DomainAddress[]
}

/** What was judged of one domain, to be kept. */
export interface DomainChange {
  readonly id: number
  readonly health: DomainHealth
  /** `null` where nothing was asked. */
  readonly trace: DomainTrace | null
}

/** How many domains a list brought. */
export interface ListChange {
  readonly added: number
  readonly kept: number
  /** No list has them any more. */
  readonly left: number
}

/** Which domains are looked for. */
export interface DomainFilter {
  readonly states?: readonly DomainState[]
  readonly needsReview?: boolean
  /** Of the name, without `*`. */
  readonly contains?: string
}

/** Where domains are kept. What a method acknowledged survives a kill. Each throws a RunError when that fails. */
export interface DomainStore {
  /** Makes these names, and no others, the listed ones; new ones are due at once. */
  replaceList(domains: Iterable<ListedDomain>, nowMs: number): ListChange
  /** Listed domains whose live pass is due, longest first. */
  dueForRefresh(nowMs: number, limit: number): readonly DomainRow[]
  /** Listed domains whose scored or confirming check is due, longest first. */
  dueForCheck(nowMs: number, limit: number): readonly DomainRow[]
  /** The next time that anything is due; `null` when nothing ever is. */
  nextDueAtMs(): number | null
  /** Keeps changes, and texts under their keys, all or nothing. */
  commit(changes: readonly DomainChange[], texts?: ReadonlyMap<string, string>): void
  find(name: string): DomainRow | undefined
  /** In the order of their ids, from the one behind `afterId`. */
  page(filter: DomainFilter, afterId: number, limit: number): readonly DomainRow[]
  /** Listed domains by state. */
  countStates(): ReadonlyMap<DomainState, number>
  /** Listed domains that somebody should look at. */
  countReview(): number
  /** Of one domain, newest first. */
  traces(id: number, limit: number): readonly DomainTrace[]
  /** Listed domains of the highest score that had an address after `sinceMs`. */
  best(sinceMs: number, limit: number): readonly DomainRow[]
  /** What {@link DomainStore.commit} kept under a key. */
  text(key: string): string | undefined
}
