/**
 * `candor domains sync`: checks what is due, and writes the address sets.
 *
 * Invariant: what a wave judged is on the disk before it is told. Interrupted or killed, the next run goes on where this one
 * stopped.
 */
import { Option, type Command } from 'commander'
import { createAttempts } from '../campaigns/domains/ask-attempt.ts'
import { DomainCampaign } from '../campaigns/domains/domain-campaign.ts'
import type { DomainCounters } from '../campaigns/domains/domain-metrics.ts'
import type { BadLine } from '../campaigns/domains/read-domain-list.ts'
import { syncDomains, type SyncEnd } from '../campaigns/domains/sync-domains.ts'
import { writeDomainSets, type WrittenSets } from '../campaigns/domains/write-domain-sets.ts'
import { BusyError, ConfigError } from '../core/config-error.ts'
import { formatIsoTime } from '../core/clock.ts'
import type { ListChange } from '../model/domain.ts'
import { boundHeap } from '../platform/bound-heap.ts'
import { openDomainStore, type OpenDomainStore } from '../store/domain-store.node.ts'
import { cleanLine } from '../alerts/plain-text.ts'
import type { CliContext } from './cli-context.ts'
import { checkDomainSettings, hasLists, openResolverPool, readDomainLists } from './domain-parts.ts'
import { addDomainOptions, readDomainPlan, toDomainPolicy, toSetOutput, type DomainPlan } from './domains-options.ts'
import { STATUS_FINDINGS, STATUS_INCOMPLETE, STATUS_INTERRUPTED } from './exit-status.ts'

const BAD_LINES_SHOWN = 20
const SAY_EVERY_MS = 2_000
const STATUS_FILE_MODE = 0o644
const FAIL_ON = ['none', 'low', 'medium', 'high', 'critical'] as const

interface SyncFlags {
  readonly allowEmpty?: boolean
  readonly failOn: (typeof FAIL_ON)[number]
  readonly skipIfBusy?: boolean
  readonly statusFile?: string
}

/** Adds `candor domains sync`. */
export function registerDomainsSync(domains: Command, context: CliContext): void {
  const command = domains
    .command('sync')
    .description('check every name that is due, keep its health, and write the address sets')
  addDomainOptions(command, [
    'list', 'wildcardList', 'fanOut', 'fanOutCap', 'resolvers', 'resolverCa', 'queriesPerSecond', 'concurrency',
    'canaries', 'sinkholes', 'nxHardQuarantine', 'wildcardFallback', 'output',
  ]) // prettier-ignore
  command
    .option('--allow-empty', 'let an empty result replace sets that are not empty')
    .addOption(
      new Option('--fail-on <severity>', 'status 4 when the pool was down: none, or up to high')
        .choices(FAIL_ON)
        .default('none'),
    )
    .option('--skip-if-busy', 'exit status 0 where another run holds the data directory')
    .option('--status-file <file>', 'a JSON file that says where the run stands')
  command.action(async () => {
    boundHeap()
    const flags = command.opts<SyncFlags>()
    const plan = await readDomainPlan(command, context)
    checkDomainSettings(plan.settings)
    try {
      await using store = await openDomainStore(plan.dataDirectory, 'candor domains sync')
      await sync(context, plan, flags, store)
    } catch (error) {
      if (!(error instanceof BusyError) || flags.skipIfBusy !== true) throw error
      await context.say(`${error.message}; skipped`)
    }
  })
}

async function sync(context: CliContext, plan: DomainPlan, flags: SyncFlags, store: OpenDomainStore): Promise<void> {
  const { settings } = plan
  const { clock, interrupted: signal } = context
  const startedMs = clock.nowMs()
  const list = await takeLists(context, plan, store)
  const pool = await openResolverPool(context, settings, store)
  const attempts = createAttempts({ ...context, random: context.createRandom(context.newSeed()) }, settings.sinkholes)
  const campaign = new DomainCampaign({ clock, store, pool, ask: attempts.ask, policy: toDomainPolicy(settings) })
  const before = structuredClone(campaign.counters)
  let end: SyncEnd
  try {
    end = await syncDomains(campaign, clock, signal, createWaveReporter(context, campaign.counters, before, flags))
  } finally {
    attempts.close()
  }
  const sources = { store, pool, counters: campaign.counters }
  const written = await writeDomainSets(
    context.files,
    sources,
    toSetOutput(plan, flags.allowEmpty === true),
    clock.wallNowMs(),
  )
  store.commit([], campaign.texts())
  const record = {
    ...toListRecord(list),
    end,
    ...toCountersRecord(campaign.counters, before),
    states: Object.fromEntries(store.countStates()),
    addresses_v4: written.v4,
    addresses_v6: written.v6,
    stale_domains: written.stale,
    is_written: written.isWritten,
    weather: toWeatherRecord(campaign.weather()),
    elapsed_ms: Math.round(clock.nowMs() - startedMs),
  }
  await context.stdout.write(plan.isTable ? formatLines(record) : `${JSON.stringify(record)}\n`)
  await finish(context, flags, list, end, written)
}

