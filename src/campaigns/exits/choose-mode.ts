/** Chooses the mode of a run by its pre-flight, and puts together what a scan in that mode needs. */
import { ConfigError } from '../../core/config-error.ts'
import { createKeyedLimit } from '../../measure/keyed-limit.ts'
import type { OwnDelay } from '../../measure/own-delay.ts'
import { createPacer } from '../../measure/pacer.ts'
import type { ExitMode } from '../../model/exit-result.ts'
import type { Endpoint } from '../../net/net.ts'
import { candidateOf, type Candidate } from './candidates.ts'
import { isInternalAddress } from './internal-address.ts'
import { createQueryNames } from './issue-names.ts'
import { preflight, refuseRun } from './preflight.ts'
import { probeRelay } from './probe-relay.ts'
import { withQuietHours } from './quiet-hours.ts'
import { createRunGuard, type AskSecondZone, type RunGuard } from './run-guard.ts'
import type { RunDependencies, RunSetup } from './run-setup.ts'
import type { RunStop } from './run-stop.ts'
import type { IssuedName, ScanContext, ZoneExpectation } from './scan-context.ts'
import { askZone, startZoneControl, type ControlOutcome, type ZoneControl } from './zone-control.ts'
import { modesToTry, secondZone, zoneOf } from './zones.ts'

/** A mode that passed its pre-flight, with what belongs to it. */
export interface ChosenRun {
  readonly context: ScanContext
  readonly guard: RunGuard
  readonly control: ZoneControl | undefined
  readonly notes: readonly string[]
  /** Every name that was issued. */
  readonly issued: IssuedName[]
  readonly counts: { built: number; failed: number }
  /** Set once the journal is open: names go there too. */
  onIssued: (issued: IssuedName) => void
}

/**
 * Tries the modes in their order.
 *
 * @throws {RunError} When none passes its pre-flight.
 */
export async function chooseMode(
  dependencies: RunDependencies,
  setup: RunSetup,
  ownDelay: OwnDelay,
  stop: RunStop,
): Promise<ChosenRun> {
  const { options, prior, progress } = dependencies
  const modes: readonly ExitMode[] = prior === undefined ? modesToTry(options) : [prior.header.mode]
  const notes: string[] = []
  const second = await checkSecondZone(dependencies)
  if (!second.right) notes.push(`the second zone is left out: ${second.description}`)
  for (const [index, mode] of modes.entries()) {
    const zone =
      prior === undefined || mode === 'stable'
        ? zoneOf(mode, options, dependencies.random)
        : { ...zoneOf(mode, options, dependencies.random), domain: prior.header.domain }
    progress.phase('preflight', `Asking ${zone.domain ?? 'the stable names'} directly and through three exits`)
    const run = prepareRun(dependencies, setup, ownDelay, stop, zone, notes, second.right)
    // Each check counts for the run's validity, so the pre-flight asks by itself.
    const direct = run.control === undefined ? undefined : () => askDirectly(dependencies, run.context, zone)
    const outcome = await preflight(run.context, exitsOf(setup, options), direct)
    if (outcome.right || stop.start.aborted) return run
    run.control?.[Symbol.dispose]()
    if (index === modes.length - 1) refuseRun(outcome, zone.domain ?? 'stable names')
    notes.push(`${mode} mode failed its pre-flight (${outcome.description}), the run fell back`)
  }
  throw new ConfigError('--mode', 'no mode can be tried', '--mode wildcard --domain ZONE --expect ADDRESS')
}

/** Asks the second zone's own server, where it is known: a zone that does not work proves nothing about the first. */
async function checkSecondZone({ net, clock, random, options }: RunDependencies): Promise<ControlOutcome> {
  const zone = secondZone(options)
  const server = options.secondDirectResolver
  if (zone === undefined || server === null) return { right: true, description: 'not asked' }
  const names = createQueryNames(clock, options.runId, zone.domain ?? 'invalid')
  return await askZone({ net, clock, random, names, zone, server })
}

/**
 * Every exit of the consensus, whatever part of them is tested: a broken exit says nothing about the zone. Those that
 * opted out are not asked here either.
 */
