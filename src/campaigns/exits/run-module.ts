/**
 * Runs a module over the candidates: circuits, pacing, deadlines and the journal are ours, what is asked is the
 * module's.
 *
 * Invariant: every candidate has at least one record; a probe that throws, hangs or yields rubbish costs only itself.
 */
import { BugError } from '../../core/assert.ts'
import { sleep, withTimeout } from '../../core/clock.ts'
import { ConfigError } from '../../core/config-error.ts'
import type { Json } from '../../core/log.ts'
import { runPool } from '../../measure/run-pool.ts'
import type { JournalEntry } from '../../model/journal.ts'
import type { Circuit } from '../../tor/tor-session.ts'
import type { Candidate } from './candidates.ts'
import type { ExitModule, ModuleFields } from './exit-module.ts'
import { createModuleContext, type ModulePorts } from './module-context.ts'
import { BUILD_TIMEOUT_MS, type ScanContext } from './scan-context.ts'
import { releaseHops, takeHops } from './take-hops.ts'
import type { TorSupervisor } from './tor-supervisor.ts'

/** Circuits tried until one is built. */
const BUILDS_MAX = 3
/** One exit's probe, all its questions together, in milliseconds. */
const PROBE_TIMEOUT_MS = 120_000
/** Records of one probe that are kept. */
const RECORDS_MAX = 1_000

/** A record as it stands in the report. */
export type ModuleRecord = Readonly<Record<string, Json>>

/** What to run on. */
export interface ModuleTask {
  readonly module: ExitModule
  readonly context: ScanContext
  readonly supervisor: TorSupervisor
  readonly candidates: readonly Candidate[]
  readonly ports: ModulePorts
  /** Records of an earlier process, by fingerprint. */
  readonly prior: ReadonlyMap<string, readonly ModuleRecord[]>
  /** Keeps the records of one exit; waited for. */
  readonly onRecords: (entry: JournalEntry) => Promise<void>
  readonly onDone: (done: number) => void
}

/**
 * Runs the probes of a module that is set up.
 *
 * @returns The records, in order of fingerprint; relays that were not reached any more have none.
 */
export async function runModule(task: ModuleTask): Promise<readonly ModuleRecord[]> {
  const { module, context, prior } = task
  const records = new Map(prior)
  const left = task.candidates.filter(({ relay }) => !prior.has(relay.fingerprint))
  const pool = runPool(left, {
    inFlight: context.options.inFlight,
    signal: context.startSignal,
    work: async (candidate) => ({ candidate, found: await probeExit(task, candidate) }),
  })
  for await (const { candidate, found } of pool) {
    if (found === undefined) continue
    const { fingerprint } = candidate.relay
    await task.onRecords({ kind: 'module', module: module.name, fingerprint, records: found })
    records.set(fingerprint, found)
    task.onDone(records.size)
  }
  return [...records.keys()].toSorted().flatMap((fingerprint) => records.get(fingerprint) ?? [])
}

/** @returns The records of one exit; `undefined` when the run stopped before its circuit was built. */
async function probeExit(task: ModuleTask, candidate: Candidate): Promise<readonly ModuleRecord[] | undefined> {
  const { context } = task
  const used = new Set<string>()
  let failure: ModuleFields = { status: 'circuit_fail', error_code: 'HOP1_FAIL', error: 'no first hop is allowed' }
  for (let build = 0; build < BUILDS_MAX; build++) {
    const hops = await takeHops(context, candidate.relay, used)
    if (hops === 'stopped') return undefined
    try {
      if (hops.length === 0) break
      if (!(await context.pacer.next(context.startSignal))) return undefined
      const handle = context.tor()
      const path = [...hops.map(({ fingerprint }) => fingerprint), candidate.relay.fingerprint]
      const outcome = await handle.session.buildCircuit(path, BUILD_TIMEOUT_MS, context.signal)
      context.onCircuit({ built: outcome.kind === 'built' })
      if (outcome.kind === 'built') return await probeThrough(task, candidate, outcome.circuit)
      if (handle.session.gone.aborted && !(await task.supervisor.recover(handle))) return undefined
      const reachedExit = outcome.hopsReached >= path.length - 1
      const errorCode = reachedExit ? 'EXIT_FAIL' : 'HOP1_FAIL'
      failure = { status: 'circuit_fail', error_code: errorCode, error: `no circuit (${outcome.end.reason})` }
    } finally {
      releaseHops(context, hops)
    }
    await sleep(context.clock, context.options.pace.retryDelayMs, context.startSignal)
  }
  return [describe(task, candidate, [...used][0] ?? null, failure)]
}

async function probeThrough(task: ModuleTask, candidate: Candidate, circuit: Circuit): Promise<ModuleRecord[]> {
  const { context, module } = task
  const { relay } = candidate
  const firstHop = circuit.path[0] ?? ''
  const session = createModuleContext(context, task.ports, module.name, relay, circuit)
  const records: ModuleRecord[] = []
  const consume = async (): Promise<'done'> => {
    const exit = { fingerprint: relay.fingerprint, nickname: relay.nickname, address: relay.address, firstHop }
    for await (const fields of module.probe(exit, session.context)) {
      if (session.signal.aborted) break
      records.push(describe(task, candidate, firstHop, fields))
      if (records.length >= RECORDS_MAX) break
    }
    return 'done'
  }
  try {
    const outcome = await withTimeout(context.clock, consume(), PROBE_TIMEOUT_MS)
    if (outcome === undefined) records.push(describe(task, candidate, firstHop, TIMED_OUT))
  } catch (error) {
    if (error instanceof BugError || error instanceof ConfigError) throw error
    const message = error instanceof Error ? error.message : String(error)
    records.push(describe(task, candidate, firstHop, { status: 'exception', error_code: 'EXCEPTION', error: message }))
  } finally {
    await session.close()
    void context.tor().session.closeCircuit(circuit)
  }
  const attachments = session.attachments()
  const last = records.pop() ?? describe(task, candidate, firstHop, { status: 'success' })
  return [...records, attachments.length > 0 ? { ...last, attachments } : last]
}

const TIMED_OUT: ModuleFields = {
  status: 'exception',
  error_code: 'EXCEPTION',
  error: `the probe was not done after ${PROBE_TIMEOUT_MS / 1000} s`,
}

/** The fields of every record, then the module's own (which cannot replace those that say what was probed). */
function describe(
  { module, context }: ModuleTask,
  { relay }: Candidate,
  firstHop: string | null,
  fields: ModuleFields,
): ModuleRecord {
  const { index, count } = context.options.selection.shard
  const fixed = {
    exit_fingerprint: relay.fingerprint,
    exit_nickname: relay.nickname,
    exit_address: relay.address,
    first_hop_fingerprint: firstHop,
    timestamp: context.clock.wallNowMs() / 1000,
    run_id: context.options.runId,
    shard: `${index}/${count}`,
    module: module.name,
  }
  // A module is foreign code: what it yields is only kept as JSON.
  return { ...fixed, ...(JSON.parse(JSON.stringify(fields)) as ModuleFields), ...fixed }
}