interface TakenLists {
  readonly change: ListChange | null
  readonly duplicates: number
  readonly badCount: number
  readonly badLines: readonly BadLine[]
}

/** Without a list, those of the last run stand. */
async function takeLists(context: CliContext, { settings }: DomainPlan, store: OpenDomainStore): Promise<TakenLists> {
  if (!hasLists(settings)) {
    const [any] = store.page({}, 0, 1)
    if (any !== undefined) return { change: null, duplicates: 0, badCount: 0, badLines: [] }
    throw new ConfigError('--list', 'there are no names yet', 'candor domains sync --list domains.txt')
  }
  const lists = await readDomainLists(context, settings)
  if (lists.domains.size === 0)
    throw new ConfigError('--list', 'no line of it names a domain', 'one name a line, such as shop.zone.example')
  const change = store.replaceList(lists.domains.values(), context.clock.wallNowMs())
  // The names themselves are in the store now.
  const { duplicates, badCount, badLines } = lists
  return { change, duplicates, badCount, badLines }
}

/** Says where the run stands: now and then on stderr, after each wave in the status file. */
function createWaveReporter(
  context: CliContext,
  counters: DomainCounters,
  before: DomainCounters,
  { statusFile }: SyncFlags,
): () => Promise<void> {
  const startedMs = context.clock.nowMs()
  let saidMs = startedMs
  return async () => {
    const nowMs = context.clock.nowMs()
    const checks = counters.checks - before.checks
    const seconds = (nowMs - startedMs) / 1000
    const record = {
      at: formatIsoTime(context.clock.wallNowMs()),
      checks,
      attempts: counters.attempts - before.attempts,
      checks_per_second: Math.round(checks / Math.max(seconds, 0.001)),
    }
    if (statusFile !== undefined)
      await context.files.writeAtomic(statusFile, `${JSON.stringify(record)}\n`, STATUS_FILE_MODE)
    if (nowMs - saidMs < SAY_EVERY_MS) return
    saidMs = nowMs
    await context.say(`${checks} domains checked, ${record.checks_per_second} a second`)
  }
}

async function finish(
  context: CliContext,
  { failOn }: SyncFlags,
  { badCount, badLines }: TakenLists,
  end: SyncEnd,
  { isWritten }: WrittenSets,
): Promise<void> {
  for (const { list, line, text, reason } of badLines.slice(0, BAD_LINES_SHOWN))
    await context.stderr.write(`warning: ${list}:${line}: \`${cleanLine(text)}\`: ${reason}\n`)
  if (badCount > BAD_LINES_SHOWN) await context.stderr.write(`warning: ${badCount} lines in all cannot be used\n`)
  if (!isWritten)
    await context.stderr.write(
      'warning: the sets came out empty and were left as they are; --allow-empty replaces them\n',
    )
  if (end === 'pool_down')
    await context.stderr.write('warning: no resolver answers: nothing is scored, and what was known is kept\n')
  if (badCount > 0 || !isWritten || end === 'pool_down') context.finish(STATUS_INCOMPLETE)
  if (end === 'pool_down' && (failOn === 'low' || failOn === 'medium' || failOn === 'high'))
    context.finish(STATUS_FINDINGS)
  if (end === 'interrupted') context.finish(STATUS_INTERRUPTED)
}

function toListRecord({ change, duplicates, badCount }: TakenLists): object {
  return {
    added: change?.added ?? 0,
    kept: change?.kept ?? null,
    left: change?.left ?? 0,
    duplicates,
    bad_lines: badCount,
  }
}

function toWeatherRecord(weather: ReturnType<DomainCampaign['weather']>): object {
  return {
    storm_guard: weather.isStorm,
    nx_guard: weather.isNxGuarded,
    pool_down: weather.isPoolDown,
    pool_degraded: weather.isDegraded,
  }
}

/** What this run added to the counters. */
function toCountersRecord(now: DomainCounters, before: DomainCounters): object {
  const minus = (all: Readonly<Record<string, number>>, old: Readonly<Record<string, number>>): object =>
    Object.fromEntries(Object.entries(all).map(([key, value]) => [key, value - (old[key] ?? 0)]))
  const checks = now.checks - before.checks
  const attempts = now.attempts - before.attempts
  return {
    checks,
    outcomes: minus(now.outcomes, before.outcomes),
    attempts_total: attempts,
    attempts_avg_per_domain: checks === 0 ? 0 : Math.round((attempts / checks) * 1000) / 1000,
    hedges: now.hedges - before.hedges,
    budget_exhausted_domains: now.exhausted - before.exhausted,
    early_stop_nxdomain: now.earlyStops - before.earlyStops,
    cache_neg_hits: now.cacheHits - before.cacheHits,
    nx_conflicts: now.conflicts - before.conflicts,
    timeouts_by_upstream: minus(now.timeouts, before.timeouts),
    attempts_by_upstream: minus(now.attemptsBy, before.attemptsBy),
  }
}

function formatLines(record: object): string {
  return Object.entries(record)
    .map(([key, value]) => `${key.padEnd(26)}${typeof value === 'object' ? JSON.stringify(value) : String(value)}\n`)
    .join('')
}
