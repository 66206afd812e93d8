/**
 * Everything a command may touch, passed in: so the whole command line runs inside a test without a process of its own.
 *
 * Invariant: no file of `cli/` but `main.ts` reads `process`.
 */
import type { AddressPlan } from '../core/address-plan.ts'
import type { Clock } from '../core/clock.ts'
import type { Files } from '../core/files.ts'
import { createLog, type Log, type LogLevel } from '../core/log.ts'
import type { ProcessRunner } from '../core/process-runner.ts'
import type { Random } from '../core/random.ts'
import type { HttpClient } from '../net/http-client.ts'
import type { Net } from '../net/net.ts'
import type { CliOutput } from './cli-output.ts'
import { STATUS_DONE, type CliStatus } from './exit-status.ts'
import { createLogSink } from './log-sink.ts'

/** What a process has, and a test supplies. */
export interface CliCapabilities {
  readonly clock: Clock
  readonly files: Files
  readonly net: Net
  /** For services that the operator configured: webhooks, bots, object stores. */
  readonly http: HttpClient
  readonly processes: ProcessRunner
  /** Which addresses count as public. Only the laboratory and tests pass another one than the Internet's. */
  readonly addressPlan: AddressPlan
  /** A generator whose sequence depends on the seed alone. */
  createRandom(seed: string): Random
  /** A new seed, unpredictable: 16 hexadecimal digits. */
  newSeed(): string
  readonly stdout: CliOutput
  readonly stderr: CliOutput
  /** Whether a person can be asked. */
  readonly stdinIsTerminal: boolean
  readonly environment: Readonly<Record<string, string | undefined>>
  /** Aborts at the first SIGINT or SIGTERM: finish what is in flight, write, return. */
  readonly interrupted: AbortSignal
  /** Calls back at each SIGHUP. @returns A function that ends the subscription. */
  readonly onHangup: (callback: () => void) => () => void
  /** Version of Candor, as in package.json. */
  readonly version: string
  /** Absolute path of the directory that holds `package.json`; programs of our own are found from there. */
  readonly home: string
}

/** The capabilities, with what the global options made of them. */
export interface CliContext extends CliCapabilities {
  readonly log: Log
  /** Whether `--quiet` was given: errors only. */
  isQuiet(): boolean
  /** Whether colours and cursor movements go to a stream: a terminal, and `NO_COLOR` is not set. */
  usesColor(output: CliOutput): boolean
  /** Writes a line for people to stderr; nothing with `--quiet`. */
  say(line: string): Promise<void>
  /** Sets how much is said. */
  setVerbosity(level: LogLevel, quiet: boolean): void
  /** Sets the exit status of the command; without a call it is 0. */
  finish(status: CliStatus): void
  /** The status that `finish` set. */
  status(): CliStatus
  /** Runs another command with some capabilities changed, as `lab run` does. @returns Its exit status; never rejects. */
  runCommand(argv: readonly string[], changes: Partial<CliCapabilities>): Promise<CliStatus>
}

/** What runs a command: `runCli`. */
export type RunCommand = (argv: readonly string[], capabilities: CliCapabilities) => Promise<CliStatus>

/** Puts log, verbosity and status around the capabilities. */
export function createCliContext(capabilities: CliCapabilities, run: RunCommand): CliContext {
  let level: LogLevel = 'warn'
  let isQuiet = false
  let status: CliStatus = STATUS_DONE
  const usesColor = (output: CliOutput): boolean =>
    output.isTerminal && (capabilities.environment['NO_COLOR'] ?? '') === ''
  return {
    ...capabilities,
    log: createLog(createLogSink(capabilities, () => level)),
    isQuiet: () => isQuiet,
    usesColor,
    say: async (line) => {
      if (!isQuiet) await capabilities.stderr.write(`${line}\n`)
    },
    setVerbosity: (newLevel, quiet) => {
      level = quiet ? 'error' : newLevel
      isQuiet = quiet
    },
    finish: (newStatus) => {
      status = newStatus
    },
    status: () => status,
    runCommand: (argv, changes) => run(argv, { ...capabilities, ...changes }),
  }
}