function exitsOf({ view }: RunSetup, { selection }: RunDependencies['options']): readonly Candidate[] {
  const optedOut = new Set(selection.optedOut)
  return [...view.relays.values()].flatMap((relay) =>
    optedOut.has(relay.fingerprint) ? [] : (candidateOf(relay) ?? []),
  )
}

function prepareRun(
  dependencies: RunDependencies,
  setup: RunSetup,
  ownDelay: OwnDelay,
  stop: RunStop,
  zone: ZoneExpectation,
  notes: readonly string[],
  hasSecondZone: boolean,
): ChosenRun {
  const { clock, random, log, options, net } = dependencies
  const issued: IssuedName[] = []
  const counts = { built: 0, failed: 0 }
  const pacer = createPacer(clock, random, {
    delayMs: options.pace.buildDelayMs,
    noiseMs: options.pace.delayNoiseMs,
    perSecond: options.pace.circuitsPerSecond,
  })
  const context: ScanContext = {
    clock,
    random,
    log,
    options,
    zone,
    tor: () => setup.supervisor.current(),
    pacer: withQuietHours(pacer, clock, options.quietHours),
    hops: setup.hops,
    middles: setup.middles,
    hopRecord: { load: createKeyedLimit(Infinity), failures: new Map(), answered: new Set() },
    ownDelay,
    names: createQueryNames(clock, options.runId, zone.domain ?? 'invalid'),
    resolveTimeoutMs: setup.resolveTimeoutMs,
    isInternal: isInternalAddress,
    onIssued: (name) => {
      issued.push(name)
      dependencies.onIssued(name.name)
      run.onIssued(name)
    },
    onCircuit: ({ built }) => {
      if (built) counts.built++
      else counts.failed++
    },
    startSignal: stop.start,
    signal: stop.all,
  }
  const askSecond = hasSecondZone ? secondZoneAsker(dependencies, context) : undefined
  let control: ZoneControl | undefined
  const guard = createRunGuard(log, () => control, askSecond)
  guard.signal.addEventListener('abort', () => {
    stop.stop('invalid')
  })
  const server = directServer(dependencies, zone)
  if (server !== undefined) {
    const onOutcome = (outcome: ControlOutcome): void => {
      guard.onControl(outcome)
    }
    control = startZoneControl({ net, clock, random, names: context.names, zone, server, onOutcome })
  }
  const run: ChosenRun = { context, guard, control, notes, issued, counts, onIssued: () => {} }
  return run
}

/** A made-up name under `invalid.` has no server of ours behind it, and stable names are not ours either. */
function directServer({ options }: RunDependencies, zone: ZoneExpectation): Endpoint | undefined {
  if (zone.mode === 'stable' || (zone.mode === 'nxdomain' && options.nxdomainDomain === null)) return undefined
  return options.directResolver ?? undefined
}

async function askDirectly(
  { net, clock, random, options }: RunDependencies,
  { names }: ScanContext,
  zone: ZoneExpectation,
): Promise<ControlOutcome> {
  if (options.directResolver === null) return { right: true, description: 'not asked' }
  return await askZone({ net, clock, random, names, zone, server: options.directResolver })
}

/** Asks the second zone through exits that all fail alike: "our zone is down" against "the exit is broken". */
function secondZoneAsker({ options, clock }: RunDependencies, context: ScanContext): AskSecondZone | undefined {
  const zone = secondZone(options)
  if (zone?.domain === undefined || zone.domain === null) return undefined
  const names = createQueryNames(clock, options.runId, zone.domain)
  const other: ScanContext = { ...context, zone, names, onIssued: () => {} }
  return async (fingerprints) => {
    const relays = context.tor().session.network().relays
    const asked = await Promise.all(
      fingerprints.map(async (fingerprint) => {
        const relay = relays.get(fingerprint)
        if (relay === undefined) return undefined
        const probe = await probeRelay(other, relay, { prior: [], onCircuitDone: () => {} })
        const attempts = probe.circuits.flatMap((record) => record.attempts)
        if (attempts.every(({ dns_rcode: rcode }) => rcode === null)) return undefined
        return attempts.some(({ status }) => status === 'success')
      }),
    )
    const answers = asked.filter((answer) => answer !== undefined)
    return { asked: answers.length, succeeded: answers.filter(Boolean).length }
  }
}
