/** Child processes as a capability. Secrets never go into arguments: anybody on the machine can read those. */

/** How a process ended: one of the two is set. */
export interface ExitStatus {
  readonly code: number | undefined
  /** `SIGTERM`, `SIGKILL`, … */
  readonly signal: string | undefined
}

/** How to start a process. */
export interface StartOptions {
  readonly directory?: string
  /** Added to the environment that Candor runs in. */
  readonly environment?: Readonly<Record<string, string>>
  /** Called with each line of stdout and stderr, at most 8,192 octets of each line. */
  readonly onLine?: (line: string, stream: 'stdout' | 'stderr') => void
  /** `true` gives the child Candor's own stdin, stdout and stderr. */
  readonly inherit?: boolean
}

/** A process that was started. */
export interface RunningProcess {
  readonly pid: number
  /** Resolves when the process ended and its output was read. Never rejects. */
  readonly exited: Promise<ExitStatus>
  /** Sends a signal; does nothing when the process is gone. */
  kill(signal: Signal): void
}

/** The signals that Candor sends. */
export type Signal = 'SIGTERM' | 'SIGKILL' | 'SIGINT' | 'SIGHUP' | 'SIGSTOP' | 'SIGCONT'

/** Processes, as everything outside `platform/` sees them. */
export interface ProcessRunner {
  /** Candor's own process id. */
  readonly pid: number
  /** @throws {ProcessError} When the program is not there or cannot be run. */
  start(command: string, args: readonly string[], options?: StartOptions): Promise<RunningProcess>
  /** @returns The absolute path of a program in the PATH, `undefined` when there is none. */
  which(command: string): Promise<string | undefined>
  /** @returns The arguments of a process, program first; `undefined` when no such process runs. */
  commandLine(pid: number): Promise<readonly string[] | undefined>
  /** Sends a signal to any process; does nothing when there is none of that id. */
  kill(pid: number, signal: Signal): void
}

/** A program could not be started. `code` is the operating system's (`ENOENT`, `EACCES`). */
export class ProcessError extends Error {
  override readonly name = 'ProcessError'
  readonly code: string
  readonly command: string

  constructor(code: string, command: string, options?: ErrorOptions) {
    super(`cannot start ${command}: ${code}`, options)
    this.code = code
    this.command = command
  }
}
