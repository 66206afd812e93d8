/**
 * Builds responder.c with the compiler of the machine, starts it and reads its counters.
 *
 * **Invariant:** the responder ends with the process that started it, whatever happens to that.
 */
import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { OddityShares } from './draw-oddity.ts'

/** How a responder behaves. Without oddities and counting it keeps no state per name and is fastest. */
export interface ResponderOptions {
  readonly shares?: OddityShares
  /** 32 bits, default 1. */
  readonly seed?: number
  /** Reordered answers are held for 1 to this many milliseconds, default 20. */
  readonly reorderMs?: number
  /** How long delayed answers are held, in milliseconds, default 100. */
  readonly delayMs?: number
  /** Nothing is lost of a name any more after this many queries; 0, the default: never. */
  readonly losslessAfter?: number
  /** Count the queries of each name. Oddities bring this with them. */
  readonly countNames?: boolean
  /** Receive runs of equal length as one datagram (UDP_GRO). */
  readonly gro?: boolean
  /** Run on this processor only. */
  readonly cpu?: number
}

/** What a responder saw and did since it started. */
export interface ResponderCounters {
  /** Readable queries over UDP, lost ones included. */
  readonly queries: number
  /** Datagrams sent, duplicates and injected ones included. */
  readonly answers: number
  readonly unreadable: number
  readonly send_errors: number
  /** Datagrams that the kernel dropped because the responder did not read fast enough. */
  readonly kernel_drops: number
  readonly tcp_queries: number
  readonly tcp_connections: number
  /** User and system time of the responder. */
  readonly cpu_seconds: number
  readonly lost_queries: number
  readonly lost_answers: number
  readonly reordered: number
  readonly duplicates: number
  readonly wrong_ids: number
  readonly wrong_sources: number
  readonly wrong_questions: number
  readonly truncated: number
  readonly malformed: number
  readonly delayed: number
  readonly nxdomains: number
  /** Different questions; absent when they are not counted. */
  readonly names?: number
  /** How many questions came once, twice, …; the 16th place has all that came more often. */
  readonly names_by_queries?: readonly number[]
}

/** A running responder, on one port of every address of 127.0.0.0/8, over UDP and TCP. */
export interface Responder extends AsyncDisposable {
  readonly port: number
  /** Its counters at this moment. */
  count(): Promise<ResponderCounters>
  /** Ends it. */
  stop(): Promise<ResponderCounters>
}

/** Whether this machine can build the responder. */
export function hasCompiler(): boolean {
  return process.platform === 'linux' && spawnSync('gcc', ['--version'], { stdio: 'ignore' }).status === 0
}

/** Starts a responder. @throws When it cannot be built or started. */
export async function startResponder(options: ResponderOptions = {}): Promise<Responder> {
  const directory = mkdtempSync(join(tmpdir(), 'candor-responder-'))
  const program = join(directory, 'responder')
  try {
    execFileSync('gcc', ['-O2', '-pthread', '-o', program, join(import.meta.dirname, 'responder.c')])
    const child = spawn(program, listArguments(options), { stdio: ['ignore', 'pipe', 'inherit'] })
    return await connectLines(child)
  } finally {
    // The running program needs no name.
    rmSync(directory, { recursive: true, force: true })
  }
}

function listArguments(options: ResponderOptions): readonly string[] {
  const { seed = 1, reorderMs = 20, delayMs = 100, losslessAfter = 0 } = options
  return [
    ...Object.entries(options.shares ?? {}).flatMap(([name, share]) => [`--${name}`, String(share)]),
    `--seed=${seed}`,
    `--reorder-ms=${reorderMs}`,
    `--delay-ms=${delayMs}`,
    `--lossless-after=${losslessAfter}`,
    ...(options.countNames === true ? ['--count-names'] : []),
    ...(options.gro === true ? ['--gro'] : []),
    ...(options.cpu === undefined ? [] : [`--cpu=${options.cpu}`]),
  ]
}

async function connectLines(child: ChildProcess & { readonly stdout: NonNullable<ChildProcess['stdout']> }) {
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  const next = async (): Promise<unknown> => {
    const { done, value } = await lines.next()
    if (done === true) throw new Error('the responder ended')
    return JSON.parse(value)
  }
  const { port } = (await next()) as { readonly port: number }
  let last: Promise<ResponderCounters> | undefined
  const stop = async (): Promise<ResponderCounters> => {
    const ended = once(child, 'exit')
    child.kill('SIGTERM')
    const counters = (await next()) as ResponderCounters
    await ended
    return counters
  }
  const responder: Responder = {
    port,
    count: async () => {
      child.kill('SIGUSR1')
      return (await next()) as ResponderCounters
    },
    stop: () => (last ??= stop()),
    [Symbol.asyncDispose]: async () => {
      await responder.stop()
    },
  }
  return responder
}
