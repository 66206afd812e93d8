/**
 * A private Tor network on loopback: real relays of Debian's `tor`, known beforehand, gone when the laboratory is.
 *
 * Every relay has an address in a /16 of its own, so that rules about neighbourhood find what they look for; ports are
 * those that the system gives, so that any number of networks live beside each other. Each exit asks the name servers of
 * its own resolv.conf.
 *
 * Invariant: nothing outlives the laboratory, not even after kill −9: every relay watches the process that owns it, and
 * a frozen one is thawed by a watcher when that process is gone.
 *
 * Sources: tor(1), dir-spec; what was learnt building one: docs/manual/laboratory.md.
 */
import { sleep } from '../core/clock.ts'
import { RunError } from '../core/config-error.ts'
import { joinPath } from '../core/files.ts'
import type { ProcessRunner } from '../core/process-runner.ts'
import type { Fingerprint } from '../tor/tor-session.ts'
import { type DelayingForwarder, startDelayingForwarder } from './delaying-forwarder.ts'
import { pollDirectory } from './directory-poll.ts'
import { mapBounded } from './map-bounded.ts'
import type { TorNetworkMachine, TorNetworkOptions } from './tor-network-options.ts'
import { clientTorrcLines, formatApprovedRouters, formatRelayTorrc, type RelayPlan } from './tor-relay-config.ts'
import { planRelays } from './tor-relay-plan.ts'
import { startTorRelay, type TorRelayProcess } from './tor-relay-process.ts'

/** Relays started at once: each takes a third of a second of a core to make its keys. */
const STARTS_AT_ONCE = 4
const POLL_INTERVAL_MS = 250

/** A running relay. */
export interface LaboratoryRelay {
  readonly nickname: string
  readonly fingerprint: Fingerprint
  readonly role: RelayPlan['role']
  readonly address: string
  readonly pid: number
  /** Stops the process (SIGSTOP): it keeps its connections and answers nothing. */
  freeze(): Promise<void>
  /** Lets a frozen process go on. */
  thaw(): Promise<void>
  /** Ends the process at once (SIGKILL). */
  kill(): Promise<void>
}

/** A running network. */
export interface TorNetwork extends AsyncDisposable {
  /** In order: authorities, middles, exits. */
  readonly relays: readonly LaboratoryRelay[]
  /** Nickname → fingerprint. */
  readonly fingerprints: ReadonlyMap<string, Fingerprint>
  /** Lines that make a Tor client join this network, for `--torrc-append`. */
  readonly torrcAppend: readonly string[]
  /** How long the building took, in milliseconds. */
  readonly readyAfterMs: number
  /** @returns The relay. @throws {RunError} When there is none of that nickname. */
  relay(nickname: string): LaboratoryRelay
  /**
   * Makes the authorities drop a relay from the next consensus, and waits for that consensus.
   *
   * @throws {RunError} When it is still listed after three voting periods.
   */
  expel(nickname: string): Promise<void>
  /** Ends every relay. */
  stop(): Promise<void>
}

/**
 * Builds the network and waits until it is complete.
 *
 * @throws {RunError} When `tor` is absent, a relay ends, or the consensus does not come in time. Nothing is left running.
 */
export async function startTorNetwork(machine: TorNetworkMachine, options: TorNetworkOptions): Promise<TorNetwork> {
  const startedAtMs = machine.clock.nowMs()
  const tor = await findTor(machine.processes)
  await machine.files.makeDirectory(options.directory, 0o700)
  const plans = await planRelays(machine, options)
  const slowness = measureSlowness(plans.length, machine.clock.nowMs() - startedAtMs)
  const forwarders: DelayingForwarder[] = []
  const running: TorRelayProcess[] = []
  const stop = async (): Promise<void> => {
    await Promise.all(running.map((relay) => relay.kill()))
    await Promise.all(forwarders.splice(0).map((forwarder) => forwarder.close()))
  }
  try {
    for (const plan of plans) {
      const middle = options.middles.find((it) => it.nickname === plan.nickname)
      if (plan.hiddenOrPort === undefined || middle === undefined) continue
      forwarders.push(
        await startDelayingForwarder(machine, {
          listen: plan.orPort,
          target: plan.hiddenOrPort,
          delayMs: middle.delayMs,
        }),
      )
    }
    await startRelays(machine, options, { plans, tor, running, slowness })
    await waitForConsensus(machine, options, { plans, running, startedAtMs })
  } catch (error) {
    await stop()
    throw error
  }
  const readyAfterMs = machine.clock.nowMs() - startedAtMs
  machine.log.info('lab.network.ready', { relays: plans.length, elapsed_ms: Math.round(readyAfterMs) })
  return describeNetwork(machine, options, { plans, running, readyAfterMs, stop })
}

