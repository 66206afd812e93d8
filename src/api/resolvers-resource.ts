/** The resolvers that domains are asked of, and their benchmark. Format: docs/formats/domains.md */
import { z } from 'zod'
import { formatIsoTime, type Clock } from '../core/clock.ts'
import { BENCHMARK_PROFILES, type Benchmark, type DomainSource, type ResolverView } from '../model/domain-view.ts'
import { COUNT } from './exit-schemas.ts'
import { defineOperation, refuse, type DeepReadonly, type Operation } from './operation.ts'

const RESOLVERS_PATH = '/api/v1/resolvers'

const RESOLVER = z
  .strictObject({
    resolver: z.string(),
    operator: z.string(),
    transport: z.string(),
    state: z.enum(['active', 'cooldown', 'half_open']),
    active: z.boolean().describe('Whether it is in the set that is asked.'),
    has_vote: z.boolean().describe('Whether its denials count.'),
    score: z.number(),
    rtt_ms: z.number().nullable(),
    success: z.number().nullable(),
    outcomes: COUNT,
    contradictions: COUNT,
    queries_per_second: z.number(),
    attempts: COUNT,
    timeouts: COUNT,
  })
  .meta({ id: 'PoolResolver' })

const BENCHMARK = z
  .strictObject({
    at: z.string(),
    profile: z.enum(BENCHMARK_PROFILES),
    rows: z.array(
      z.strictObject({
        resolver: z.string(),
        operator: z.string(),
        score: z.number(),
        active: z.boolean(),
        sent: COUNT,
        answered: COUNT,
        timeouts: COUNT,
        p50_ms: z.number().nullable(),
        p95_ms: z.number().nullable(),
        finds_known: z.boolean().nullable(),
        denies_random: z.boolean().nullable(),
        blocks: z.boolean().nullable(),
      }),
    ),
  })
  .meta({ id: 'ResolverBenchmark' })

/** Makes the operations. */
export function createResolversResource(source: DomainSource, clock: Clock): readonly Operation[] {
  return [
    defineOperation({
      id: 'listResolvers',
      method: 'GET',
      path: RESOLVERS_PATH,
      summary: 'The resolvers that domains are asked of, and the last benchmark',
      status: 200,
      answer: z.strictObject({
        items: z.array(RESOLVER),
        benchmark: BENCHMARK.nullable(),
      }),
      handle: () => {
        const benchmark = source.benchmark()
        return {
          body: {
            items: source.resolvers().map((resolver) => formatResolver(resolver)),
            benchmark: benchmark === null ? null : formatBenchmark(benchmark),
          },
        }
      },
    }),
    defineOperation({
      id: 'startBenchmark',
      method: 'POST',
      path: `${RESOLVERS_PATH}/benchmark`,
      summary: 'Begins a benchmark of all resolvers',
      status: 202,
      problems: ['busy'],
      body: z.strictObject({ profile: z.enum(BENCHMARK_PROFILES).default('light') }),
      answer: z.strictObject({ started_at: z.string(), url: z.string() }),
      handle: ({ body: { profile } }) =>
        source.startBenchmark(profile)
          ? {
              location: RESOLVERS_PATH,
              body: { started_at: formatIsoTime(clock.wallNowMs()), url: RESOLVERS_PATH },
            }
          : refuse('busy', 'A benchmark goes on, or no resolver is configured.'),
    }),
  ]
}

function formatResolver(resolver: ResolverView): DeepReadonly<z.output<typeof RESOLVER>> {
  const { name, isActive, hasVote, rttMs, queriesPerSecond, ...rest } = resolver
  return {
    ...rest,
    resolver: name,
    active: isActive,
    has_vote: hasVote,
    rtt_ms: rttMs,
    queries_per_second: queriesPerSecond,
  }
}

function formatBenchmark({ atMs, profile, rows }: Benchmark): DeepReadonly<z.output<typeof BENCHMARK>> {
  return {
    at: formatIsoTime(atMs),
    profile,
    rows: rows.map((row) => ({
      resolver: row.name,
      operator: row.operator,
      score: row.score,
      active: row.isActive,
      sent: row.sent,
      answered: row.answered,
      timeouts: row.timeouts,
      p50_ms: row.p50Ms,
      p95_ms: row.p95Ms,
      finds_known: row.findsKnown,
      denies_random: row.deniesRandom,
      blocks: row.blocks,
    })),
  }
}
