/**
 * SmartDNS as a supervised child: its configuration, its life, and what its audit file says that clients were answered.
 *
 * SmartDNS has no reload and no test of its configuration, and a SIGHUP kills it. So a new configuration is validated and
 * written under a name of its own, which stands in the command line, and the child is ended and started with it; how long
 * nobody was answered is measured.
 *
 * **Invariant**: what SmartDNS would misunderstand is refused before a file or a process is touched. An observation is
 * handed on before the position behind it is kept: at least once, never not at all.
 */
import { formatIsoTime, sleep, type Clock } from '../core/clock.ts'
import { RunError } from '../core/config-error.ts'
import { joinPath, readText, type Files } from '../core/files.ts'
import type { Log } from '../core/log.ts'
import type { ProcessRunner } from '../core/process-runner.ts'
import { randomInt, type Random } from '../core/random.ts'
import type { RuntimeObservation } from '../model/runtime-observation.ts'
import type { Sidecar, SidecarStatus } from '../model/sidecar.ts'
import type { Net } from '../net/net.ts'
import { createAuditFollower, type AuditPosition } from './audit-follower.ts'
import { askWhetherReady } from './ask-whether-ready.ts'
import { formatSmartDnsConfig } from './smartdns-config.ts'
import type { SmartDnsPaths, SmartDnsPlan } from './smartdns-plan.ts'
import { createSupervisor, type SupervisedProgram, type Supervisor } from './supervisor.ts'

const NAME = 'smartdns'
const PID_FILE = 'smartdns.pid'
const AUDIT_FILE = 'audit.log'
const LOG_FILE = 'smartdns.log'
const LOG_TAIL_OCTETS = 65_536
const LOG_LINES_MAX = 500
/** Who asks is nobody's business but theirs. */
const CLIENT = / from [\da-f.:]+/gi
const POSITION_FILE = 'audit-position.json'
const CONFIGURATION = /^(?:smartdns|wildcards)-[0-9a-f]{16}\.(?:conf|list)$/
const POLL_MS = 200
/** After the file could not be read, or what it says could not be kept. */
const FAILED_POLL_MS = 5_000
const READY_MS = 3_000
const POSITION_OCTETS_MAX = 256
const QUERY_IDS = 0x1_0000

/** What a controller of SmartDNS needs. */
export interface SmartDnsOptions {
  readonly clock: Clock
  readonly files: Files
  readonly processes: ProcessRunner
  readonly net: Net
  readonly random: Random
  readonly log: Log
  /** A directory of its own, absolute. */
  readonly directory: string
  /** The program: a path, or a name that is looked for. */
  readonly program: string
  /** Keeps what was observed. The position moves on when it resolves; when it rejects, the same comes again. */
  readonly onObservations: (observations: readonly RuntimeObservation[]) => Promise<void>
}

/** SmartDNS under control. */
export interface SmartDns extends Sidecar, AsyncDisposable {
  /**
   * Sets what it is to do. A child that runs is started again when that changes its configuration.
   *
   * @returns Whether anything changed.
   * @throws {ConfigError} For what SmartDNS would misunderstand; the old configuration stays in force.
   */
  configure(plan: SmartDnsPlan): Promise<boolean>
}

interface Generated {
  readonly plan: SmartDnsPlan
  readonly configuration: string
  readonly wildcards: string
  readonly configurationName: string
  readonly wildcardsName: string
}

/** Takes control; nothing runs before {@link Sidecar.start}. @throws {FileError} When the directory cannot be made. */
export async function createSmartDns(options: SmartDnsOptions): Promise<SmartDns> {
  await options.files.makeDirectory(options.directory, 0o700)
  const smartDns = new ControlledSmartDns(options, await readPosition(options))
  smartDns.follow()
  return smartDns
}