async function findTor(processes: ProcessRunner): Promise<string> {
  const [tor, gencert] = await Promise.all([processes.which('tor'), processes.which('tor-gencert')])
  if (tor === undefined || gencert === undefined) {
    throw new RunError('the laboratory needs tor and tor-gencert', 'Install them with: apt-get install tor')
  }
  return tor
}

/** How busy the machine is, by the time that the keys took: 1 (two free cores) to 4. */
function measureSlowness(relayCount: number, elapsedMs: number): number {
  return Math.min(4, Math.max(1, elapsedMs / (1_200 + relayCount * 30)))
}

async function startRelays(
  machine: TorNetworkMachine,
  options: TorNetworkOptions,
  {
    plans,
    tor,
    running,
    slowness,
  }: { plans: readonly RelayPlan[]; tor: string; running: TorRelayProcess[]; slowness: number },
): Promise<void> {
  // Starting takes about 0.25 s of a core each, then descriptors travel; a vote that comes too early costs a period.
  const firstVoteAtMs = machine.clock.wallNowMs() + (4_000 + plans.length * 200) * slowness
  const badExits = plans.filter((plan) =>
    options.exits.some((it) => it.badExit === true && it.nickname === plan.nickname),
  )
  const network = { relays: plans, ownerPid: machine.processes.pid, firstVoteAtMs }
  const bandwidths = `${Math.floor(machine.clock.wallNowMs() / 1000)}\n${plans
    .map((plan) => `node_id=$${plan.fingerprint} bw=${plan.role === 'authority' ? 20 : 5_000}\n`)
    .join('')}`
  let done = 0
  const start = async (plan: RelayPlan): Promise<void> => {
    if (plan.role === 'authority') {
      const approved = formatApprovedRouters(
        badExits.map((it) => it.fingerprint),
        [],
      )
      await machine.files.writeAtomic(joinPath(plan.dataDirectory, 'approved-routers'), approved, 0o600)
      await machine.files.writeAtomic(joinPath(plan.dataDirectory, 'bandwidths'), bandwidths, 0o600)
    }
    const torrc = formatRelayTorrc(plan, network)
    running.push(await startTorRelay(machine, { tor, plan, torrc }))
    options.onProgress?.({ step: 'relays', done: ++done, total: plans.length })
  }
  // Relays publish once when they start: the authorities must be there before.
  await mapBounded(
    plans.filter((it) => it.role === 'authority'),
    STARTS_AT_ONCE,
    start,
  )
  await mapBounded(
    plans.filter((it) => it.role !== 'authority'),
    STARTS_AT_ONCE,
    start,
  )
}

async function waitForConsensus(
  machine: TorNetworkMachine,
  options: TorNetworkOptions,
  state: { plans: readonly RelayPlan[]; running: readonly TorRelayProcess[]; startedAtMs: number },
): Promise<void> {
  const deadlineMs = machine.clock.nowMs() + (options.timeoutMs ?? 60_000 + state.plans.length * 1_000)
  for (;;) {
    const ended = state.running.find((relay) => relay.ended !== undefined)
    if (ended !== undefined) {
      throw new RunError(
        `relay ${ended.plan.nickname} ended: ${ended.lastLine}`,
        `See ${ended.plan.dataDirectory}/tor.log`,
      )
    }
    const listed = await countListed(machine, state.plans)
    options.onProgress?.({ step: 'consensus', done: listed, total: state.plans.length })
    if (listed === state.plans.length) return
    if (machine.clock.nowMs() > deadlineMs) {
      throw new RunError(
        `the laboratory's consensus lists ${listed} of ${state.plans.length} relays`,
        `See the logs in ${options.directory}; a machine with fewer free cores needs a smaller laboratory`,
      )
    }
    await sleep(machine.clock, POLL_INTERVAL_MS)
  }
}

