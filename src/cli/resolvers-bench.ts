/** `candor resolvers bench`: every upstream under the same load, and the six that will be asked. */
import { Option, type Command } from 'commander'
import { createAttempts } from '../campaigns/domains/ask-attempt.ts'
import { benchmarkResolvers, LOAD_PROFILES, type BenchmarkResult } from '../campaigns/domains/benchmark-resolvers.ts'
import { chooseCanaries } from '../campaigns/domains/canaries.ts'
import { POOL_KEY } from '../campaigns/domains/domain-campaign.ts'
import type { PoolMember } from '../campaigns/domains/resolver-pool.ts'
import { ConfigError } from '../core/config-error.ts'
import { openDomainStore } from '../store/domain-store.node.ts'
import type { CliContext } from './cli-context.ts'
import { checkDomainSettings, openResolverPool } from './domain-parts.ts'
import { addDomainOptions, readDomainPlan } from './domains-options.ts'
import { STATUS_INTERRUPTED } from './exit-status.ts'
import { formatRecords, type OutputRecord } from './format-records.ts'

const NAMES_MAX = 2_000
const PROFILES = ['light', 'normal', 'heavy'] as const

/** Adds `candor resolvers bench`. */
export function registerResolversBench(resolvers: Command, context: CliContext): void {
  const command = resolvers
    .command('bench')
    .description('test every upstream under the same load and with known names, and choose who will be asked')
  addDomainOptions(command, ['resolvers', 'resolverCa', 'queriesPerSecond', 'canaries', 'canaryZone', 'canaryBlocked', 'sinkholes']) // prettier-ignore
  command.addOption(
    new Option('--profile <profile>', 'light: 2 at once, 10 a second, 3 s; normal: 8, 50, 10 s; heavy: 32, 200, 30 s')
      .choices(PROFILES)
      .default('normal'),
  )
  command.action(async () => {
    const { settings, dataDirectory, isTable } = await readDomainPlan(command, context)
    checkDomainSettings(settings)
    const { profile } = command.opts<{ readonly profile: (typeof PROFILES)[number] }>()
    await using store = await openDomainStore(dataDirectory, 'candor resolvers bench')
    const pool = await openResolverPool(context, settings, store)
    const random = context.createRandom(context.newSeed())
    const attempts = createAttempts({ ...context, random }, settings.sinkholes)
    const positive = chooseCanaries(settings.canaries, store, context.clock.wallNowMs())
    const listed = store.best(0, NAMES_MAX).map(({ name }) => name)
    const names = listed.length > 0 ? listed : positive
    if (names.length === 0)
      throw new ConfigError('--canaries', 'there is no name to ask for yet', '--canaries www.zone.example')
    try {
      const results = await benchmarkResolvers({
        clock: context.clock,
        random,
        pool,
        ask: attempts.ask,
        profile: LOAD_PROFILES[profile],
        canaries: { positive, zone: settings.canaryZone, blocked: settings.canaryBlocked },
        names,
        signal: context.interrupted,
      })
      store.commit([], new Map([[POOL_KEY, JSON.stringify(pool.save())]]))
      const members = pool.members()
      const records = results.map((result, at) => toRecord(result, members[at] as PoolMember))
      const ranked = records.toSorted((a, b) => Number(b['score']) - Number(a['score']))
      await context.stdout.write(formatRecords(ranked, isTable))
    } finally {
      attempts.close()
    }
    if (context.interrupted.aborted) context.finish(STATUS_INTERRUPTED)
  })
}

function toRecord(result: BenchmarkResult, { score, isActive, hasVote, state }: PoolMember): OutputRecord {
  const round = (value: number | null): number | null => (value === null ? null : Math.round(value * 10) / 10)
  return {
    resolver: result.resolver.name,
    operator: result.resolver.operator,
    score: round(score),
    active: isActive,
    state,
    has_vote: hasVote,
    sent: result.sent,
    answered: result.answered,
    timeouts: result.timeouts,
    p50_ms: round(result.p50Ms),
    p95_ms: round(result.p95Ms),
    finds_known: result.findsKnown,
    denies_random: result.deniesRandom,
    blocks: result.blocks,
  }
}
