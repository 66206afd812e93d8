/**
 * A run of the exits campaign: candidates, pre-flight, scan. Everything outside is handed in; the report is made from
 * the outcome by `finish-run.ts`.
 *
 * Invariant: a run always ends: every relay's machine ends, and the whole has a deadline.
 */
import { formatIsoTime, parseTime } from '../../core/clock.ts'
import { measureOwnDelay } from '../../measure/own-delay.ts'
import type { ExitRunOptions } from '../../model/exit-options.ts'
import type { ExitResult } from '../../model/exit-result.ts'
import type { JournalEntry } from '../../model/journal.ts'
import type { Candidate } from './candidates.ts'
import { chooseMode, type ChosenRun } from './choose-mode.ts'
import { estimateLoad, formatLoad } from './estimate-load.ts'
import { appendSoon, circuitEntry, headerEntry, issuedEntry, resultEntry } from './exits-journal.ts'
import { makeUnasked, makeUntested } from './make-result.ts'
import type { RunDependencies, RunOutcome, RunSetup } from './run-setup.ts'
import { createRunStop, type RunStop } from './run-stop.ts'
import type { ScanContext, ZoneExpectation } from './scan-context.ts'
import { LEFT_SENTENCE, scanRelays } from './scan-relays.ts'
import { LEFT_REASON } from './set-up-run.ts'

/**
 * Runs `dnshealth` over the candidates.
 *
 * @throws {RunError} When the zone fails its pre-flight.
 * @throws {ConfigError} When the mode lacks something, or a resumed run differs.
 * @throws {FileError} When the journal cannot be written: what is not written down is not done.
 */
export async function runExits(dependencies: RunDependencies, setup: RunSetup): Promise<RunOutcome> {
  using ownDelay = measureOwnDelay(dependencies.clock)
  using stop = createRunStop(dependencies)
  const run = await chooseMode(dependencies, setup, ownDelay, stop)
  try {
    return await scan(dependencies, setup, run, stop)
  } finally {
    run.control?.[Symbol.dispose]()
  }
}

async function scan(
  dependencies: RunDependencies,
  setup: RunSetup,
  run: ChosenRun,
  stop: RunStop,
): Promise<RunOutcome> {
  const { clock, options, prior, progress, journal, log } = dependencies
  const { context, guard } = run
  const startedAt = prior?.header.startedAt ?? formatIsoTime(clock.wallNowMs())
  const startedAtMs = clock.nowMs()
  const onJournalFailure = (error: unknown): void => {
    // The next entry that is waited for fails as well, and ends the run.
    log.error('exits.journal.failed', { message: error instanceof Error ? error.message : String(error) })
  }
  run.onIssued = (issued) => {
    appendSoon(journal, issuedEntry(issued), onJournalFailure)
  }
  await journal.append(
    prior === undefined
      ? runHeaderEntry(options, setup, context.zone, startedAt)
      : { kind: 'resumed', at: formatIsoTime(clock.wallNowMs()) },
  )
  const done = [...(prior?.results.values() ?? [])].filter(({ status }) => status !== 'not_tested')
  const left = await withoutDone(dependencies, setup, context, done)
  progress.begin(options.runId, setup.order.length, done)
  const load = estimateLoad(left.length, setup.hops.relays.length, options.crossValidate, options.pace)
  progress.phase('scanning', formatLoad(load, left.length, setup.hops.relays.length))
  await dependencies.say(formatLoad(load, left.length, setup.hops.relays.length))
  const results: ExitResult[] = [...done]
  for await (const result of scanRelays({
    context,
    supervisor: setup.supervisor,
    guard,
    candidates: left,
    prior: prior?.circuits ?? new Map(),
    factsOf: dependencies.factsOf,
    onStarted: () => {
      progress.started()
    },
    onCircuitDone: (fingerprint, record) => {
      appendSoon(journal, circuitEntry(fingerprint, record), onJournalFailure)
    },
    stopReason: () => stop.reason(),
    onTorLost: () => {
      stop.stop('tor_lost')
    },
  })) {
    if (result.status !== 'not_tested') await journal.append(resultEntry(result))
    results.push(result)
    progress.finished(result)
  }
  await guard.settle()
  if (run.control !== undefined && stop.reason() === undefined) await guard.confirmZone()
  return {
    results,
    issued: [...(prior?.issued ?? []), ...run.issued],
    zone: context.zone,
    startedAt,
    // A resumed run began in another process, whose monotonic clock is gone.
    durationMs:
      prior === undefined ? clock.nowMs() - startedAtMs : Math.max(0, clock.wallNowMs() - parseTime(startedAt)),
    invalid: guard.invalid(),
    stopReason: stop.reason() ?? null,
    circuitsBuilt: run.counts.built,
    circuitsFailed: run.counts.failed,
    notes: run.notes,
  }
}

/** The entry that opens the journal of a run: everything that a resumed process must agree with. */
export function runHeaderEntry(
  options: ExitRunOptions,
  setup: RunSetup,
  { mode, domain }: Pick<ZoneExpectation, 'mode' | 'domain'>,
  startedAt: string,
): JournalEntry {
  return headerEntry({
    runId: options.runId,
    shard: `${options.selection.shard.index}/${options.selection.shard.count}`,
    seed: options.seed,
    mode,
    domain,
    expect: options.expect,
    startedAt,
    consensusValidAfter: setup.view.validAfter,
    candidatesSha256: setup.list.sha256,
    candidates: setup.order.map(({ relay, reason }) => ({ fingerprint: relay.fingerprint, reason })),
  })
}

/**
 * What is still to be tested. Relays of a resumed run that left the consensus, or opted out since, get their result
 * here.
 */
async function withoutDone(
  dependencies: RunDependencies,
  setup: RunSetup,
  context: ScanContext,
  done: ExitResult[],
): Promise<readonly Candidate[]> {
  const finished = new Set(done.map(({ exit_fingerprint: fingerprint }) => fingerprint))
  const { options, factsOf, clock } = dependencies
  const optedOut = new Set(options.selection.optedOut)
  for (const candidate of setup.order) {
    const { fingerprint } = candidate.relay
    const [left, out] = [candidate.reason === LEFT_REASON, optedOut.has(fingerprint)]
    if (finished.has(fingerprint) || (!left && !out)) continue
    const about = { options, zone: context.zone, factsOf, wallNowMs: clock.wallNowMs() }
    const result = out
      ? makeUntested(about, candidate, 'RUN_STOPPED', 'the relay has opted out since the run began')
      : makeUnasked(about, candidate, 'circuit_fail', 'LEFT_CONSENSUS', LEFT_SENTENCE)
    if (!out) await dependencies.journal.append(resultEntry(result))
    done.push(result)
    finished.add(fingerprint)
  }
  return setup.order.filter(({ relay }) => !finished.has(relay.fingerprint))
}
