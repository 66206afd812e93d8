/**
 * Domains: how each of them stands, and why.
 *
 * Format: docs/formats/domains.md
 */
import { z } from 'zod'
import { formatIsoTime } from '../core/clock.ts'
import { DOMAIN_STATES, type DomainTrace } from '../model/domain.ts'
import { DOMAIN_ROUTES, type DomainSource, type DomainSummary, type DomainView } from '../model/domain-view.ts'
import { COUNT } from './exit-schemas.ts'
import { integerParameter } from './integer-parameter.ts'
import { defineOperation, refuse, type DeepReadonly, type Operation, type Refusal } from './operation.ts'

const PATH = '/api/v1/domains'
const LIMIT_DEFAULT = 100
const LIMIT_MAX = 1_000
const TRACES_MAX = 20

const NAME = z.strictObject({
  name: z
    .string()
    .regex(/^[\w*.-]{1,255}$/)
    .toLowerCase(),
})
const TIME = z.string().nullable()

const ADDRESS = z.strictObject({
  address: z.string(),
  source: z.string().describe('The resolver that gave it, or `runtime`: SmartDNS, to a client.'),
  seen_at: z.string(),
})

const DOMAIN = z
  .strictObject({
    name: z.string(),
    wildcard: z.boolean(),
    labels: z.array(z.string()),
    listed: z.boolean(),
    state: z.enum(DOMAIN_STATES),
    score: z.number(),
    route: z.enum(DOMAIN_ROUTES),
    sets: z.array(z.string()),
    last_outcome: z.string().nullable(),
    failures: COUNT,
    last_ok_at: TIME,
    scored_at: TIME,
    runtime_seen_at: TIME,
    next_check_at: z.string(),
    refresh_at: TIME,
    hard_until: TIME,
    needs_review: z.boolean(),
    addresses: z.array(ADDRESS),
  })
  .meta({ id: 'Domain' })

const TRACE = z
  .strictObject({
    at: z.string(),
    pass: z.enum(['live', 'check', 'confirm', 'runtime', 'release']),
    outcome: z.string(),
    reason: z.string(),
    score_before: z.number(),
    score_after: z.number(),
    state_before: z.enum(DOMAIN_STATES),
    state_after: z.enum(DOMAIN_STATES),
    resolver_disagreement: z.boolean(),
    attempts: z.array(
      z.strictObject({
        resolver: z.string(),
        operator: z.string(),
        has_vote: z.boolean(),
        hedge: z.boolean(),
        started_ms: z.number(),
        elapsed_ms: z.number(),
        outcome: z.string(),
        addresses: z.array(z.string()),
      }),
    ),
    addresses: z.array(
      ADDRESS.extend({
        origin: z.enum(['resolver', 'runtime', 'stale']).describe('Where the set has it from after this check.'),
      }),
    ),
  })
  .meta({ id: 'DomainTrace' })

const SUMMARY = z.strictObject({
  domains: COUNT,
  states: z.record(z.string(), COUNT),
  needs_review: COUNT,
  stale_domains: COUNT,
  addresses_v4: COUNT,
  addresses_v6: COUNT,
  written_at: TIME,
  last_wave_at: TIME,
  next_due_at: TIME,
  live_batch: COUNT,
  storm_guard: z.boolean(),
  nx_guard: z.boolean(),
  pool_down: z.boolean(),
  pool_degraded: z.boolean(),
  problems: z.array(z.string()),
})

/** Makes the operations. */
export function createDomainsResource(source: DomainSource): readonly Operation[] {
  return [listDomains(source), ...createDomainOperations(source), listStates(source)]
}

function listDomains(source: DomainSource): Operation {
  return defineOperation({
    id: 'listDomains',
    method: 'GET',
    path: PATH,
    summary: 'Domains of the lists, and how the campaign is',
    status: 200,
    queryParameters: z.strictObject({
      state: z.enum(DOMAIN_STATES).optional(),
      review: z.enum(['true', 'false']).optional().describe('true: those that somebody should look at.'),
      q: z.string().max(253).optional().describe('A part of the name.'),
      cursor: z
        .string()
        .regex(/^\d{1,12}$/)
        .optional()
        .describe('`next` of the page before.'),
      limit: integerParameter(1, LIMIT_MAX).optional().describe('100 without it.'),
    }),
    answer: z.strictObject({
      summary: SUMMARY,
      items: z.array(DOMAIN),
      next: z.string().nullable().describe('Cursor of the next page; null when that was all.'),
    }),
    handle: ({ query: { state, review, q, cursor, limit = LIMIT_DEFAULT } }) => {
      const rows = source.list({
        ...(state === undefined ? {} : { state }),
        ...(review === 'true' ? { needsReview: true } : {}),
        ...(q === undefined ? {} : { contains: q.toLowerCase() }),
        afterId: Number(cursor ?? '0'),
        limit,
      })
      return {
        body: {
          summary: formatSummary(source.summary()),
          items: rows.map((row) => formatDomain(row)),
          next: rows.length < limit ? null : String(rows.at(-1)?.id ?? 0),
        },
      }
    },
  })
}

