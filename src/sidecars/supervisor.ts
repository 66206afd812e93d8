/**
 * Keeps one child process running: starts it, starts it again when it ends by itself, and takes over the one that an
 * earlier controller left behind.
 *
 * The pidfile, which the child writes, together with the command line says which process is ours. Before each start
 * that process is looked for; so a child is adopted or ended, and never doubled.
 *
 * **Invariant**: orders are carried out one after the other; the pause between two starts has an upper bound and never goes
 * away.
 */
import { sleep, withTimeout, type Clock, type Timer } from '../core/clock.ts'
import { readText, type Files } from '../core/files.ts'
import type { Log } from '../core/log.ts'
import { ProcessError, type ExitStatus, type ProcessRunner, type RunningProcess } from '../core/process-runner.ts'
import type { SidecarPhase } from '../model/sidecar.ts'

const BACK_OFF_FIRST_MS = 500
const BACK_OFF_MAX_MS = 60_000
/** A child that ran so long was well: the next pause is the first one again. */
const STEADY_MS = 60_000
const TERM_WAIT_MS = 3_000
const KILL_WAIT_MS = 3_000
/** How often a process that is not our child is looked for. */
const ADOPTED_POLL_MS = 500
const POLL_MS = 20
const PID_FILE_OCTETS_MAX = 64
const LOG_LINES_MAX = 500

/** What is run. */
export interface SupervisedProgram {
  /** Absolute path; `undefined` where the program is not installed. */
  readonly program: string | undefined
  readonly args: readonly string[]
  readonly environment: Readonly<Record<string, string>>
  readonly directory: string
  readonly pidFile: string
  /** Whether these words, the program first, are the command line of this or an earlier instance of it. */
  readonly isOurs: (words: readonly string[]) => boolean
}

/** What a supervisor needs. */
export interface SupervisorOptions {
  readonly clock: Clock
  readonly files: Files
  readonly processes: ProcessRunner
  readonly log: Log
  readonly name: string
  readonly find: () => Promise<SupervisedProgram>
  /** Waits until the child does its work. @returns Whether it does, within its time. */
  readonly isReady: (signal: AbortSignal) => Promise<boolean>
}

/** How a supervised child is. */
export interface SupervisorState {
  readonly phase: SidecarPhase
  readonly pid: number | null
  /** Unix milliseconds; `null` when none runs. */
  readonly startedAtMs: number | null
  readonly isAdopted: boolean
  readonly crashes: number
  readonly lastEnd: string | null
  /** Unix milliseconds; `null` when no start is planned. */
  readonly nextStartAtMs: number | null
  readonly problem: string | null
}

/** A supervised child. */
export interface Supervisor {
  state(): SupervisorState
  log(): readonly string[]
  /** Starts or adopts. @returns When it is ready, or when it was given up for now. */
  start(): Promise<void>
  /** Ends it and keeps it ended. */
  stop(): Promise<void>
  /** Ends it and starts it. */
  restart(): Promise<void>
  /** Looks no more; the child goes on. */
  leave(): void
}

interface Child {
  readonly pid: number
  readonly isAdopted: boolean
  readonly startedAtMs: number
  readonly startedAtWallMs: number
  readonly ended: Promise<string>
  /** Aborts when nobody waits for the end any more. */
  readonly watching: AbortController
}

/** Supervises; nothing runs before the first start. */
export function createSupervisor(options: SupervisorOptions): Supervisor {
  return new ChildSupervisor(options)
}

class ChildSupervisor implements Supervisor {
  readonly #options: SupervisorOptions
  readonly #lines: string[] = []
  #phase: SidecarPhase = 'stopped'
  #child: Child | undefined
  #crashes = 0
  #lastEnd: string | null = null
  #problem: string | null = null
  #backOffMs = BACK_OFF_FIRST_MS
  #retry: { readonly timer: Timer; readonly atMs: number } | undefined
  #orders: Promise<void> = Promise.resolve()
  #isLeft = false

  constructor(options: SupervisorOptions) {
    this.#options = options
  }

