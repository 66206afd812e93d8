/**
 * Streams: every one that Tor opens goes where it belongs, and nowhere else.
 *
 * With `__LeaveStreamsUnattached` Tor asks us about each stream. One that was announced goes onto its circuit; one that
 * was not is, in a Tor of our own, either a directory fetch (Tor chooses the circuit) or a stranger's (closed), and in a
 * shared Tor its user's (Tor chooses).
 *
 * ```
 * expect ─► waiting its turn ─► announced ── NEW, NEWRESOLVE ──► ATTACHSTREAM ─► attached ── CLOSED, FAILED, DETACHED ─► ended
 *                 └ time-out        └ time-out, circuit closed        └ refused
 * ```
 *
 * Invariant: a stream is bound by a key that only one announcement holds at a time: its target name, or the address that
 * its client connected from (100 of 100, and 400 of 400, right against a server's own log). Order binds nothing.
 *
 * Sources: Tor control-spec sections 3.13 (ATTACHSTREAM), 4.1.2 (STREAM); measured with Debian's 0.4.9.11.
 */
import type { Clock } from '../core/clock.ts'
import type { Log } from '../core/log.ts'
import { ControlError, type ControlClient, type ControlReply } from './control-client.ts'
import { parseControlFields } from './control-parser.ts'
import { createKeyedTurns, type KeyedTurns } from './keyed-turns.ts'
import type { Circuit, ExpectedStream, StreamOutcome } from './tor-session.ts'

/** CLOSESTREAM reasons of Tor's protocol: MISC. */
const REASON_MISC = 1

/** A stream that appears at the last moment is still attached in peace. */
const ATTACH_TIMEOUT_MS_MIN = 1_000

/** What a stream is recognised by. */
export type StreamKey =
  | { readonly kind: 'name'; readonly target: string }
  /** The `address:port` that a SOCKS client connects from. */
  | { readonly kind: 'source'; readonly source: string }

/** An announced stream that may outlive its announcement. */
export interface AnnouncedStream extends ExpectedStream {
  /** Gives up the key and leaves the stream open: from now on it ends when its client, its target or its circuit does. */
  letGo(): void
}

/** The streams of one session. */
export interface StreamTable {
  /** As {@link TorSession.expectStream}, for any key. */
  expect(key: StreamKey, circuit: Circuit, timeoutMs: number): Promise<AnnouncedStream>
  /** Gives streams that were opened before we watched to Tor. */
  adoptExisting(): Promise<void>
}

/** Who else opens streams in this Tor. */
export type StreamOwnership = 'own' | 'shared'

interface Expectation {
  readonly circuit: Circuit
  readonly attached: PromiseWithResolvers<StreamOutcome>
  readonly ended: PromiseWithResolvers<string>
  readonly deadlineMs: number
  streamId: string | undefined
  /** Why the stream ended, once it has. */
  endReason: string | undefined
}

/** Watches the streams of a session; the caller has subscribed to STREAM events. */
export function createStreamTable(
  client: ControlClient,
  clock: Clock,
  log: Log,
  ownership: StreamOwnership,
): StreamTable {
  const table = new Streams(client, clock, log, ownership)
  return {
    expect: (key, circuit, timeoutMs) => table.expect(key, circuit, timeoutMs),
    adoptExisting: () => giveWaitingStreamsToTor(client),
  }
}

/**
 * Gives every stream that waits for a controller to Tor: restoring `__LeaveStreamsUnattached` alone wakes none of them.
 *
 * @throws {ControlError}
 */
export async function giveWaitingStreamsToTor(client: ControlClient): Promise<void> {
  const ids: string[] = []
  const take = (line: string): void => {
    const id = /^(\d+) (?:NEW|NEWRESOLVE|DETACHED|CONTROLLER_WAIT) 0 /.exec(line)?.[1]
    if (id !== undefined) ids.push(id)
  }
  const reply = await client.expectOk('GETINFO stream-status', { onData: take })
  take((reply.lines[0]?.text ?? '').replace('stream-status=', ''))
  // Tor refuses those that do not wait for us; that is as good.
  for (const id of ids) await client.command(`ATTACHSTREAM ${id} 0`)
}