function createDomainOperations(source: DomainSource): readonly Operation[] {
  return [
    defineOperation({
      id: 'getDomain',
      method: 'GET',
      path: `${PATH}/{name}`,
      summary: 'One domain',
      status: 200,
      pathParameters: NAME,
      answer: DOMAIN,
      handle: ({ path: { name } }) => {
        const view = source.find(name)
        return view === undefined ? absent() : { body: formatDomain(view) }
      },
    }),
    defineOperation({
      id: 'getDomainTrace',
      method: 'GET',
      path: `${PATH}/{name}/trace`,
      summary: 'The last checks of a domain: every attempt, its outcome, the score, and where each address came from',
      status: 200,
      pathParameters: NAME,
      answer: z.strictObject({ domain: DOMAIN, trace: z.array(TRACE) }),
      handle: ({ path: { name } }) => {
        const view = source.find(name)
        if (view === undefined) return absent()
        return {
          body: {
            domain: formatDomain(view),
            trace: source.traces(view.name, TRACES_MAX).map(formatTrace),
          },
        }
      },
    }),
    defineOperation({
      id: 'releaseDomain',
      method: 'POST',
      path: `${PATH}/{name}/release`,
      summary: 'Lets a domain out of quarantine',
      status: 200,
      pathParameters: NAME,
      answer: DOMAIN,
      handle: async ({ path: { name } }) => {
        const isReleased = await source.release(name)
        const view = source.find(name)
        return !isReleased || view === undefined ? absent() : { body: formatDomain(view) }
      },
    }),
  ]
}

function listStates(source: DomainSource): Operation {
  return defineOperation({
    id: 'listDomainStates',
    method: 'GET',
    path: '/api/v1/domain-states',
    summary: 'Domains by state over time, oldest first',
    status: 200,
    answer: z.strictObject({ items: z.array(z.strictObject({ at: z.string(), states: z.record(z.string(), COUNT) })) }),
    handle: () => ({
      body: {
        items: source.history().map(({ atMs, counts }) => ({
          at: formatIsoTime(atMs),
          states: Object.fromEntries(DOMAIN_STATES.map((state, index) => [state, counts[index] ?? 0])),
        })),
      },
    }),
  })
}

function absent(): Refusal {
  return refuse('not-found', 'No list has this domain.')
}
function formatSummary(summary: DomainSummary): DeepReadonly<z.output<typeof SUMMARY>> {
  return {
    domains: summary.domains,
    states: summary.states,
    needs_review: summary.needsReview,
    stale_domains: summary.staleDomains,
    addresses_v4: summary.addressesV4,
    addresses_v6: summary.addressesV6,
    written_at: toTime(summary.writtenMs),
    last_wave_at: toTime(summary.lastWaveMs),
    next_due_at: toTime(summary.nextDueMs),
    live_batch: summary.liveBatch,
    storm_guard: summary.isStorm,
    nx_guard: summary.isNxGuarded,
    pool_down: summary.isPoolDown,
    pool_degraded: summary.isDegraded,
    problems: summary.problems,
  }
}

function formatDomain(view: DomainView): DeepReadonly<z.output<typeof DOMAIN>> {
  return {
    name: view.name,
    wildcard: view.isWildcard,
    labels: view.labels,
    listed: view.isListed,
    state: view.state,
    score: view.score,
    route: view.route,
    sets: view.sets,
    last_outcome: view.lastOutcome,
    failures: view.failures,
    last_ok_at: toTime(view.lastOkMs),
    scored_at: toTime(view.scoredMs),
    runtime_seen_at: toTime(view.runtimeSeenMs),
    next_check_at: formatIsoTime(view.nextCheckMs),
    refresh_at: toTime(view.refreshMs),
    hard_until: toTime(view.hardUntilMs),
    needs_review: view.needsReview,
    addresses: view.addresses.map(({ address, source, seenMs }) => ({
      address,
      source,
      seen_at: formatIsoTime(seenMs),
    })),
  }
}

function formatTrace(trace: DomainTrace): DeepReadonly<z.output<typeof TRACE>> {
  const isFailed = trace.outcome !== 'OK' && trace.outcome !== 'RUNTIME'
  return {
    at: formatIsoTime(trace.atMs),
    pass: trace.pass,
    outcome: trace.outcome,
    reason: trace.reason,
    score_before: trace.scoreBeforeMilli / 1000,
    score_after: trace.scoreAfterMilli / 1000,
    state_before: trace.stateBefore,
    state_after: trace.stateAfter,
    resolver_disagreement: trace.isDisputed,
    attempts: trace.attempts.map(({ hasVote, isHedge, startedMs, elapsedMs, ...attempt }) => ({
      ...attempt,
      has_vote: hasVote,
      hedge: isHedge,
      started_ms: startedMs,
      elapsed_ms: elapsedMs,
    })),
    addresses: trace.addresses.map(({ address, source, seenAtMs }) => ({
      address,
      source,
      seen_at: formatIsoTime(seenAtMs),
      origin: isFailed ? ('stale' as const) : source === 'runtime' ? ('runtime' as const) : ('resolver' as const),
    })),
  }
}

function toTime(ms: number | null): string | null {
  return ms === null ? null : formatIsoTime(ms)
}