class ControlledSmartDns implements SmartDns {
  readonly #options: SmartDnsOptions
  readonly #supervisor: Supervisor
  readonly #stopped = new AbortController()
  #generated: Generated | undefined
  #reloadGapMs: number | null = null
  #observed = 0
  #malformed = 0
  #trouble: string | null = null
  #position: AuditPosition
  #following: Promise<void> = Promise.resolve()

  constructor(options: SmartDnsOptions, position: AuditPosition) {
    const { clock, files, processes, log } = options
    this.#options = options
    this.#position = position
    this.#supervisor = createSupervisor({
      clock,
      files,
      processes,
      log,
      name: NAME,
      find: () => this.#prepare(),
      isReady: (signal) => this.#isReady(signal),
    })
  }

  status(): SidecarStatus {
    const { startedAtMs, nextStartAtMs, problem, ...state } = this.#supervisor.state()
    return {
      name: NAME,
      ...state,
      startedAt: startedAtMs === null ? null : formatIsoTime(startedAtMs),
      nextStartAt: nextStartAtMs === null ? null : formatIsoTime(nextStartAtMs),
      reloadGapMs: this.#reloadGapMs,
      problem: problem ?? this.#trouble,
      observed: this.#observed,
      malformed: this.#malformed,
    }
  }

  configuration(): string | null {
    return this.#generated?.configuration ?? null
  }

  async log(): Promise<readonly string[]> {
    const { files } = this.#options
    const path = this.#path(LOG_FILE)
    const size = (await files.info(path))?.sizeOctets ?? 0
    const from = Math.max(0, size - LOG_TAIL_OCTETS)
    const octets = size === 0 ? new Uint8Array() : await files.readPart(path, from, LOG_TAIL_OCTETS)
    const written = new TextDecoder()
      .decode(octets)
      .split('\n')
      .slice(from === 0 ? 0 : 1)
    const lines = written.filter((line) => line !== '').map((line) => line.replace(CLIENT, ' from (client)'))
    return [...lines, ...this.#supervisor.log()].slice(-LOG_LINES_MAX)
  }

  async configure(plan: SmartDnsPlan): Promise<boolean> {
    const generated = await this.#generate(plan)
    const before = this.#generated?.configurationName
    this.#generated = generated
    if (before === generated.configurationName) return false
    const { phase } = this.#supervisor.state()
    if (before !== undefined && phase !== 'stopped') await this.reload()
    return true
  }

  async start(): Promise<void> {
    if (this.#generated === undefined) throw new RunError('SmartDNS has no configuration', 'set smartdns.upstreams')
    await this.#supervisor.start()
  }

  stop(): Promise<void> {
    return this.#supervisor.stop()
  }

  async reload(): Promise<void> {
    const { clock } = this.#options
    const fromMs = clock.nowMs()
    await this.#supervisor.restart()
    if (this.#supervisor.state().phase === 'running') this.#reloadGapMs = Math.round(clock.nowMs() - fromMs)
  }

  /** Begins to follow the audit file. */
  follow(): void {
    this.#following = this.#followAudit()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#supervisor.stop()
    this.#supervisor.leave()
    this.#stopped.abort()
    await this.#following
  }

  #path(name: string): string {
    return joinPath(this.#options.directory, name)
  }

  async #generate(plan: SmartDnsPlan): Promise<Generated> {
    const wildcardsName = `wildcards-${await hash(plan.wildcards.join('\n'))}.list`
    const paths: SmartDnsPaths = {
      wildcards: this.#path(wildcardsName),
      cache: this.#path('cache'),
      audit: this.#path(AUDIT_FILE),
      log: this.#path(LOG_FILE),
    }
    const { configuration, wildcards } = formatSmartDnsConfig(plan, paths)
    return {
      plan,
      configuration,
      wildcards,
      wildcardsName,
      configurationName: `smartdns-${await hash(configuration)}.conf`,
    }
  }

  /** Writes what the next start reads, and removes what earlier ones read. */
  async #prepare(): Promise<SupervisedProgram> {
    const { files, processes, directory, program } = this.#options
    const generated = this.#generated
    if (generated === undefined) throw new RunError('SmartDNS has no configuration', 'set smartdns.upstreams')
    const { configuration, configurationName, wildcards, wildcardsName } = generated
    for (const name of await files.list(directory))
      if (CONFIGURATION.test(name) && name !== configurationName && name !== wildcardsName)
        await files.remove(this.#path(name))
    await files.writeAtomic(this.#path(wildcardsName), wildcards, 0o600)
    await files.writeAtomic(this.#path(configurationName), configuration, 0o600)
    const path = await processes.which(program)
    const pidFile = this.#path(PID_FILE)
    return {
      program: path,
      args: ['-f', '-c', this.#path(configurationName), '-p', pidFile],
      // The audit file has local time without saying which.
      environment: { TZ: 'UTC' },
      directory,
      pidFile,
      isOurs: (words) => words[0] === path && words.at(-2) === '-p' && words.at(-1) === pidFile,
    }
  }

  async #isReady(signal: AbortSignal): Promise<boolean> {
    const { clock, net, random } = this.#options
    const listen = this.#generated?.plan.listen
    if (listen === undefined) return false
    const untilMs = clock.nowMs() + READY_MS
    while (!signal.aborted && clock.nowMs() < untilMs) {
      if (await askWhetherReady({ clock, net, listen, id: randomInt(random, QUERY_IDS), signal })) return true
    }
    return false
  }

  async #followAudit(): Promise<void> {
    const { clock, files, directory, log } = this.#options
    const signal = this.#stopped.signal
    const open = (): ReturnType<typeof createAuditFollower> =>
      createAuditFollower({ files, directory, name: AUDIT_FILE, from: this.#position })
    let follower = open()
    while (!signal.aborted) {
      try {
        await this.#takeAudit(follower)
        this.#trouble = null
        await sleep(clock, POLL_MS, signal)
      } catch (error) {
        const message = error instanceof Error ? error.message : String(error)
        this.#trouble = `What SmartDNS answered is not kept: ${message}`
        log.warn('sidecar.audit.failed', { name: NAME, message })
        // What was taken and not kept is taken again.
        await follower.close()
        follower = open()
        await sleep(clock, FAILED_POLL_MS, signal)
      }
    }
    await follower.close()
  }

  async #takeAudit(follower: ReturnType<typeof createAuditFollower>): Promise<void> {
    const { files, onObservations } = this.#options
    for (;;) {
      const { observations, malformed, isMore } = await follower.take()
      this.#malformed += malformed
      if (observations.length > 0) {
        await onObservations(observations)
        this.#observed += observations.length
        this.#position = follower.position()
        await files.writeAtomic(this.#path(POSITION_FILE), `${JSON.stringify(this.#position)}\n`, 0o600)
      }
      if (!isMore || this.#stopped.signal.aborted) return
    }
  }
}

/** A position that cannot be read is the beginning: seen twice is better than not at all. */
async function readPosition({ files, directory }: SmartDnsOptions): Promise<AuditPosition> {
  const path = joinPath(directory, POSITION_FILE)
  const none: AuditPosition = { atMs: 0, lines: 0 }
  if ((await files.info(path)) === undefined) return none
  try {
    const { atMs, lines } = JSON.parse(await readText(files, path, POSITION_OCTETS_MAX)) as Partial<AuditPosition>
    return Number.isSafeInteger(atMs) && Number.isSafeInteger(lines) ? { atMs: atMs ?? 0, lines: lines ?? 0 } : none
  } catch (error) {
    if (error instanceof SyntaxError) return none
    throw error
  }
}

async function hash(text: string): Promise<string> {
  const octets = new Uint8Array(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text)))
  return Array.from(octets.subarray(0, 8), (octet) => octet.toString(16).padStart(2, '0')).join('')
}