class Streams {
  readonly #client: ControlClient
  readonly #clock: Clock
  readonly #log: Log
  readonly #ownership: StreamOwnership
  readonly #announced: KeyedTurns<Expectation>
  /** By stream id. */
  readonly #bound = new Map<string, Expectation>()

  constructor(client: ControlClient, clock: Clock, log: Log, ownership: StreamOwnership) {
    this.#client = client
    this.#clock = clock
    this.#log = log
    this.#ownership = ownership
    this.#announced = createKeyedTurns(clock)
    client.onEvent('STREAM', ({ text }) => {
      this.#take(text)
    })
    client.gone.addEventListener('abort', () => {
      for (const expectation of [...this.#announced.end(), ...this.#bound.values()]) {
        settle(expectation, 'TOR_GONE')
      }
    })
  }

  async expect(streamKey: StreamKey, circuit: Circuit, timeoutMs: number): Promise<AnnouncedStream> {
    const key = streamKey.kind === 'name' ? nameKey(streamKey.target) : sourceKey(streamKey.source)
    const deadlineMs = this.#clock.nowMs() + timeoutMs
    const expectation: Expectation = {
      circuit,
      attached: Promise.withResolvers(),
      ended: Promise.withResolvers(),
      deadlineMs,
      streamId: undefined,
      endReason: undefined,
    }
    const isOurs = await this.#announced.take(key, expectation, timeoutMs)
    if (!isOurs) settle(expectation, this.#client.gone.aborted ? 'TOR_GONE' : 'NAME_BUSY')
    else if (circuit.closed.aborted) settle(expectation, 'CIRCUIT_CLOSED')
    const timer = this.#clock.setTimer(Math.max(0, deadlineMs - this.#clock.nowMs()), () => {
      if (expectation.streamId === undefined) settle(expectation, 'STREAM_NOT_SEEN')
    })
    const onClosed = (): void => {
      settle(expectation, this.#client.gone.aborted ? 'TOR_GONE' : 'CIRCUIT_CLOSED')
    }
    circuit.closed.addEventListener('abort', onClosed)
    const letGo = (): void => {
      timer.cancel()
      circuit.closed.removeEventListener('abort', onClosed)
      this.#announced.release(key, expectation)
    }
    const release = (): void => {
      letGo()
      const id = expectation.streamId
      if (id !== undefined && this.#bound.delete(id)) void this.#closeStream(id)
      settle(expectation, 'RELEASED')
    }
    return { attached: expectation.attached.promise, ended: expectation.ended.promise, letGo, release }
  }

  #take(text: string): void {
    const { words, named } = parseControlFields(text)
    const [id = '', status = '', , target = ''] = words
    if (status === 'NEW' || status === 'NEWRESOLVE') {
      const expectation =
        this.#announced.holder(nameKey(hostOf(target))) ??
        this.#announced.holder(sourceKey(named.get('SOURCE_ADDR') ?? ''))
      if (expectation === undefined) void this.#handleUnknown(id, named.get('PURPOSE') ?? '')
      else this.#handleAnnounced(id, expectation)
    } else if (status === 'FAILED' || status === 'CLOSED') {
      const expectation = this.#bound.get(id)
      if (status === 'CLOSED') this.#bound.delete(id)
      const reason = reasonOf(named)
      if (expectation !== undefined) finish(expectation, reason)
    } else if (status === 'DETACHED') {
      const reason = `DETACHED_${reasonOf(named)}`
      const expectation = this.#bound.get(id)
      if (expectation === undefined) {
        // The circuit under a stream of somebody else failed; Tor waits for us to allow another.
        void this.#giveToTor(id)
        return
      }
      finish(expectation, reason)
      // Ours waits for another circuit, and there is none: a retry is a second measurement.
      void this.#closeStream(id)
    }
  }

  #handleAnnounced(id: string, expectation: Expectation): void {
    // A second stream of one announcement (a client that asks twice) takes the same way but is not reported.
    if (expectation.streamId === undefined) {
      expectation.streamId = id
      this.#bound.set(id, expectation)
    }
    void this.#attach(id, expectation)
  }

