/**
 * A session with a Tor that already runs and that others use (`--control`).
 *
 * It is a guest's session: no ownership, no option changed that is not recorded and given back, streams of others passed
 * on to Tor at once, circuits that Tor uses for nobody else, and only those closed.
 *
 * ```
 * connect ─► authenticate ─► version ─► restore what a killed run left ─► record ─► watchdog ─► SETCONF ─► session
 * end ─► restore ─► forget the record ─► (the watchdog sees that and ends)
 * ```
 *
 * Invariant: from the first changed option on, two processes know how to undo it.
 */
import { sleep, withTimeout, type Clock } from '../core/clock.ts'
import { BusyError, RunError } from '../core/config-error.ts'
import type { AppendFile } from '../core/files.ts'
import type { RunningProcess } from '../core/process-runner.ts'
import { NetError } from '../net/net.ts'
import { openDocumentReader } from './document-reader.ts'
import { createCircuitTable, type CircuitTable } from './circuits.ts'
import { connectControl, formatControlAddress, requireLocalControl, type ControlAddress } from './control-address.ts'
import { authenticate, readProtocolInfo } from './control-auth.ts'
import { ControlError, type ControlClient } from './control-client.ts'
import { parseControlFields, unquoteControlValue } from './control-parser.ts'
import { waitForDescriptors, watchNetwork } from './network-view.ts'
import { createTorSession, readListener } from './session.ts'
import {
  circuitListPath,
  isRecordHeld,
  readOption,
  recordOptions,
  restoreRecordedOptions,
  sharedTorRecordPath,
} from './shared-options.ts'
import { createStreamTable } from './streams.ts'
import type { TorCapabilities } from './tor-process.ts'
import type { TorSession } from './tor-session.ts'
import { requireTorVersion } from './tor-version.ts'

/** A guest waits only a moment for descriptors: whether they come is up to its host's options. */
const DESCRIPTORS_TIMEOUT_MS = 10_000
const WATCHDOG_END_TIMEOUT_MS = 3_000
/** How often the watchdog looks: so long may users of the Tor wait after a kill −9. */
const WATCHDOG_POLL_MS = 200

/** How somebody else's Tor is used. */
export interface SharedTorOptions {
  readonly control: ControlAddress
  /** For a control port with a password; `null` when there is none. */
  readonly password: string | null
  /** Absolute path; the record of changed options stands here (0600). */
  readonly stateDirectory: string
  /** `false` lets answers in private address space through, for all users of this Tor while the session lasts. */
  readonly rejectInternalAddresses: boolean
  /** Program and arguments that start the watchdog; record path and our process id are appended. */
  readonly watchdogCommand: readonly string[]
}

/** The environment variable with the control password, for a run and for its watchdog. */
export const WATCHDOG_PASSWORD_VARIABLE = 'CANDOR_TOR_CONTROL_PASSWORD'

/**
 * Opens a session.
 *
 * @throws {ConfigError} When the control port is on another machine.
 * @throws {RunError} When nobody answers at the control port, it does not let us in, its Tor is too old or has not
 *   bootstrapped, or another run or controller decides about its streams.
 */
export async function openSharedTor(machine: TorCapabilities, options: SharedTorOptions): Promise<TorSession> {
  requireLocalControl(options.control)
  const recordPath = sharedTorRecordPath(options.stateDirectory, options.control)
  await machine.files.makeDirectory(options.stateDirectory, 0o700)
  if (await isRecordHeld(machine, recordPath)) {
    throw new BusyError('another run uses this Tor', 'wait for it, or use another Tor')
  }
  if (await restoreRecordedOptions(machine, recordPath, options.password)) machine.log.info('tor.shared.restored')
  const client = await connect(machine, options)
  let reader: ControlClient | undefined
  let undo: (() => Promise<void>) | undefined
  try {
    const info = await readProtocolInfo(client)
    await authenticate(client, machine.files, info, options.password)
    requireTorVersion(info.version, 'leave --control out to start the Tor that is installed, or update that one')
    await requireBootstrapped(client)
    await requireNoOtherController(client)
    const guest = await beGuest(machine, client, options, recordPath)
    undo = guest.undo
    const streams = createStreamTable(client, machine.clock, machine.log, 'shared')
    await client.expectOk('SETEVENTS CIRC STREAM')
    reader = await openDocumentReader(machine, options.control, options.password)
    const network = await watchNetwork(reader, machine.clock, machine.log)
    await waitForDescriptors(network, machine.clock, DESCRIPTORS_TIMEOUT_MS)
    await guest.change()
    await streams.adoptExisting()
    await client.expectOk('SETEVENTS CIRC STREAM CONF_CHANGED')
    const parts = {
      ...machine,
      client,
      version: info.version,
      owned: false,
      circuits: guest.circuits,
      streams,
      network,
    }
    const documents = reader
    const end = async (): Promise<void> => {
      documents.close()
      await guest.undo()
    }
    return await createTorSession({ ...parts, end })
  } catch (error) {
    reader?.close()
    if (undo === undefined) client.close()
    else await undo()
    if (error instanceof ControlError) throw new RunError(error.message, '', { cause: error })
    throw error
  }
}

