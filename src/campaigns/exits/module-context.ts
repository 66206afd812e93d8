/**
 * What a module's probe is handed: the circuit-bound dialer, evidence, and programs behind a SOCKS port of their own.
 *
 * Invariant: everything that a probe opened is closed with it; nothing of it leaves through another circuit.
 */
import { sleep } from '../../core/clock.ts'
import { ConfigError } from '../../core/config-error.ts'
import { joinPath, type Files } from '../../core/files.ts'
import type { Json } from '../../core/log.ts'
import { ProcessError, type ProcessRunner } from '../../core/process-runner.ts'
import { parseName } from '../../dns/name.ts'
import { askDirectly } from '../../measure/ask-directly.ts'
import type { Connection, Endpoint, Net } from '../../net/net.ts'
import type { Circuit, Relay } from '../../tor/tor-session.ts'
import type { ExitDialer, ModuleContext, ModuleSetup, ProgramOutcome, ResolveAnswer } from './exit-module.ts'
import type { ScanContext } from './scan-context.ts'

const ATTACHMENT_OCTETS_MAX = 1_048_576
const ATTACHMENTS_MAX = 16
const PROGRAM_LINES_MAX = 1_000
const PROGRAM_TIMEOUT_MS = 60_000
/** A program that ignores SIGTERM for so long is killed. */
const PROGRAM_GRACE_MS = 2_000
const CONNECT_TIMEOUT_MS = 20_000
const TRUSTED_TIMEOUT_MS = 5_000

/** Capabilities beside the scan's own. */
export interface ModulePorts {
  readonly files: Files
  readonly processes: ProcessRunner
  readonly net: Net
  /** Directory for evidence, created when the first file is kept. */
  readonly evidenceDir: string
}

/** A probe's context with what is needed to end it. */
export interface ModuleSession {
  readonly context: ModuleContext
  readonly signal: AbortSignal
  /** What was attached: name, path, size and SHA-256. */
  attachments(): readonly Json[]
  /** Closes everything that the probe opened. */
  close(): Promise<void>
}

/** The context of one probe through one circuit. */
export function createModuleContext(
  context: ScanContext,
  ports: ModulePorts,
  module: string,
  relay: Relay,
  circuit: Circuit,
): ModuleSession {
  const ended = new AbortController()
  const signal = AbortSignal.any([ended.signal, context.signal, circuit.closed])
  const attachments: Json[] = []
  const opened: { close(): unknown }[] = []
  let socks: Promise<Endpoint> | undefined
  const openSocks = async (): Promise<Endpoint> => {
    const port = await context.tor().session.openSocksPort(circuit)
    opened.push(port)
    return port.endpoint
  }
  const dialer: ExitDialer = {
    resolve: (name, type = 'A', timeoutMs = context.options.pace.queryTimeoutMs) =>
      context.tor().vantage.ask(circuit, name, type, timeoutMs),
    connect: async (host, port, timeoutMs = CONNECT_TIMEOUT_MS): Promise<Connection> => {
      const connection = await context.tor().session.connectThrough(circuit, host, port, timeoutMs)
      opened.push(connection)
      return connection
    },
    socksPort: () => (socks ??= openSocks()),
  }
  const directory = joinPath(ports.evidenceDir, context.options.runId, module, relay.fingerprint)
  return {
    signal,
    context: {
      dialer,
      log: context.log.child({ module, fingerprint: relay.fingerprint }),
      runId: context.options.runId,
      target: context.options.target,
      signal,
      attach: async (name, octets) => {
        attachments.push(await keep(ports.files, directory, name, octets, attachments.length))
      },
      runProgram: async (command, args, timeoutMs = PROGRAM_TIMEOUT_MS) =>
        await runProgram(context, ports.processes, await dialer.socksPort(), command, args, timeoutMs, signal),
    },
    attachments: () => attachments,
    close: async () => {
      ended.abort()
      for (const thing of opened) await thing.close()
    },
  }
}

type SetupCapabilities = Pick<ScanContext, 'options' | 'log' | 'clock' | 'random'>