  async #attach(id: string, expectation: Expectation): Promise<void> {
    if (expectation.circuit.closed.aborted) {
      settle(expectation, 'CIRCUIT_CLOSED')
      await this.#closeStream(id)
      return
    }
    try {
      const timeoutMs = Math.max(ATTACH_TIMEOUT_MS_MIN, expectation.deadlineMs - this.#clock.nowMs())
      const reply = await this.#sendAttach(id, expectation.circuit.id, timeoutMs)
      if (reply?.status === 250) {
        expectation.attached.resolve({ kind: 'attached', streamId: id, controlRoundTripMs: reply.elapsedMs })
        return
      }
      // Refused because the stream had ended meanwhile: then the end is the reason.
      settle(expectation, expectation.endReason ?? `CONTROL_${reply?.status ?? 0}`)
      await this.#closeStream(id)
    } catch (error) {
      ignoreControlError(error)
      settle(expectation, this.#client.gone.aborted ? 'TOR_GONE' : 'CONTROL_TIMEOUT')
    }
  }

  /**
   * In a shared Tor our circuits have the purpose `controller`, so that nobody else's stream gets onto them. A question to
   * the DNSPort on such a circuit makes Tor end itself with a failed assertion (0.4.9.11, connection_edge.c:3537): for the
   * moment of attaching it must be `general`. In one write there is no other moment between.
   */
  async #sendAttach(id: string, circuitId: string, timeoutMs: number): Promise<ControlReply | undefined> {
    const attach = `ATTACHSTREAM ${id} ${circuitId}`
    if (this.#ownership === 'own') return this.#client.command(attach, { timeoutMs })
    const setPurpose = `SETCIRCUITPURPOSE ${circuitId} purpose=`
    const replies = await this.#client.batch([`${setPurpose}general`, attach, `${setPurpose}controller`], { timeoutMs })
    return replies[1]
  }

  async #handleUnknown(id: string, purpose: string): Promise<void> {
    if (this.#ownership === 'shared' || purpose.startsWith('DIR')) {
      await this.#giveToTor(id)
      return
    }
    this.#log.warn('tor.stream.unknown_closed', { purpose })
    await this.#closeStream(id)
  }

  /** Circuit 0: whichever Tor likes. */
  async #giveToTor(id: string): Promise<void> {
    await this.#client.command(`ATTACHSTREAM ${id} 0`).catch(ignoreControlError)
  }

  async #closeStream(id: string): Promise<void> {
    await this.#client.command(`CLOSESTREAM ${id} ${REASON_MISC}`).catch(ignoreControlError)
  }
}

/** A stream ended. Whether it was attached before is for the reply to ATTACHSTREAM to say, which may still be under way. */
function finish(expectation: Expectation, reason: string): void {
  expectation.endReason ??= `STREAM_${reason}`
  expectation.ended.resolve(reason)
}

/** Resolves both promises; what was resolved before stays as it is. */
function settle(expectation: Expectation, reason: string): void {
  expectation.attached.resolve({ kind: 'failed', reason })
  expectation.ended.resolve(reason)
}

function nameKey(target: string): string {
  return `name ${target.toLowerCase()}`
}

function sourceKey(source: string): string {
  return `source ${source}`
}

/** Tor's own reason, or the exit's where Tor only passes that on. */
function reasonOf(named: ReadonlyMap<string, string>): string {
  const reason = named.get('REASON') ?? 'NONE'
  return reason === 'END' ? (named.get('REMOTE_REASON') ?? reason) : reason
}

/** `name:port` without the port. */
function hostOf(target: string): string {
  const colon = target.lastIndexOf(':')
  return colon < 0 ? target : target.slice(0, colon)
}

function ignoreControlError(error: unknown): void {
  if (!(error instanceof ControlError)) throw error
}
