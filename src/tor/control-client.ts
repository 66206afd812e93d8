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
  /** The rest of its first line. */
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
  /**
   * Sends several commands in one write, so that Tor carries them out one after the other with nothing between.
   *
   * @returns The replies in order. @throws {ControlError} As {@link command}.
   */
  batch(lines: readonly string[], options?: CommandOptions): Promise<readonly ControlReply[]>
  /** As {@link command}. @throws {ControlError} Also when the status is not 250. */
  expectOk(line: string, options?: CommandOptions): Promise<ControlReply>
  /** Calls `handler` for each event of `keyword`, until the connection ends. */
  onEvent(keyword: string, handler: (event: ControlEvent) => void): void
  /** Ends the connection; `reason` is what everybody who waits is told. */
  close(reason?: string): void
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
  const queue = new CommandQueue(connection, clock)
  const command = async (line: string, options: CommandOptions = {}): Promise<ControlReply> => {
    const [reply] = await queue.send([line], options)
    assert(reply !== undefined, 'one command, one reply')
    return reply
  }
  return {
    gone: queue.gone,
    command,
    batch: (lines, options = {}) => queue.send(lines, options),
    expectOk: async (line, options) => {
      const reply = await command(line, options)
      if (reply.status === 250) return reply
      const keyword = line.split(' ', 1)[0] ?? ''
      throw new ControlError(reply.status, `Tor refused ${keyword}: ${reply.status} ${reply.lines.at(-1)?.text ?? ''}`)
    },
    onEvent: (keyword, handler) => {
      queue.onEvent(keyword, handler)
    },
    close: (reason = 'the control connection was closed') => {
      queue.die(new ControlError(0, reason))
    },
  }
}

class CommandQueue {
  readonly #connection: Connection
  readonly #clock: Clock
  readonly #parser: ControlParser
  readonly #gone = new AbortController()
  readonly #handlers = new Map<string, readonly ((event: ControlEvent) => void)[]>()
  /** Those whose reply has not come, oldest first; also those that gave up waiting. */
  readonly #pending: Pending[] = []

  constructor(connection: Connection, clock: Clock) {
    this.#connection = connection
    this.#clock = clock
    this.#parser = createControlParser({
      onData: (line, opener) => {
        if (opener.status < 600) this.#takeData(line)
      },
      onReply: (lines) => {
        this.#takeReply(lines)
      },
    })
    void this.#readAll()
  }

  get gone(): AbortSignal {
    return this.#gone.signal
  }

  onEvent(keyword: string, handler: (event: ControlEvent) => void): void {
    this.#handlers.set(keyword, [...(this.#handlers.get(keyword) ?? []), handler])
  }

  async send(lines: readonly string[], options: CommandOptions): Promise<readonly ControlReply[]> {
    const areLines = lines.every((line) => !/[\r\n\0]/.test(line))
    assert(areLines, 'a control command is one line')
    if (this.gone.aborted) throw goneReason(this.gone)
    if (this.#pending.length + lines.length > PENDING_MAX) {
      throw new ControlError(0, 'too many control commands pending')
    }
    const replies = Promise.all(lines.map((line) => this.#enqueue(line, options)))
    const octets = new TextEncoder().encode(lines.map((line) => `${line}\r\n`).join(''))
    this.#connection.write(octets).catch((error: unknown) => {
      this.die(new ControlError(0, 'the control connection broke', { cause: error }))
    })
    return replies
  }

  die(error: ControlError): void {
    if (this.gone.aborted) return
    this.#connection.close()
    this.#gone.abort(error)
    for (const entry of this.#pending.splice(0)) {
      entry.timer.cancel()
      entry.reject(error)
    }
  }

  #enqueue(line: string, { onData, timeoutMs = COMMAND_TIMEOUT_MS }: CommandOptions): Promise<ControlReply> {
    const { promise, resolve, reject } = Promise.withResolvers<ControlReply>()
    const timer = this.#clock.setTimer(timeoutMs, () => {
      reject(new ControlError(0, `Tor did not answer ${line.split(' ', 1)[0] ?? ''} within ${timeoutMs} ms`))
    })
    this.#pending.push({ sentAtMs: this.#clock.nowMs(), onData, resolve, reject, timer, dataOctets: 0 })
    return promise
  }

  #takeData(line: string): void {
    const [entry] = this.#pending
    if (entry === undefined) return
    entry.dataOctets += line.length + 1
    if (entry.dataOctets > DATA_OCTETS_MAX) throw new ControlProtocolError('a reply that is too long')
    entry.onData?.(line)
  }

  #takeReply(lines: readonly ReplyLine[]): void {
    const status = lines.at(-1)?.status ?? 0
    if (status >= 600) {
      const event = parseEvent(lines[0]?.text ?? '')
      for (const handler of this.#handlers.get(event.keyword) ?? []) handler(event)
      return
    }
    const entry = this.#pending.shift()
    if (entry === undefined) throw new ControlProtocolError('a reply that nobody asked for')
    entry.timer.cancel()
    entry.resolve({ status, lines, elapsedMs: this.#clock.nowMs() - entry.sentAtMs })
  }

  /** Reads until the connection ends. */
  async #readAll(): Promise<void> {
    try {
      for (let octets = await this.#connection.read(); octets !== undefined; octets = await this.#connection.read()) {
        this.#parser.feed(octets)
      }
      this.die(new ControlError(0, 'Tor closed the control connection'))
    } catch (error) {
      this.die(new ControlError(0, 'the control connection broke', { cause: error }))
      if (!(error instanceof NetError) && !(error instanceof ControlProtocolError)) throw error
    }
  }
}

/** The error that ended a connection. */
export function goneReason(gone: AbortSignal): ControlError {
  return gone.reason instanceof ControlError
    ? gone.reason
    : new ControlError(0, 'the control connection is gone', { cause: gone.reason })
}

function parseEvent(line: string): ControlEvent {
  const space = line.indexOf(' ')
  return space < 0 ? { keyword: line, text: '' } : { keyword: line.slice(0, space), text: line.slice(space + 1) }
}