/** @returns How many relays every authority lists as running and has the descriptor of. */
async function countListed(machine: TorNetworkMachine, plans: readonly RelayPlan[]): Promise<number> {
  const views = await Promise.all(
    plans.flatMap((plan) => (plan.dirPort === undefined ? [] : [pollDirectory(machine, plan.dirPort)])),
  )
  return plans.filter((plan) =>
    views.every((view) => {
      const relay = view.get(plan.fingerprint)
      return relay?.described === true && relay.flags.has('Running')
    }),
  ).length
}

function describeNetwork(
  machine: TorNetworkMachine,
  options: TorNetworkOptions,
  state: {
    plans: readonly RelayPlan[]
    running: readonly TorRelayProcess[]
    readyAfterMs: number
    stop: () => Promise<void>
  },
): TorNetwork {
  const byNickname = new Map(state.running.map((relay) => [relay.plan.nickname, relay]))
  const expelled = new Set<Fingerprint>()
  const find = (nickname: string): TorRelayProcess => {
    const relay = byNickname.get(nickname)
    if (relay === undefined) throw new RunError(`the laboratory has no relay ${nickname}`)
    return relay
  }
  const relays = state.plans.map((plan) => describeRelay(find(plan.nickname)))
  return {
    relays,
    fingerprints: new Map(state.plans.map((plan) => [plan.nickname, plan.fingerprint])),
    torrcAppend: clientTorrcLines(state.plans.filter((it) => it.role === 'authority')),
    readyAfterMs: state.readyAfterMs,
    relay: (nickname) => describeRelay(find(nickname)),
    expel: async (nickname) => {
      expelled.add(find(nickname).plan.fingerprint)
      await expelRelays(machine, options, state, [...expelled])
    },
    stop: state.stop,
    [Symbol.asyncDispose]: state.stop,
  }
}

async function expelRelays(
  machine: TorNetworkMachine,
  options: TorNetworkOptions,
  state: { plans: readonly RelayPlan[]; running: readonly TorRelayProcess[] },
  expelled: readonly Fingerprint[],
): Promise<void> {
  const fingerprintOf = (nickname: string): Fingerprint[] =>
    state.plans.filter((plan) => plan.nickname === nickname).map((plan) => plan.fingerprint)
  const badExits = options.exits.filter((it) => it.badExit === true).flatMap((it) => fingerprintOf(it.nickname))
  const authorities = state.running.filter((it) => it.plan.role === 'authority')
  for (const authority of authorities) {
    const path = joinPath(authority.plan.dataDirectory, 'approved-routers')
    await machine.files.writeAtomic(path, formatApprovedRouters(badExits, expelled), 0o600)
    machine.processes.kill(authority.pid, 'SIGHUP')
  }
  const deadlineMs = machine.clock.nowMs() + 60_000
  while (machine.clock.nowMs() < deadlineMs) {
    const views = await Promise.all(
      authorities.flatMap(({ plan }) => (plan.dirPort === undefined ? [] : [pollDirectory(machine, plan.dirPort)])),
    )
    // An empty view is an authority that did not answer.
    if (views.every((view) => view.size > 0 && expelled.every((it) => !view.has(it)))) return
    await sleep(machine.clock, POLL_INTERVAL_MS * 2)
  }
  throw new RunError('the expelled relay is still in the consensus after three voting periods')
}

function describeRelay(relay: TorRelayProcess): LaboratoryRelay {
  return {
    nickname: relay.plan.nickname,
    fingerprint: relay.plan.fingerprint,
    role: relay.plan.role,
    address: relay.plan.address,
    pid: relay.pid,
    freeze: () => relay.freeze(),
    thaw: () => relay.thaw(),
    kill: () => relay.kill(),
  }
}
