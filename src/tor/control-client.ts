/**
 * One control connection to a Tor process: commands in order, events apart.
 *
 * Replies carry no number; the first reply belongs to the first command. A command that timed out therefore keeps its
 * place in the queue until its reply comes, so that nobody else gets it.
 *
 * Invariant: when the connection dies, every pending command fails at once. No command line is ever logged: some carry
 * secrets.
 *
 * Sources: Tor control-spec sections 2 and 3.
 */
import { assert } from '../core/assert.ts'
import type { Clock, Timer } from '../core/clock.ts'
import { NetError, type Connection } from '../net/net.ts'
import { ControlProtocolError, createControlParser, type ControlParser, type ReplyLine } from './control-parser.ts'

/** How long a command may take; Tor answers within milliseconds unless it is stuck. */
const COMMAND_TIMEOUT_MS = 15_000
/** Commands that wait for their reply. Far above what 128 circuits in flight produce. */
const PENDING_MAX = 16_384
/** Octets of all data blocks of one reply: descriptors of ten thousand relays are about 30 MiB. */
const DATA_OCTETS_MAX = 268_435_456

/** A complete reply. */
export interface ControlReply {
  /** Status of the last line: 250 when all went well. */
  readonly status: number
  readonly lines: readonly ReplyLine[]
  /** From sending the command to the whole reply, in milliseconds. */
  readonly elapsedMs: number
}

/** An asynchronous event; data blocks of events are not kept. */
export interface ControlEvent {
  /** `CIRC`, `STREAM`, … */
  readonly keyword: string
  /** The rest of the line. */
  readonly text: string
}

/** How a command is sent. */
export interface CommandOptions {
  /** Default 15,000. */
  readonly timeoutMs?: number
  /** Receives each line of the reply's data blocks. Without it they are dropped. */
  readonly onData?: (line: string) => void
}

/** A control connection. */
export interface ControlClient {
  /** Aborts when the connection is gone, with a {@link ControlError} as reason. */
  readonly gone: AbortSignal
  /**
   * Sends one command.
   *
   * @returns The reply, whatever its status.
   * @throws {ControlError} When the connection is gone or no reply comes in time.
   */
  command(line: string, options?: CommandOptions): Promise<ControlReply>
  /** As {@link command}. @throws {ControlError} Also when the status is not 250. */
  expectOk(line: string, options?: CommandOptions): Promise<ControlReply>
  /** Calls `handler` for each event of `keyword`, until the connection ends. */
  onEvent(keyword: string, handler: (event: ControlEvent) => void): void
  close(): void
}

/** A command got no reply, or one that says no. */
export class ControlError extends Error {
  override readonly name = 'ControlError'
  /** Tor's status; 0 when there was no reply. */
  readonly status: number

  constructor(status: number, message: string, options?: ErrorOptions) {
    super(message, options)
    this.status = status
  }
}

interface Pending {
  readonly sentAtMs: number
  readonly onData: ((line: string) => void) | undefined
  readonly resolve: (reply: ControlReply) => void
  readonly reject: (error: ControlError) => void
  readonly timer: Timer
  dataOctets: number
}

/** Speaks the control protocol over a connection, which it owns from now on. */
export function createControlClient(connection: Connection, clock: Clock): ControlClient {
  const pending: Pending[] = []
  const handlers = new Map<string, ((event: ControlEvent) => void)[]>()
  const gone = new AbortController()
  const encoder = new TextEncoder()

  const die = (error: ControlError): void => {
    if (gone.signal.aborted) return
    connection.close()
    gone.abort(error)
    for (const entry of pending.splice(0)) {
      entry.timer.cancel()
      entry.reject(error)
    }
  }

  const parser = createControlParser({
    onData: (line, opener) => {
      const entry = pending[0]
      if (opener.status >= 600 || entry === undefined) return
      entry.dataOctets += line.length + 1
      if (entry.dataOctets > DATA_OCTETS_MAX) throw new ControlProtocolError('a reply that is too long')
      entry.onData?.(line)
    },
    onReply: (lines) => {
      const status = lines.at(-1)?.status ?? 0
      if (status >= 600) {
        dispatchEvent(handlers, lines[0]?.text ?? '')
        return
      }
      const entry = pending.shift()
      if (entry === undefined) throw new ControlProtocolError('a reply that nobody asked for')
      entry.timer.cancel()
      entry.resolve({ status, lines, elapsedMs: clock.nowMs() - entry.sentAtMs })
    },
  })

  const command = (line: string, options: CommandOptions = {}): Promise<ControlReply> => {
    assert(!/[\r\n\0]/.test(line), 'a control command is one line')
    if (gone.signal.aborted) return Promise.reject(goneReason(gone.signal))
    if (pending.length >= PENDING_MAX) return Promise.reject(new ControlError(0, 'too many control commands pending'))
    const { promise, resolve, reject } = Promise.withResolvers<ControlReply>()
    const timeoutMs = options.timeoutMs ?? COMMAND_TIMEOUT_MS
    const timer = clock.setTimer(timeoutMs, () => {
      reject(new ControlError(0, `Tor did not answer ${line.split(' ', 1)[0] ?? ''} within ${timeoutMs} ms`))
    })
    pending.push({ sentAtMs: clock.nowMs(), onData: options.onData, resolve, reject, timer, dataOctets: 0 })
    connection.write(encoder.encode(`${line}\r\n`)).catch((error: unknown) => {
      die(new ControlError(0, 'the control connection broke', { cause: error }))
    })
    return promise
  }

  void readAll(connection, parser, die)
  return {
    gone: gone.signal,
    command,
    expectOk: async (line, options) => {
      const reply = await command(line, options)
      if (reply.status === 250) return reply
      const keyword = line.split(' ', 1)[0] ?? ''
      throw new ControlError(reply.status, `Tor refused ${keyword}: ${reply.status} ${reply.lines.at(-1)?.text ?? ''}`)
    },
    onEvent: (keyword, handler) => {
      handlers.set(keyword, [...(handlers.get(keyword) ?? []), handler])
    },
    close: () => {
      die(new ControlError(0, 'the control connection was closed'))
    },
  }
}

/** The error that ended a connection. */
export function goneReason(gone: AbortSignal): ControlError {
  return gone.reason instanceof ControlError
    ? gone.reason
    : new ControlError(0, 'the control connection is gone', { cause: gone.reason })
}

function dispatchEvent(handlers: ReadonlyMap<string, readonly ((event: ControlEvent) => void)[]>, line: string): void {
  const space = line.indexOf(' ')
  const keyword = space < 0 ? line : line.slice(0, space)
  const event: ControlEvent = { keyword, text: space < 0 ? '' : line.slice(space + 1) }
  for (const handler of handlers.get(keyword) ?? []) handler(event)
}

/** Reads until the connection ends. Its length is that of the connection, which `die` bounds. */
async function readAll(
  connection: Connection,
  parser: ControlParser,
  die: (error: ControlError) => void,
): Promise<void> {
  try {
    for (;;) {
      const octets = await connection.read()
      if (octets === undefined) break
      parser.feed(octets)
    }
    die(new ControlError(0, 'Tor closed the control connection'))
  } catch (error) {
    die(new ControlError(0, 'the control connection broke', { cause: error }))
    if (!(error instanceof NetError) && !(error instanceof ControlProtocolError)) throw error
  }
}
