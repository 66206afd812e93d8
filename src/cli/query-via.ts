/**
 * `candor query --via tor:FINGERPRINT`: a Tor of our own, or one that already runs, and a circuit to that exit.
 *
 * Invariant: nothing is asked but through the circuit; with the command our own Tor ends, and another's gets its options
 * back.
 */
import { resolve } from 'node:path'
import { allowedHops, makeFirstHopPool } from '../campaigns/exits/first-hops.ts'
import type { ControlTarget } from '../config/exit-run-extras.ts'
import { ConfigError, RunError } from '../core/config-error.ts'
import { joinPath } from '../core/files.ts'
import { shuffle } from '../core/random.ts'
import { acquireRunLock } from '../store/run-lock.node.ts'
import { openOwnTor } from '../tor/own-tor.ts'
import { openSharedTor } from '../tor/shared-tor.ts'
import { checkAppendedLines } from '../tor/torrc.ts'
import type { Circuit, Fingerprint, Relay, TorSession } from '../tor/tor-session.ts'
import type { CliContext } from './cli-context.ts'
import { readNamedFile } from './load-settings.ts'

/** On the public network a first bootstrap takes a minute or two, with all descriptors. */
const BOOTSTRAP_TIMEOUT_MS = 600_000
const BUILD_TIMEOUT_MS = 20_000
/** Arguments can be seen by everybody on the machine; the same variable as for a run. */
const CONTROL_PASSWORD_VARIABLE = 'CANDOR_EXITS_CONTROL_PASSWORD'
/** A first hop that does not work says nothing about the exit. */
const CIRCUITS_MAX = 3

/** What the flags say. */
export interface ViaOptions {
  /** The exit: 40 hexadecimal digits, upper case. */
  readonly fingerprint: Fingerprint
  /** The relay to begin with; `undefined` for any that is fit. */
  readonly firstHop: Fingerprint | undefined
  /** Control port of a Tor that already runs; `undefined` for a Tor of our own. */
  readonly control: ControlTarget | undefined
  /** Directory of our Tor; `undefined` for a place inside the analysis directory. */
  readonly torDir: string | undefined
  /** Path of a file with lines for the torrc; `undefined` for none. */
  readonly torrcAppend: string | undefined
}

/** An exit that a circuit leads to. */
export interface OpenExit {
  readonly session: TorSession
  readonly exit: Relay
  readonly circuit: Circuit
}

/** Reads `tor:FINGERPRINT`. @throws {ConfigError} When it is none. */
export function parseVia(path: string, text: string): Fingerprint {
  const digits = /^(?:tor:)?\$?([\da-f]{40})$/i.exec(text)?.[1]
  if (digits !== undefined) return digits.toUpperCase()
  throw new ConfigError(
    `${path} ${text.slice(0, 60)}`,
    'it names no Tor exit',
    `${path} ${path === '--via' ? 'tor:' : ''}FINGERPRINT, with 40 hexadecimal digits`,
  )
}

/**
 * Opens Tor, builds a circuit to the exit, and does something with it.
 *
 * @throws {ConfigError} When there is no such relay.
 * @throws {RunError} When Tor does not come up or no circuit can be built.
 */
export async function withExit<T>(
  context: CliContext,
  options: ViaOptions,
  act: (open: OpenExit) => Promise<T>,
): Promise<T> {
  const { clock, files, net, processes, log, environment } = context
  const machine = { clock, files, net, processes, log }
  const stateDir = joinPath(environment['CANDOR_EXITS_ANALYSIS_DIR'] ?? 'results', '.candor')
  const { control } = options
  if (control !== undefined) {
    await using shared = await openSharedTor(machine, {
      control,
      password: environment[CONTROL_PASSWORD_VARIABLE] ?? null,
      stateDirectory: resolve(joinPath(stateDir, 'shared-tor')),
      rejectInternalAddresses: true,
      watchdogCommand: [joinPath(context.home, 'bin/candor'), 'tor-watchdog'],
    })
    return await actThrough(context, options, shared, act)
  }
  // Tor takes a relative socket path for a mistake.
  const directory = resolve(options.torDir ?? joinPath(stateDir, 'query-tor'))
  const appendedLines = await readAppendedLines(context, options.torrcAppend)
  await using lock = await acquireRunLock(directory, 'candor query')
  void lock
  await context.say('Starting Tor')
  await using session = await openOwnTor(machine, {
    directory,
    torPath: null,
    rejectInternalAddresses: true,
    appendedLines,
    bootstrapTimeoutMs: BOOTSTRAP_TIMEOUT_MS,
    onProgress: ({ percent, summary }) => {
      void context.say(`Tor: ${percent} % (${summary})`)
    },
    signal: context.interrupted,
  })
  return await actThrough(context, options, session, act)
}

async function actThrough<T>(
  context: CliContext,
  { fingerprint, firstHop }: ViaOptions,
  session: TorSession,
  act: (open: OpenExit) => Promise<T>,
): Promise<T> {
  const exit = findRelay(session, fingerprint, '--via')
  const circuit = await buildCircuit(context, session, exit, firstHop)
  return await act({ session, exit, circuit })
}

/** The file of `--torrc-append`, or the one that the laboratory names for runs. */
async function readAppendedLines(
  { files, environment }: CliContext,
  given: string | undefined,
): Promise<readonly string[]> {
  const fromEnvironment = environment['CANDOR_EXITS_TORRC_APPEND'] ?? ''
  const path = given ?? (fromEnvironment === '' ? undefined : fromEnvironment)
  if (path === undefined) return []
  return checkAppendedLines((await readNamedFile(files, '--torrc-append', path)).split('\n'), path)
}

function findRelay(session: TorSession, fingerprint: Fingerprint, path: string): Relay {
  const relay = session.network().relays.get(fingerprint)
  if (relay !== undefined) return relay
  throw new ConfigError(
    `${path} ${fingerprint}`,
    `no relay of that fingerprint is in the consensus of ${session.network().validAfter}`,
    'check the fingerprint; a relay that is down leaves the consensus within hours',
  )
}

async function buildCircuit(
  context: CliContext,
  session: TorSession,
  exit: Relay,
  firstHop: Fingerprint | undefined,
): Promise<Circuit> {
  const fixed = firstHop === undefined ? [] : [findRelay(session, firstHop, '--first-hop')]
  const pool = makeFirstHopPool(session.network(), 1, fixed)
  const hops = shuffle(context.createRandom(context.newSeed()), allowedHops(pool, exit, new Set()))
  let last = 'there is no other relay to begin with'
  for (const hop of hops.slice(0, CIRCUITS_MAX)) {
    context.interrupted.throwIfAborted()
    const path = [hop.fingerprint, exit.fingerprint]
    const outcome = await session.buildCircuit(path, BUILD_TIMEOUT_MS, context.interrupted)
    if (outcome.kind === 'built') return outcome.circuit
    const { end, hopsReached } = outcome
    last = `${end.reason}${end.remoteReason === null ? '' : `, ${end.remoteReason}`} after ${hopsReached} of 2 hops`
    await context.say(`no circuit over ${hop.nickname}: ${last}`)
  }
  context.interrupted.throwIfAborted()
  throw new RunError(`no circuit to ${exit.nickname} (${exit.fingerprint}) could be built: ${last}`)
}