async function connect({ net, clock }: TorCapabilities, { control }: SharedTorOptions): Promise<ControlClient> {
  try {
    return await connectControl(net, clock, control)
  } catch (error) {
    if (!(error instanceof NetError)) throw error
    throw new RunError(
      `nobody answers at the control port ${formatControlAddress(control)} (${error.failure})`,
      'set `ControlPort 9051` (or `ControlSocket`) and `CookieAuthentication 1` in its torrc, or leave --control out',
      { cause: error },
    )
  }
}

async function requireBootstrapped(client: ControlClient): Promise<void> {
  const reply = await client.expectOk('GETINFO status/bootstrap-phase')
  const text = unquoteControlValue((reply.lines[0]?.text ?? '').replace('status/bootstrap-phase=', ''))
  const percent = parseControlFields(text).named.get('PROGRESS') ?? '0'
  if (percent !== '100') {
    throw new RunError(`the Tor at the control port has only bootstrapped to ${percent} %`, 'wait until it is ready')
  }
}

async function requireNoOtherController(client: ControlClient): Promise<void> {
  if ((await readOption(client, '__LeaveStreamsUnattached'))?.[0] !== '1') return
  throw new RunError(
    'another controller already decides about the streams of this Tor (__LeaveStreamsUnattached is 1)',
    'end that controller, or use another Tor',
  )
}

interface Guest {
  readonly circuits: CircuitTable
  /** Sets our options; recorded and watched already. */
  readonly change: () => Promise<void>
  /** Gives everything back and closes the control connection. */
  readonly undo: () => Promise<void>
}

/** Records everything that will be changed and starts the watchdog. */
async function beGuest(
  machine: TorCapabilities,
  client: ControlClient,
  options: SharedTorOptions,
  recordPath: string,
): Promise<Guest> {
  const { files, clock, log } = machine
  const changes = new Map([['__LeaveStreamsUnattached', '1']])
  if ((await readListener(client, 'dns')) === undefined) changes.set('DNSPort', '127.0.0.1:auto')
  if (!options.rejectInternalAddresses) changes.set('ClientDNSRejectInternalAddresses', '0')
  await recordOptions(machine, client, recordPath, options.control, [...changes.keys()])
  const list = await files.openAppend(circuitListPath(recordPath), 0o600, 0)
  const watchdog = await startWatchdog(machine, options, recordPath)
  const circuits = createCircuitTable(client, clock, 'controller', (id) => {
    appendCircuit(list, id, (error) => {
      log.warn('tor.shared.circuit_not_recorded', { error: error.message })
    })
  })
  let undone: Promise<void> | undefined
  client.onEvent('CONF_CHANGED', () => {
    if (undone === undefined) void checkStillOurs(client)
  })
  const undo = async (): Promise<void> => {
    try {
      await list.close()
      // Our connection stays open until streams are Tor's own business again.
      await restoreRecordedOptions(machine, recordPath, options.password)
    } finally {
      client.close()
      await endWatchdog(clock, watchdog)
    }
  }
  return {
    circuits,
    change: async () => {
      await client.expectOk(`SETCONF ${Array.from(changes, ([name, value]) => `${name}=${value}`).join(' ')}`)
    },
    undo: () => (undone ??= undo()),
  }
}

function appendCircuit(list: AppendFile, id: string, onError: (error: Error) => void): void {
  list.append(new TextEncoder().encode(`${id}\n`)).catch(onError)
}

/** Somebody reloaded the configuration: streams may go where Tor likes, so that nothing measured now proves anything. */
async function checkStillOurs(client: ControlClient): Promise<void> {
  const values = await readOption(client, '__LeaveStreamsUnattached').catch(ignoreControlError)
  if (values?.[0] !== '1') client.close('the configuration of the shared Tor was changed while we used it')
}

async function startWatchdog(
  { processes }: TorCapabilities,
  { watchdogCommand, password }: SharedTorOptions,
  recordPath: string,
): Promise<RunningProcess | undefined> {
  const [program, ...args] = watchdogCommand
  if (program === undefined) return undefined
  return processes.start(program, [...args, recordPath, String(processes.pid)], {
    environment: password === null ? {} : { [WATCHDOG_PASSWORD_VARIABLE]: password },
  })
}

/** It ends by itself when the record is gone. */
async function endWatchdog(clock: Clock, watchdog: RunningProcess | undefined): Promise<void> {
  if (watchdog === undefined) return
  if ((await withTimeout(clock, watchdog.exited, WATCHDOG_END_TIMEOUT_MS)) === undefined) watchdog.kill('SIGKILL')
}

/**
 * What the watchdog does: waits until the run is gone or has cleaned up, and in the first case cleans up for it.
 *
 * @returns Whether options were restored.
 */
export async function watchSharedTor(
  machine: TorCapabilities,
  recordPath: string,
  ownerPid: number,
  password: string | null,
): Promise<boolean> {
  const { files, processes, clock } = machine
  while ((await files.info(recordPath)) !== undefined) {
    if ((await processes.commandLine(ownerPid)) === undefined) {
      return restoreRecordedOptions(machine, recordPath, password)
    }
    await sleep(clock, WATCHDOG_POLL_MS)
  }
  return false
}

function ignoreControlError(error: unknown): undefined {
  if (!(error instanceof ControlError)) throw error
  return undefined
}
