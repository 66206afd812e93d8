/**
 * A session with a Tor of our own: started here, ended here, used by nobody else.
 *
 * Invariant: whatever happens, the Tor process does not outlive us: it watches our process id, it has given us its
 * ownership, and the next run looks for what was left behind.
 */
import { sleep } from '../core/clock.ts'
import { RunError } from '../core/config-error.ts'
import { NetError } from '../net/net.ts'
import { connectControl } from './control-address.ts'
import { openDocumentReader } from './document-reader.ts'
import { createCircuitTable } from './circuits.ts'
import { authenticate, readProtocolInfo } from './control-auth.ts'
import { ControlError, type ControlClient } from './control-client.ts'
import { parseControlFields, unquoteControlValue } from './control-parser.ts'
import { watchNetwork, waitForDescriptors } from './network-view.ts'
import { createStreamTable } from './streams.ts'
import { createTorSession } from './session.ts'
import { formatTail, startTorProcess, type TorCapabilities, type TorProcess } from './tor-process.ts'
import type { TorSession } from './tor-session.ts'
import { requireTorVersion } from './tor-version.ts'

/** How far Tor has come. */
export interface BootstrapProgress {
  /** 0 to 100. */
  readonly percent: number
  /** What Tor says it is doing. */
  readonly summary: string
}

/** How our own Tor is opened. */
export interface OwnTorOptions {
  /** Absolute path of a directory for this Tor alone; created with mode 0700. It keeps the consensus between runs. */
  readonly directory: string
  /** The program; `null` looks for `tor` in the PATH. */
  readonly torPath: string | null
  /** `false` lets answers in private address space through (`--expect` with a private address). */
  readonly rejectInternalAddresses: boolean
  /** From {@link checkAppendedLines}. */
  readonly appendedLines: readonly string[]
  /** How long the bootstrap may take, in milliseconds. */
  readonly bootstrapTimeoutMs: number
  readonly onProgress?: (progress: BootstrapProgress) => void
  readonly signal?: AbortSignal
}

const BOOTSTRAP_POLL_MS = 200
/** Enough to see an assertion that failed; the stack trace behind it is for Tor's own people. */
const LOG_LINES_SHOWN = 20
/** How long missing descriptors are waited for once Tor calls itself ready. */
const DESCRIPTORS_TIMEOUT_MS = 180_000

/**
 * Starts Tor, waits for its bootstrap and opens a session.
 *
 * @throws {ConfigError} When there is no `tor`, or it refuses its configuration.
 * @throws {RunError} When it does not come up or does not reach the network in time.
 */
export async function openOwnTor(machine: TorCapabilities, options: OwnTorOptions): Promise<TorSession> {
  const { clock, log } = machine
  const tor = await startTorProcess(machine, options)
  let client: ControlClient | undefined
  let reader: ControlClient | undefined
  let ending = false
  try {
    client = await connectControl(machine.net, clock, tor.control)
    const info = await readProtocolInfo(client)
    await authenticate(client, machine.files, info, null)
    await client.expectOk('TAKEOWNERSHIP')
    requireTorVersion(info.version, 'update the package tor')
    // Pairs of circuits that nobody asked for. Tors before 0.4.8 do not know the option, nor the circuits.
    await client.command('SETCONF ConfluxEnabled=0')
    client.gone.addEventListener('abort', () => {
      if (!ending) log.error('tor.process.gone', { last_lines: tor.logLines().slice(-LOG_LINES_SHOWN) })
    })
    await waitForBootstrap(machine, client, tor, options)
    const circuits = createCircuitTable(client, clock, 'general')
    const streams = createStreamTable(client, clock, log, 'own')
    await client.expectOk('SETEVENTS CIRC STREAM')
    reader = await openDocumentReader(machine, tor.control, null)
    const network = await watchNetwork(reader, clock, log)
    await waitForDescriptors(network, clock, DESCRIPTORS_TIMEOUT_MS)
    await client.expectOk('SETCONF __DisablePredictedCircuits=1 __LeaveStreamsUnattached=1')
    await streams.adoptExisting()
    const open = [client, reader]
    return await createTorSession({
      net: machine.net,
      clock,
      client,
      version: info.version,
      owned: true,
      circuits,
      streams,
      network,
      end: async () => {
        ending = true
        for (const connection of open) connection.close()
        await tor.end()
      },
    })
  } catch (error) {
    ending = true
    client?.close()
    reader?.close()
    await tor.end()
    if (!(error instanceof ControlError) && !(error instanceof NetError)) throw error
    throw new RunError(`Tor ended while it was starting: ${error.message}`, formatTail(tor.logLines()), {
      cause: error,
    })
  }
}

async function waitForBootstrap(
  { clock }: TorCapabilities,
  client: ControlClient,
  tor: TorProcess,
  { bootstrapTimeoutMs, onProgress, signal }: OwnTorOptions,
): Promise<void> {
  const deadlineMs = clock.nowMs() + bootstrapTimeoutMs
  let last: BootstrapProgress = { percent: -1, summary: '' }
  for (;;) {
    const reply = await client.expectOk('GETINFO status/bootstrap-phase')
    const { named } = parseControlFields(
      unquoteControlValue((reply.lines[0]?.text ?? '').replace('status/bootstrap-phase=', '')),
    )
    const progress = { percent: Number(named.get('PROGRESS') ?? 0), summary: named.get('SUMMARY') ?? '' }
    if (progress.percent !== last.percent || progress.summary !== last.summary) onProgress?.(progress)
    last = progress
    if (progress.percent >= 100) return
    if (signal?.aborted === true) throw new RunError('interrupted while Tor was starting')
    if (clock.nowMs() >= deadlineMs) {
      throw new RunError(
        `Tor reached ${progress.percent} % (${progress.summary}) within ${Math.round(bootstrapTimeoutMs / 1_000)} s and no more`,
        formatTail(tor.logLines()),
      )
    }
    await sleep(clock, BOOTSTRAP_POLL_MS, signal)
  }
}