  state(): SupervisorState {
    return {
      phase: this.#phase,
      pid: this.#child?.pid ?? null,
      startedAtMs: this.#child?.startedAtWallMs ?? null,
      isAdopted: this.#child?.isAdopted ?? false,
      crashes: this.#crashes,
      lastEnd: this.#lastEnd,
      nextStartAtMs: this.#retry?.atMs ?? null,
      problem: this.#problem,
    }
  }

  log(): readonly string[] {
    return [...this.#lines]
  }

  start(): Promise<void> {
    return this.#order(() => this.#begin(false))
  }

  stop(): Promise<void> {
    return this.#order(async () => {
      this.#cancelRetry()
      await this.#end()
      this.#set('stopped', null)
    })
  }

  restart(): Promise<void> {
    return this.#order(async () => {
      this.#cancelRetry()
      await this.#end()
      await this.#begin(true)
    })
  }

  leave(): void {
    this.#isLeft = true
    this.#cancelRetry()
    this.#child?.watching.abort()
  }

  /** One order after the other. */
  #order(act: () => Promise<void>): Promise<void> {
    const done = this.#orders.then(act)
    this.#orders = done.catch(() => undefined)
    return done
  }

  #set(phase: SidecarPhase, problem: string | null): void {
    this.#phase = phase
    this.#problem = problem
  }

  #cancelRetry(): void {
    this.#retry?.timer.cancel()
    this.#retry = undefined
  }

  async #begin(isFresh: boolean): Promise<void> {
    if (this.#isLeft || this.#child !== undefined) return
    this.#cancelRetry()
    const { processes, log, name, find } = this.#options
    const found = await find()
    if (found.program === undefined) {
      this.#set('missing', `The program ${name} is not installed.`)
      return
    }
    this.#set('starting', null)
    if (!isFresh && (await this.#adopt(found))) return
    await this.#endLeftBehind(found)
    try {
      const { args, environment, directory } = found
      const onLine = (line: string): void => {
        this.#say(line)
      }
      const process = await processes.start(found.program, args, { directory, environment, onLine })
      log.info('sidecar.child.started', { name, pid: process.pid })
      this.#watch(process.pid, false, waitForExit(process))
    } catch (error) {
      if (!(error instanceof ProcessError)) throw error
      this.#retryLater(error.message)
      return
    }
    await this.#awaitReady()
  }

  /** Takes over a process that does what is wanted. */
  async #adopt(found: SupervisedProgram): Promise<boolean> {
    const { log, name, processes } = this.#options
    const pid = await this.#findOurs(found)
    if (pid === undefined) return false
    const words = (await processes.commandLine(pid)) ?? []
    // The arguments name the configuration: another one is another command line.
    if (words.join('\0') !== [found.program, ...found.args].join('\0')) return false
    log.info('sidecar.child.adopted', { name, pid })
    const watching = new AbortController()
    this.#watch(pid, true, this.#waitForAdopted(pid, found, watching.signal), watching)
    await this.#awaitReady()
    return true
  }

  async #endLeftBehind(found: SupervisedProgram): Promise<void> {
    const pid = await this.#findOurs(found)
    if (pid === undefined) return
    const { clock, processes, log, name } = this.#options
    log.warn('sidecar.child.left_behind', { name, pid })
    const isGone = async (limitMs: number): Promise<boolean> => {
      const untilMs = clock.nowMs() + limitMs
      while (await this.#isOurs(pid, found)) {
        if (clock.nowMs() >= untilMs) return false
        await sleep(clock, POLL_MS)
      }
      return true
    }
    processes.kill(pid, 'SIGTERM')
    if (await isGone(TERM_WAIT_MS)) return
    processes.kill(pid, 'SIGKILL')
    await isGone(KILL_WAIT_MS)
  }

  /** @returns The process of the pidfile, when its command line is ours. */
  async #findOurs(found: SupervisedProgram): Promise<number | undefined> {
    const { files } = this.#options
    if ((await files.info(found.pidFile)) === undefined) return undefined
    const pid = Number((await readText(files, found.pidFile, PID_FILE_OCTETS_MAX).catch(() => '')).trim())
    if (!Number.isSafeInteger(pid) || pid <= 1) return undefined
    return (await this.#isOurs(pid, found)) ? pid : undefined
  }

  async #isOurs(pid: number, { isOurs }: SupervisedProgram): Promise<boolean> {
    const words = await this.#options.processes.commandLine(pid)
    return words !== undefined && isOurs(words)
  }

  async #waitForAdopted(pid: number, found: SupervisedProgram, signal: AbortSignal): Promise<string> {
    while (!signal.aborted && (await this.#isOurs(pid, found)))
      await sleep(this.#options.clock, ADOPTED_POLL_MS, signal)
    return 'it is gone; how it ended is not known, because it was adopted'
  }

  #watch(pid: number, isAdopted: boolean, ended: Promise<string>, watching = new AbortController()): void {
    const { clock } = this.#options
    const child: Child = {
      pid,
      isAdopted,
      startedAtMs: clock.nowMs(),
      startedAtWallMs: clock.wallNowMs(),
      ended,
      watching,
    }
    this.#child = child
    void ended.then((how) => {
      if (watching.signal.aborted || this.#child !== child) return
      this.#child = undefined
      this.#crashes++
      if (clock.nowMs() - child.startedAtMs >= STEADY_MS) this.#backOffMs = BACK_OFF_FIRST_MS
      this.#retryLater(`It ended by itself: ${how}`)
    })
  }

  async #awaitReady(): Promise<void> {
    const child = this.#child
    if (child === undefined) return
    const waiting = new AbortController()
    const ready = this.#options.isReady(waiting.signal)
    const first = await Promise.race([ready, child.ended.then(() => 'ended' as const)])
    waiting.abort()
    if (first === 'ended' || this.#child !== child) return
    this.#set('running', first ? null : 'It runs, and does not answer.')
  }

  #retryLater(how: string): void {
    const { clock, log, name } = this.#options
    this.#lastEnd = how
    log.warn('sidecar.child.ended', { name, how, retry_ms: this.#backOffMs })
    if (this.#isLeft) return
    this.#set('waiting', how)
    const delayMs = this.#backOffMs
    this.#backOffMs = Math.min(BACK_OFF_MAX_MS, this.#backOffMs * 2)
    this.#retry = {
      atMs: clock.wallNowMs() + delayMs,
      timer: clock.setTimer(delayMs, () => {
        this.#retry = undefined
        // What goes wrong in a start that nobody waits for is known from the phase.
        this.start().catch((error: unknown) => {
          this.#retryLater(error instanceof Error ? error.message : String(error))
        })
      }),
    }
  }

  async #end(): Promise<void> {
    const child = this.#child
    this.#backOffMs = BACK_OFF_FIRST_MS
    if (child === undefined) {
      // After a kill of the controller the child may run without being ours yet.
      const found = await this.#options.find()
      if (found.program !== undefined) await this.#endLeftBehind(found)
      return
    }
    const { clock, processes, log, name } = this.#options
    this.#set('stopping', null)
    this.#child = undefined
    processes.kill(child.pid, 'SIGTERM')
    let how = await withTimeout(clock, child.ended, TERM_WAIT_MS)
    if (how === undefined) {
      processes.kill(child.pid, 'SIGKILL')
      how = await withTimeout(clock, child.ended, KILL_WAIT_MS)
    }
    child.watching.abort()
    this.#lastEnd = `It was ended: ${how ?? 'it did not go within its time'}`
    log.info('sidecar.child.stopped', { name, pid: child.pid, how: how ?? '' })
  }

  #say(line: string): void {
    this.#lines.push(line)
    if (this.#lines.length > LOG_LINES_MAX) this.#lines.splice(0, this.#lines.length - LOG_LINES_MAX)
  }
}

async function waitForExit(process: RunningProcess): Promise<string> {
  return describeExit(await process.exited)
}

function describeExit({ code, signal }: ExitStatus): string {
  return signal === undefined ? `exit status ${String(code)}` : `signal ${signal}`
}