/** The context of a module's `setup`. */
export function createModuleSetup(context: SetupCapabilities, net: Net, candidates: number): ModuleSetup {
  const { options, log } = context
  return {
    log,
    candidates,
    target: options.target,
    stableDomains: options.stableDomains,
    decoys: options.decoys,
    askTrusted: (name, type = 'A') => askTrusted(context, net, name, type),
  }
}

async function askTrusted(
  context: SetupCapabilities,
  net: Net,
  text: string,
  type: 'A' | 'AAAA',
): Promise<ResolveAnswer> {
  const server = context.options.directResolver
  const name = parseName(text)
  if (server === null || name === undefined) {
    throw new ConfigError(
      '--direct-resolver',
      server === null ? 'no trusted resolver is known' : `${text} is no domain name`,
      '--direct-resolver ADDRESS[#PORT], a resolver that you trust',
    )
  }
  const number = type === 'A' ? 1 : 28
  const question = { server, name, type: number, timeoutMs: TRUSTED_TIMEOUT_MS }
  const { message, elapsedMs, failure } = await askDirectly(
    { net, clock: context.clock, random: context.random },
    question,
  )
  const records = (message?.answers ?? []).flatMap(({ rdata, ttl }) =>
    rdata.kind === (type === 'A' ? 'a' : 'aaaa') ? [{ address: rdata.address, ttl }] : [],
  )
  return {
    rcode: message?.header.rcode ?? null,
    addresses: records.map(({ address }) => address),
    ttlSeconds: records.length > 0 ? Math.min(...records.map(({ ttl }) => ttl)) : null,
    elapsedMs,
    failure,
  }
}

async function keep(files: Files, directory: string, name: string, octets: Uint8Array, count: number): Promise<Json> {
  if (count >= ATTACHMENTS_MAX) throw new RangeError(`a probe keeps at most ${ATTACHMENTS_MAX} attachments`)
  if (octets.length > ATTACHMENT_OCTETS_MAX) {
    throw new RangeError(`attachment ${name} has ${octets.length} octets, more than ${ATTACHMENT_OCTETS_MAX}`)
  }
  // The name is the module's, and may be made from what a server said: nothing of it may lead out of the directory.
  const safe = `${String(count).padStart(2, '0')}-${name.replaceAll(/[^\w.-]/g, '_').slice(0, 80)}`
  await files.makeDirectory(directory, 0o700)
  const path = joinPath(directory, safe)
  await files.writeAtomic(path, octets, 0o600)
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', octets.slice()))
  const sha256 = [...digest].map((octet) => octet.toString(16).padStart(2, '0')).join('')
  return { name, path, size_octets: octets.length, sha256 }
}

async function runProgram(
  context: ScanContext,
  processes: ProcessRunner,
  socks: Endpoint,
  command: string,
  args: readonly string[],
  timeoutMs: number,
  signal: AbortSignal,
): Promise<ProgramOutcome> {
  const lines: string[] = []
  try {
    const proxy = `socks5h://${socks.address}:${socks.port}`
    const child = await processes.start(command, args, {
      environment: {
        ALL_PROXY: proxy,
        all_proxy: proxy,
        TORSOCKS_TOR_ADDRESS: socks.address,
        TORSOCKS_TOR_PORT: String(socks.port),
      },
      onLine: (line) => {
        if (lines.length < PROGRAM_LINES_MAX) lines.push(line)
      },
    })
    const over = new AbortController()
    const limit = AbortSignal.any([signal, over.signal])
    void sleep(context.clock, timeoutMs, limit).then(async () => {
      if (over.signal.aborted) return
      child.kill('SIGTERM')
      await sleep(context.clock, PROGRAM_GRACE_MS, over.signal)
      if (!over.signal.aborted) child.kill('SIGKILL')
    })
    const { code } = await child.exited
    over.abort()
    return { code: code ?? null, lines }
  } catch (error) {
    if (!(error instanceof ProcessError)) throw error
    throw new ConfigError(
      command,
      `the module runs ${command}, which cannot be started (${error.code})`,
      `install ${command}, or give its path`,
      { cause: error },
    )
  }
}
