/** `candor lab history`: an archive full of runs that never took place, to see the product as it looks after a year. */
import { Option, type Command } from 'commander'
import { buildExitReport } from '../campaigns/exits/exit-report.ts'
import { RETENTION_SETTINGS } from '../config/retention-settings.ts'
import { ConfigError } from '../core/config-error.ts'
import { joinPath } from '../core/files.ts'
import { checkLimit, type Limit } from '../core/limit.ts'
import { generateHistory, type GeneratedRun } from '../lab/history-generator.ts'
import type { KeptEvidence } from '../model/exit-archive.ts'
import type { ExitReport } from '../model/exit-result.ts'
import type { RunEntry } from '../store/archive-appender.node.ts'
import { openExitArchive, type ExitArchiveStore } from '../store/exit-archive.node.ts'
import { acquireRunLock } from '../store/run-lock.node.ts'
import { ARCHIVE_FILE } from './archive-file.ts'
import type { CliContext } from './cli-context.ts'

const RUNS: Limit = { default: 1460, min: 1, max: 20_000, unit: 'runs', why: 'a year of four runs a day' }
const RELAYS: Limit = { default: 3100, min: 1, max: 20_000, unit: 'relays', why: 'as many exits as there are' }
const INTERVAL_MS = 6 * 3_600_000
/** Runs of the exits campaign begin at a quarter past. */
const MINUTES_PAST_MS = 15 * 60_000
/** Runs in one transaction: pages of the archive are written once for all of them. */
const RUNS_PER_TRANSACTION = 20
const STATE_MODE = 0o700
const TRUTH_MODE = 0o644

interface HistoryOptions {
  readonly runs: string
  readonly relays: string
  readonly dataDir: string
  readonly seed: string
  readonly truth?: string
}

/** Adds the command to `candor lab`. */
export function registerLabHistory(lab: Command, context: CliContext): void {
  const history = lab
    .command('history')
    .description('fill a data directory with a year of runs that never took place, with known failures')
    .requiredOption('--data-dir <directory>', 'where the archive is made; it must not hold runs yet')
    .addOption(new Option('--runs <number>', 'how many runs, six hours apart').default(String(RUNS.default)))
    .addOption(new Option('--relays <number>', 'how many relays at any time').default(String(RELAYS.default)))
    .addOption(new Option('--seed <text>', 'the same seed gives the same relays and failures').default('history'))
    .option('--truth <file>', 'JSON Lines: which relay really failed, why, from which run to which')
    .addHelpText('after', '\nExample:\n  candor lab history --runs 120 --relays 800 --data-dir /tmp/full')
  history.action(async () => {
    await makeHistory(context, history.opts<HistoryOptions>())
  })
}

async function makeHistory(context: CliContext, options: HistoryOptions): Promise<void> {
  const runs = checkLimit(RUNS, wholeNumber(options.runs), '--runs')
  const relays = checkLimit(RELAYS, wholeNumber(options.relays), '--relays')
  await context.files.makeDirectory(options.dataDir, STATE_MODE)
  await using lock = await acquireRunLock(options.dataDir, 'candor lab history')
  void lock
  const archive = await openExitArchive(joinPath(options.dataDir, ARCHIVE_FILE))
  try {
    if ((await archive.runs(null, 1)).length > 0) {
      throw new ConfigError(
        `--data-dir ${options.dataDir}`,
        'there are runs in its archive already, and made-up ones do not go with real ones',
        '--data-dir DIRECTORY, with a new directory',
      )
    }
    await fillArchive(context, archive, { ...options, runs, relays })
  } finally {
    await archive.close()
  }
}

interface FillOptions {
  readonly runs: number
  readonly relays: number
  readonly dataDir: string
  readonly seed: string
  readonly truth?: string
}

async function fillArchive(context: CliContext, archive: ExitArchiveStore, options: FillOptions): Promise<void> {
  const { runs, relays, seed } = options
  const nowMs = context.clock.wallNowMs()
  const endsAtMs = Math.floor(nowMs / INTERVAL_MS) * INTERVAL_MS - INTERVAL_MS + MINUTES_PAST_MS
  const history = generateHistory({
    seed,
    runs,
    relays,
    endsAtMs,
    intervalMs: INTERVAL_MS,
    evidenceOf: (run) => evidenceAt((runs - 1 - run) * INTERVAL_MS),
  })
  let batch: RunEntry[] = []
  let [kept, rows] = [0, 0]
  for (const run of history.runs) {
    batch.push({ report: reportOf(run, options), evidence: evidenceAt((runs - 1 - run.index) * INTERVAL_MS) })
    kept++
    rows += run.results.length
    if (batch.length < RUNS_PER_TRANSACTION) continue
    // One batch at a time in memory.
    await archive.keep(batch)
    batch = []
    if (context.interrupted.aborted) break
  }
  await archive.keep(batch)
  const truth = history.truth()
  if (options.truth !== undefined) {
    const lines = truth.map((interval) => `${JSON.stringify(toSnakeCase(interval))}\n`)
    await context.files.writeAtomic(options.truth, lines.join(''), TRUTH_MODE)
  }
  await context.say(
    `${options.dataDir}: ${kept} runs with ${rows} rows, ${truth.length} failures; made up from the seed '${seed}'`,
  )
}

function toSnakeCase(interval: object): Readonly<Record<string, unknown>> {
  return Object.fromEntries(
    Object.entries(interval).map(([key, value]) => [
      key.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`),
      value,
    ]),
  )
}

/** As much as retention would have left of a run of this age. */
function evidenceAt(ageMs: number): KeptEvidence {
  const ageDays = ageMs / 86_400_000
  if (ageDays < RETENTION_SETTINGS.exitsEvidence.default) return 'all'
  return ageDays < RETENTION_SETTINGS.exitsFailureEvidence.default ? 'failures' : 'none'
}

function reportOf(run: GeneratedRun, { seed }: FillOptions): ExitReport {
  return buildExitReport(run.results, {
    run_id: run.runId,
    shard: '0/1',
    timestamp: run.finishedAt,
    consensus_valid_after: run.startedAt,
    candidates_sha256: '',
    seed,
    profile: 'default',
    mode: 'wildcard',
    mode_requested: 'auto',
    domain: 'exit-check.candor.test',
    expect: run.results.slice(0, 1).flatMap((result) => result.expected_ip ?? []),
    module: 'dnshealth',
    tor_version: 'none',
    started_at: run.startedAt,
    finished_at: run.finishedAt,
    duration_ms: run.durationMs,
    exit_resolve_timeout_ms: 2000,
    invalid: run.invalid,
    interrupted: run.interrupted,
    first_hops_relaxed: [],
    first_hops: 12,
    circuits_built: run.results.length,
    circuits_failed: 0,
    queries: run.results.reduce((sum, result) => sum + result.attempts.length, 0),
    authority_limited: null,
    absent: [],
    notes: ['made up by `candor lab history`: no measurement took place'],
  })
}

function wholeNumber(text: string): number {
  return /^\d{1,9}$/.test(text) ? Number(text) : Number.NaN
}
