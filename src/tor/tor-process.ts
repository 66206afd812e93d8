/**
 * A Tor process of our own: started, recorded, and ended again, also the one that an earlier run left behind.
 *
 * Invariant: a process is ended only when its command line is the one that we recorded; the id alone proves nothing.
 */
import { sleep, withTimeout, type Clock } from '../core/clock.ts'
import { ConfigError, RunError } from '../core/config-error.ts'
import { FileError, joinPath, readText, type Files } from '../core/files.ts'
import type { Log } from '../core/log.ts'
import type { ProcessRunner, RunningProcess } from '../core/process-runner.ts'
import type { Net } from '../net/net.ts'
import type { ControlAddress } from './control-address.ts'
import { formatTorrc } from './torrc.ts'

/** Lines of Tor's log kept for the error message. */
const LOG_LINES_MAX = 40
/** How long Tor may take to open its control port: it reads its caches first. */
const CONTROL_PORT_TIMEOUT_MS = 30_000
const POLL_MS = 50
/** How long a Tor that was asked to end may take, before it is killed. */
const END_TIMEOUT_MS = 5_000
/** Longest path that fits into a socket address on Linux (108 octets with the final zero). */
const SOCKET_PATH_OCTETS_MAX = 100
const RECORD_OCTETS_MAX = 65_536

/** What the machine gives to a session with Tor. */
export interface TorCapabilities {
  readonly net: Net
  readonly files: Files
  readonly processes: ProcessRunner
  readonly clock: Clock
  readonly log: Log
}

/** How a Tor of our own is started. */
export interface TorProcessOptions {
  /** Absolute path of a directory for this Tor alone; created with mode 0700. */
  readonly directory: string
  /** The program; `null` looks for `tor` in the PATH. */
  readonly torPath: string | null
  readonly rejectInternalAddresses: boolean
  /** From {@link checkAppendedLines}. */
  readonly appendedLines: readonly string[]
}

/** A Tor process that has opened its control port. */
export interface TorProcess {
  readonly pid: number
  readonly control: ControlAddress
  /** Resolves when the process has ended. */
  readonly exited: Promise<unknown>
  /** The last lines of its log, oldest first. */
  logLines(): readonly string[]
  /** Ends the process (SIGTERM, then SIGKILL) and forgets it. */
  end(): Promise<void>
}

interface TorRecord {
  readonly pid: number
  readonly commandLine: readonly string[]
  readonly ownerPid: number
  readonly ownerCommandLine: readonly string[]
}

/**
 * Starts Tor and waits for its control port.
 *
 * @throws {ConfigError} When there is no `tor`, or it refuses the configuration.
 * @throws {RunError} When the directory is in use, or Tor does not come up.
 */
export async function startTorProcess(machine: TorCapabilities, options: TorProcessOptions): Promise<TorProcess> {
  const { files, processes } = machine
  const program = await findTor(processes, options.torPath)
  await prepareDirectory(files, options.directory)
  const recordPath = joinPath(options.directory, 'tor-process.json')
  await endRecordedTor(machine, recordPath)

  const torrc = joinPath(options.directory, 'torrc')
  const controlPortFile = joinPath(options.directory, 'control-port')
  const socket = joinPath(options.directory, 'control.sock')
  const isShort = new TextEncoder().encode(socket).length <= SOCKET_PATH_OCTETS_MAX
  await files.remove(controlPortFile)
  await files.remove(socket)
  const text = formatTorrc({
    dataDirectory: joinPath(options.directory, 'data'),
    cookieFile: joinPath(options.directory, 'control-cookie'),
    controlPortFile,
    controlSocket: isShort ? socket : null,
    ownerPid: processes.pid,
    rejectInternalAddresses: options.rejectInternalAddresses,
    appendedLines: options.appendedLines,
  })
  await files.writeAtomic(torrc, text, 0o600)
  // Empty: what the distribution sets for its own service is not for us.
  await files.writeAtomic(joinPath(options.directory, 'torrc-defaults'), '', 0o600)

  const lines: string[] = []
  const args = ['--defaults-torrc', joinPath(options.directory, 'torrc-defaults'), '-f', torrc]
  const child = await processes.start(program, args, {
    onLine: (line) => {
      if (lines.push(line) > LOG_LINES_MAX) lines.shift()
    },
  })
  try {
    await writeRecord(machine, recordPath, child.pid, [program, ...args])
    const control = await waitForControlPort(machine, child, controlPortFile, lines)
    return {
      pid: child.pid,
      control,
      exited: child.exited,
      logLines: () => [...lines],
      end: async () => {
        await endChild(machine.clock, child)
        await files.remove(recordPath)
      },
    }
  } catch (error) {
    await endChild(machine.clock, child)
    await files.remove(recordPath)
    throw error
  }
}

async function findTor(processes: ProcessRunner, torPath: string | null): Promise<string> {
  const program = await processes.which(torPath ?? 'tor')
  if (program !== undefined) return program
  throw new ConfigError(
    'tor',
    torPath === null ? 'no `tor` in the path' : `no program at ${torPath}`,
    'install it: apt-get install tor (Debian, Ubuntu), dnf install tor (Fedora), brew install tor (macOS)',
  )
}

