/** Runs the modules of a run one after the other over the same consensus, and writes their reports. */
import { measureOwnDelay } from '../measure/own-delay.ts'
import { createKeyedLimit } from '../measure/keyed-limit.ts'
import { createPacer } from '../measure/pacer.ts'
import { nameArtefacts } from '../campaigns/exits/artefact-names.ts'
import type { ExitModule } from '../campaigns/exits/exit-module.ts'
import { estimateLoad, formatLoad } from '../campaigns/exits/estimate-load.ts'
import type { PriorRun } from '../campaigns/exits/exits-journal.ts'
import { isInternalAddress } from '../campaigns/exits/internal-address.ts'
import { createQueryNames } from '../campaigns/exits/issue-names.ts'
import { createModuleSetup } from '../campaigns/exits/module-context.ts'
import { withQuietHours } from '../campaigns/exits/quiet-hours.ts'
import { runModule, type ModuleRecord } from '../campaigns/exits/run-module.ts'
import type { RunDependencies, RunSetup } from '../campaigns/exits/run-setup.ts'
import { createRunStop } from '../campaigns/exits/run-stop.ts'
import type { ScanContext } from '../campaigns/exits/scan-context.ts'
import type { StopReason } from '../campaigns/exits/scan-relays.ts'
import { formatIsoTime } from '../core/clock.ts'
import { joinPath } from '../core/files.ts'
import type { CliContext } from './cli-context.ts'

/** The report of one module, as it was written. */
export interface ModuleReport {
  readonly module: string
  readonly records: readonly ModuleRecord[]
  /** Candidates without a record: the run stopped before. */
  readonly notReached: number
  /** Why the module ended before its last relay; `null` when it did not. */
  readonly stopped: StopReason | null
  readonly written: readonly string[]
}

/** What modules run on. */
export interface ModuleRun {
  readonly dependencies: RunDependencies
  readonly setup: RunSetup
  readonly prior: PriorRun | undefined
}

/**
 * Sets the modules up, all of them before the first question: what one lacks is said before hours of measuring.
 *
 * @returns Tears them down; dispose it after the last probe.
 * @throws {ConfigError} When one of them lacks something.
 */
export async function setUpModules(
  { net }: CliContext,
  modules: readonly ExitModule[],
  { dependencies, setup }: Omit<ModuleRun, 'prior'>,
): Promise<AsyncDisposableStack> {
  await using done = new AsyncDisposableStack()
  for (const module of modules) {
    await module.setup?.(createModuleSetup(dependencies, net, setup.order.length))
    done.defer(async () => {
      await module.teardown?.()
    })
  }
  return done.move()
}

/** Runs the modules, which are set up. */
export async function runModules(
  context: CliContext,
  modules: readonly ExitModule[],
  run: ModuleRun,
): Promise<readonly ModuleReport[]> {
  const reports: ModuleReport[] = []
  for (const module of modules) reports.push(await runOne(context, module, run))
  return reports
}

async function runOne(context: CliContext, module: ExitModule, run: ModuleRun): Promise<ModuleReport> {
  using ownDelay = measureOwnDelay(context.clock)
  using stop = createRunStop(run.dependencies)
  const { dependencies, setup, prior } = run
  const { options, progress, journal } = dependencies
  const counts = { built: 0, failed: 0 }
  const startedAt = formatIsoTime(context.clock.wallNowMs())
  const earlier = prior?.modules.get(module.name) ?? new Map<string, readonly ModuleRecord[]>()
  const left = setup.order.length - earlier.size
  const load = formatLoad(estimateLoad(left, setup.hops.relays.length, 1, options.pace), left, setup.hops.relays.length)
  progress.phase('scanning', `Module ${module.name}: ${load}`)
  await dependencies.say(`module ${module.name}: ${load}`)
  const scanContext = moduleContext(run, ownDelay, stop.start, stop.all, (built) => {
    if (built) counts.built++
    else counts.failed++
  })
  const records = await runModule({
    module,
    context: scanContext,
    supervisor: setup.supervisor,
    candidates: setup.order.filter(({ relay }) => !options.selection.optedOut.includes(relay.fingerprint)),
    ports: {
      files: context.files,
      processes: context.processes,
      net: context.net,
      evidenceDir: joinPath(options.analysisDir, 'evidence'),
    },
    prior: earlier,
    onRecords: (entry) => journal.append(entry),
    onDone: (done) => {
      progress.phase('scanning', `Module ${module.name}: ${done} of ${setup.order.length} relays`)
    },
  })
  const probed = new Set(records.map((record) => record['exit_fingerprint']))
  const notReached = setup.order.length - probed.size
  const stopped = stop.reason() ?? null
  const metadata = {
    module: module.name,
    run_id: options.runId,
    shard: `${options.selection.shard.index}/${options.selection.shard.count}`,
    timestamp: formatIsoTime(context.clock.wallNowMs()),
    started_at: startedAt,
    consensus_valid_after: setup.view.validAfter,
    candidates_sha256: setup.list.sha256,
    candidates: setup.order.length,
    probed: probed.size,
    not_tested: notReached,
    statuses: countStatuses(records),
    seed: options.seed,
    profile: options.pace.profile,
    tor_version: setup.supervisor.current().session.version,
    circuits_built: counts.built,
    circuits_failed: counts.failed,
    stopped,
  }
  const name = nameArtefacts(module.name, options.runId, options.selection.shard).data
  const path = joinPath(options.analysisDir, name)
  await context.files.writeAtomic(path, `${JSON.stringify({ metadata, results: records }, null, 2)}\n`, 0o644)
  return { module: module.name, records, notReached, stopped, written: [path] }
}

function countStatuses(records: readonly ModuleRecord[]): Readonly<Record<string, number>> {
  const groups = Map.groupBy(records, ({ status }) => (typeof status === 'string' ? status : 'none'))
  return Object.fromEntries([...groups].map(([status, all]) => [status, all.length]))
}

function moduleContext(
  { dependencies, setup }: ModuleRun,
  ownDelay: ScanContext['ownDelay'],
  startSignal: AbortSignal,
  signal: AbortSignal,
  onBuilt: (built: boolean) => void,
): ScanContext {
  const { clock, random, log, options } = dependencies
  const { buildDelayMs: delayMs, delayNoiseMs: noiseMs, circuitsPerSecond: perSecond } = options.pace
  return {
    clock,
    random,
    log,
    options,
    zone: { mode: 'stable', domain: null, ipv4: [], ipv6: [] },
    tor: () => setup.supervisor.current(),
    pacer: withQuietHours(createPacer(clock, random, { delayMs, noiseMs, perSecond }), clock, options.quietHours),
    hops: setup.hops,
    middles: setup.middles,
    hopRecord: { load: createKeyedLimit(Infinity), failures: new Map(), answered: new Set() },
    ownDelay,
    names: createQueryNames(clock, options.runId, 'invalid'),
    resolveTimeoutMs: setup.resolveTimeoutMs,
    isInternal: isInternalAddress,
    onIssued: () => {},
    onCircuit: ({ built }) => {
      onBuilt(built)
    },
    startSignal,
    signal,
  }
}
