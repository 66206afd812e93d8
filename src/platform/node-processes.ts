/**
 * Child processes of the machine.
 *
 * Invariant: the output of a child is read as fast as it comes and never collected, so that no child can fill our memory
 * or stop because nobody reads.
 */
import { spawn, type ChildProcess } from 'node:child_process'
import { constants } from 'node:fs'
import { access, readFile, stat } from 'node:fs/promises'
import { basename, delimiter, dirname, isAbsolute, join, resolve } from 'node:path'
import type { Readable } from 'node:stream'
import { assert } from '../core/assert.ts'
import {
  ProcessError,
  type ExitStatus,
  type ProcessRunner,
  type RunningProcess,
  type Signal,
  type StartOptions,
} from '../core/process-runner.ts'
import { errorCode } from './node-failure.ts'

const LINE_OCTETS_MAX = 8_192
/** How long after the end of a child its pipes may stay open: a grandchild may have inherited them. */
const OUTPUT_AFTER_EXIT_MS_MAX = 1_000
const LINE_FEED = 0x0a
const CARRIAGE_RETURN = 0x0d

/** The processes of the machine. `commandLine` needs /proc. */
export const nodeProcesses: ProcessRunner = { pid: process.pid, start, which, commandLine, kill }

async function start(
  command: string,
  args: readonly string[],
  { directory, environment, onLine, inherit = false }: StartOptions = {},
): Promise<RunningProcess> {
  const output = inherit ? 'inherit' : onLine === undefined ? 'ignore' : 'pipe'
  const child = spawn(command, args, {
    ...(directory === undefined ? {} : { cwd: directory }),
    env: { ...process.env, ...environment },
    // A process group of its own: Ctrl-C on the terminal is for Candor, which then ends its children in good order.
    detached: !inherit,
    stdio: [inherit ? 'inherit' : 'ignore', output, output],
  })
  if (onLine !== undefined && child.stdout !== null)
    splitLines(child.stdout, (line) => {
      onLine(line, 'stdout')
    })
  if (onLine !== undefined && child.stderr !== null)
    splitLines(child.stderr, (line) => {
      onLine(line, 'stderr')
    })
  const exited = waitForEnd(child)
  await new Promise<void>((done, fail) => {
    child.once('spawn', done)
    // Stays attached: a signal that could not be sent would otherwise end Candor.
    child.on('error', (cause) => {
      fail(new ProcessError(errorCode(cause), command, { cause }))
    })
  })
  const { pid } = child
  assert(pid !== undefined, 'a process that was started has an id')
  return {
    pid,
    exited,
    kill: (signal) => {
      child.kill(signal)
    },
  }
}

function waitForEnd(child: ChildProcess): Promise<ExitStatus> {
  return new Promise((done) => {
    child.once('exit', (code, signal) => {
      const finish = (): void => {
        clearTimeout(timeout)
        child.stdout?.destroy()
        child.stderr?.destroy()
        done({ code: code ?? undefined, signal: signal ?? undefined })
      }
      const timeout = setTimeout(finish, OUTPUT_AFTER_EXIT_MS_MAX)
      child.once('close', finish)
    })
  })
}

/** Calls back with each line, without its end; what a line has beyond the limit is dropped. */
function splitLines(stream: Readable, onLine: (line: string) => void): void {
  const line = new Uint8Array(LINE_OCTETS_MAX)
  let length = 0
  let begun = false
  const emit = (): void => {
    const end = length > 0 && line[length - 1] === CARRIAGE_RETURN ? length - 1 : length
    const text = new TextDecoder().decode(line.subarray(0, end))
    length = 0
    begun = false
    onLine(text)
  }
  const take = (part: Uint8Array): void => {
    const kept = part.subarray(0, LINE_OCTETS_MAX - length)
    line.set(kept, length)
    length += kept.length
    begun ||= part.length > 0
  }
  stream.on('data', (chunk: Uint8Array) => {
    let from = 0
    for (let at = chunk.indexOf(LINE_FEED); at >= 0; at = chunk.indexOf(LINE_FEED, from)) {
      take(chunk.subarray(from, at))
      emit()
      from = at + 1
    }
    take(chunk.subarray(from))
  })
  stream.on('end', () => {
    if (begun) emit()
  })
  stream.on('error', () => {
    // The pipe broke: the end of the process says the rest.
  })
}

async function which(command: string): Promise<string | undefined> {
  const candidates = command.includes('/')
    ? [resolve(command)]
    : searchPath().map((directory) => join(directory, command))
  for (const path of candidates) if (await isProgram(path)) return path
  return undefined
}

/** The PATH, and after it the `sbin` beside each `bin`: Debian keeps servers there, outside the PATH of most users. */
function searchPath(): readonly string[] {
  const directories = (process.env['PATH'] ?? '').split(delimiter).filter((directory) => isAbsolute(directory))
  return [
    ...directories,
    ...directories.filter((directory) => basename(directory) === 'bin').map((bin) => join(dirname(bin), 'sbin')),
  ]
}

async function isProgram(path: string): Promise<boolean> {
  try {
    await access(path, constants.X_OK)
    return (await stat(path)).isFile()
  } catch {
    return false
  }
}

async function commandLine(pid: number): Promise<readonly string[] | undefined> {
  let content: string
  try {
    content = await readFile(`/proc/${pid}/cmdline`, 'utf8')
  } catch (error) {
    if (['ENOENT', 'ESRCH', 'EACCES'].includes(errorCode(error))) return undefined
    throw error
  }
  // Empty: a process that has ended and was not waited for yet.
  return content === '' ? undefined : content.replace(/\0$/, '').split('\0')
}

function kill(pid: number, signal: Signal): void {
  assert(Number.isSafeInteger(pid) && pid > 1, 'a signal goes to one process, never to a group or to init')
  try {
    process.kill(pid, signal)
  } catch (error) {
    // EPERM: the recorded id belongs to a process of somebody else by now, so ours is gone as well.
    if (!['ESRCH', 'EPERM'].includes(errorCode(error))) throw error
  }
}
