/**
 * `candor exits run` beside a daemon: the daemon makes the run, with its own configuration; the command shows how it goes
 * and prints what it found.
 *
 * Invariant: an interruption ends the run as it would end one of the command's own.
 */
import { Option, type Command } from 'commander'
import { parseExitReport } from '../campaigns/exits/exit-report-reader.ts'
import { nameArtefacts } from '../campaigns/exits/artefact-names.ts'
import { sleep } from '../core/clock.ts'
import { BusyError, ConfigError, RunError } from '../core/config-error.ts'
import type { RunEnding } from '../model/daemon-control.ts'
import type { ExitReport, ExitStatus } from '../model/exit-result.ts'
import type { ExitRunView, RunPhase } from '../model/run-view.ts'
import type { CliContext } from './cli-context.ts'
import { readAnswer, type DaemonClient } from './daemon-client.ts'
import { EXIT_RUN_GROUPS, finishExitRun } from './exit-run-options.ts'
import type { loadSettings } from './load-settings.ts'
import type { ExitScanOutcome } from './exits-scan.ts'
import { startProgress } from './progress.ts'

/** How often it is looked how the run goes. */
const LOOK_MS = 500
/** A daemon that is restarted takes a few seconds; its run goes on. */
const SILENCE_MS = 60_000

/** Flags that say which relays, or what the command itself does with the outcome. */
const OWN_FLAGS = new Set([
  'exit',
  'exit-file',
  'country',
  'data-dir',
  'fail-on',
  'format',
  'status-file',
  'skip-if-busy',
])

/** What `/api/v1/runs/current` says, as far as it is shown. */
interface CurrentRun {
  readonly run_id: string | null
  readonly phase: RunPhase
  readonly message: string
  readonly started_at: string | null
  readonly candidates: number
  readonly finished: number
  readonly in_flight: number
  readonly relays_per_second: number
  readonly seconds_left: number | null
  readonly counts: Readonly<Record<string, number>>
}

/** What `/api/v1/campaigns/exits` says, as far as it is needed. */
interface Campaign {
  readonly running_id: string | null
  readonly last: { readonly run_id: string; readonly outcome: RunEnding; readonly message: string | null } | null
}

const EMPTY_VIEW: ExitRunView = {
  phase: 'starting_tor',
  message: 'The daemon begins the run',
  runId: null,
  startedAt: null,
  candidates: 0,
  done: 0,
  inFlight: 0,
  relaysPerSecond: 0,
  secondsLeft: null,
  results: [],
  metadata: null,
  truth: new Map(),
}

/**
 * Has the daemon make a run.
 *
 * @throws {ConfigError} When the command has flags that are the daemon's to decide.
 * @throws {BusyError} When a run goes on already.
 * @throws {RunError} When the run fails, or the daemon is gone.
 */
export async function runBesideDaemon(
  context: CliContext,
  client: DaemonClient,
  command: Command,
  names: readonly string[],
  loaded: Awaited<ReturnType<typeof loadSettings>>,
): Promise<ExitScanOutcome> {
  refuseFlags(command, names)
  // The mode is the daemon's: with another module than dnshealth it is not looked at.
  const { options, extras } = await finishExitRun(loaded, ['daemon'], context)
  const { fingerprints, countries } = options.selection
  const started = await client.post('/api/v1/runs', { campaign: 'exits', fingerprints, countries })
  if (started.status === 409) throw new BusyError(detailOf(started.text), 'wait until it has finished')
  const { run_id: runId } = readAnswer(started) as { readonly run_id: string }
  await context.say(`the daemon of ${options.dataDir ?? ''} makes run ${runId}`)
  let view = EMPTY_VIEW
  let counts: ReadonlyMap<ExitStatus, number> = new Map()
  const shown = startProgress({ view: () => view }, context, extras.statusFile, { count: () => counts })
  let ending: Ending
  try {
    ending = await follow(context, client, runId, (current) => {
      view = viewOf(current)
      counts = new Map(Object.entries(current.counts).filter(([, count]) => count > 0) as [ExitStatus, number][])
    })
  } finally {
    await shown.stop()
  }
  if (ending.outcome === 'failed') throw new RunError(ending.message ?? 'the run failed', 'the log of the run has more')
  const report = await readReport(client, runId)
  return { report, moduleReports: [], written: [], interrupted: ending.outcome === 'interrupted' }
}

/** Everything else is in the configuration of the daemon. */
function refuseFlags(command: Command, names: readonly string[]): void {
  if (names.some((name) => name !== 'dnshealth')) {
    throw new ConfigError(
      'MODULE',
      'a daemon holds this data directory, and it runs dnshealth',
      'leave out the modules',
    )
  }
  for (const { name } of EXIT_RUN_GROUPS.flatMap(({ settings }) => settings)) {
    const isGiven = command.getOptionValueSource(new Option(`--${name}`).attributeName()) === 'cli'
    if (!isGiven || OWN_FLAGS.has(name)) continue
    throw new ConfigError(
      `--${name}`,
      'a daemon holds this data directory, and it runs with its own configuration',
      `leave it out, or set it in the configuration of the daemon and send SIGHUP`,
    )
  }
}

interface Ending {
  readonly outcome: RunEnding
  readonly message: string | null
}

async function follow(
  context: CliContext,
  client: DaemonClient,
  runId: string,
  show: (current: CurrentRun) => void,
): Promise<Ending> {
  const { clock, interrupted } = context
  let hasStopped = false
  let heardAtMs = clock.nowMs()
  for (;;) {
    try {
      if (interrupted.aborted && !hasStopped) {
        await client.post(`/api/v1/runs/${runId}/stop`)
        hasStopped = true
      }
      const current = readAnswer(await client.get('/api/v1/runs/current')) as CurrentRun
      if (current.run_id === null || current.run_id === runId) show(current)
      const { running_id: running, last } = readAnswer(await client.get('/api/v1/campaigns/exits')) as Campaign
      if (last?.run_id === runId && running !== runId) return last
      heardAtMs = clock.nowMs()
    } catch (error) {
      if (!(error instanceof RunError)) throw error
      if (clock.nowMs() - heardAtMs > SILENCE_MS) {
        throw new RunError('the daemon is gone', `when it starts again it goes on with run ${runId}`, { cause: error })
      }
      if (interrupted.aborted) await context.say(error.message)
    }
    // After an interruption nothing wakes this early, so that it does not spin.
    await sleep(clock, LOOK_MS, interrupted.aborted ? undefined : interrupted)
  }
}

function viewOf(current: CurrentRun): ExitRunView {
  return {
    ...EMPTY_VIEW,
    phase: current.phase,
    message: current.message,
    runId: current.run_id,
    startedAt: current.started_at,
    candidates: current.candidates,
    done: current.finished,
    inFlight: current.in_flight,
    relaysPerSecond: current.relays_per_second,
    secondsLeft: current.seconds_left,
  }
}

/** A run that ended before the first exit was asked has none. */
async function readReport(client: DaemonClient, runId: string): Promise<ExitReport | undefined> {
  const { data } = nameArtefacts('dnshealth', runId, { index: 0, count: 1 })
  const { status, text } = await client.get(`/${data}`)
  return status === 200 ? parseExitReport(text, data).report : undefined
}

function detailOf(text: string): string {
  const { detail } = JSON.parse(text) as { readonly detail?: unknown }
  return typeof detail === 'string' ? detail : 'a run goes on already'
}