async function prepareDirectory(files: Files, directory: string): Promise<void> {
  await files.makeDirectory(directory, 0o700)
  const mode = (await files.info(directory))?.mode ?? 0
  if ((mode & 0o077) === 0) return
  throw new ConfigError(
    directory,
    `the directory for Tor can be read by others (mode ${mode.toString(8)})`,
    `chmod 700 ${directory}`,
  )
}

/** Ends the Tor that an earlier run recorded, unless that run is still there. @throws {RunError} When it is. */
async function endRecordedTor({ files, processes, clock, log }: TorCapabilities, recordPath: string): Promise<void> {
  const record = await readRecord(files, recordPath)
  if (record === undefined) return
  const running = async (): Promise<boolean> => equalLists(await processes.commandLine(record.pid), record.commandLine)
  if (await running()) {
    const owner = await processes.commandLine(record.ownerPid)
    if (record.ownerPid !== processes.pid && equalLists(owner, record.ownerCommandLine)) {
      throw new RunError(
        `the Tor directory belongs to a run that is still going on (process ${record.ownerPid})`,
        'wait for it, or give this run another --tor-dir',
      )
    }
    log.warn('tor.process.left_behind', { pid: record.pid })
    for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
      processes.kill(record.pid, signal)
      const deadlineMs = clock.nowMs() + END_TIMEOUT_MS
      while ((await running()) && clock.nowMs() < deadlineMs) await sleep(clock, POLL_MS)
      if (!(await running())) break
    }
  }
  await files.remove(recordPath)
}

async function writeRecord(
  { files, processes }: TorCapabilities,
  path: string,
  pid: number,
  commandLine: readonly string[],
): Promise<void> {
  const record: TorRecord = {
    pid,
    commandLine,
    ownerPid: processes.pid,
    ownerCommandLine: (await processes.commandLine(processes.pid)) ?? [],
  }
  await files.writeAtomic(path, `${JSON.stringify(record)}\n`, 0o600)
}

/** @returns `undefined` when there is no record, or none that we wrote. */
async function readRecord(files: Files, path: string): Promise<TorRecord | undefined> {
  try {
    const value: unknown = JSON.parse(await readText(files, path, RECORD_OCTETS_MAX))
    return isRecord(value) ? value : undefined
  } catch (error) {
    if (error instanceof FileError && error.code === 'ENOENT') return undefined
    if (error instanceof SyntaxError) return undefined
    throw error
  }
}

function isRecord(value: unknown): value is TorRecord {
  if (typeof value !== 'object' || value === null) return false
  const { pid, commandLine, ownerPid, ownerCommandLine } = value as Partial<Record<keyof TorRecord, unknown>>
  const isPid = (id: unknown): boolean => Number.isSafeInteger(id) && (id as number) > 1
  return isPid(pid) && isPid(ownerPid) && Array.isArray(commandLine) && Array.isArray(ownerCommandLine)
}

/** Whether two command lines are the same; `undefined` is a process that is gone. */
export function equalLists(a: readonly string[] | undefined, b: readonly string[]): boolean {
  return a !== undefined && a.length === b.length && a.every((item, index) => item === b[index])
}

async function waitForControlPort(
  { files, clock }: TorCapabilities,
  child: RunningProcess,
  path: string,
  lines: readonly string[],
): Promise<ControlAddress> {
  const exited = { done: false }
  void child.exited.then(() => {
    exited.done = true
  })
  const deadlineMs = clock.nowMs() + CONTROL_PORT_TIMEOUT_MS
  while (clock.nowMs() < deadlineMs) {
    const address = (await files.info(path)) === undefined ? undefined : await readControlPort(files, path)
    if (address !== undefined) return address
    if (exited.done) throw startError(lines)
    await sleep(clock, POLL_MS)
  }
  throw new RunError(`Tor did not open its control port within ${CONTROL_PORT_TIMEOUT_MS} ms`, formatTail(lines))
}

/** Tor says what it does not like in its last lines. */
function startError(lines: readonly string[]): Error {
  const complaint = lines.findLast((line) => line.includes('[warn]') || line.includes('[err]')) ?? ''
  const configuration = lines.find((line) => line.includes('Failed to parse/validate config'))
  if (configuration === undefined) return new RunError('Tor ended at once', formatTail(lines) || complaint)
  const message = configuration.slice(configuration.indexOf('config:') + 8)
  return new ConfigError('--torrc-append', `Tor refuses its configuration: ${message}`, 'correct or remove that line')
}

/** The last lines of Tor's log as a hint. */
export function formatTail(lines: readonly string[]): string {
  return lines.length === 0 ? '' : `Tor's last lines:\n${lines.slice(-8).join('\n')}`
}

async function readControlPort(files: Files, path: string): Promise<ControlAddress | undefined> {
  const text = await readText(files, path, 4_096)
  const unix = /^UNIX_PORT=(.+)$/m.exec(text)?.[1]
  if (unix !== undefined) return { kind: 'unix', path: unix }
  const tcp = /^PORT=([\d.]+):(\d{1,5})$/m.exec(text)
  return tcp === null ? undefined : { kind: 'tcp', address: tcp[1] ?? '', port: Number(tcp[2]) }
}

async function endChild(clock: Clock, child: RunningProcess): Promise<void> {
  child.kill('SIGTERM')
  if ((await withTimeout(clock, child.exited, END_TIMEOUT_MS)) !== undefined) return
  child.kill('SIGKILL')
  await withTimeout(clock, child.exited, END_TIMEOUT_MS)
}
