/**
 * The Tor exit as a vantage: asks a DNS question through one circuit.
 *
 * The stream is announced to the session before the question is sent, so that it is bound to its circuit by its name;
 * the answer comes back on the DNSPort.
 *
 * Invariant: facts only. A failure says whether it was ours, Tor's or the circuit's, never what the exit is worth.
 */
import { withTimeout, type Clock } from '../core/clock.ts'
import { RCODE_SERVFAIL } from '../dns/rcode.ts'
import type { Circuit, ExpectedStream, TorSession } from '../tor/tor-session.ts'
import type { DnsPortClient } from './dns-port.ts'

/** The RR types that a RESOLVE cell can ask for. */
export type ResolveType = 'A' | 'AAAA'

/** What one question through an exit gave. */
export interface TorExitAnswer {
  /** RCODE from the DNSPort; `null` when nothing came back. */
  readonly rcode: number | null
  /** Addresses of the asked family, in the order of the answer, canonical. */
  readonly addresses: readonly string[]
  /** Smallest TTL of the answer, in seconds; `null` without records. */
  readonly ttlSeconds: number | null
  /** Sending → answer, in milliseconds; `null` when nothing came back. */
  readonly elapsedMs: number | null
  /** Sending → stream attached, in milliseconds: our share of the time. */
  readonly attachMs: number
  /**
   * REASON of the stream's end after RCODE 2 (`TORPROTOCOL` when our own Tor dropped an internal address); `null` after
   * any other answer, or when it did not come.
   */
  readonly streamReason: string | null
  /** Why nothing came back: `STALLED`, `CIRCUIT_CLOSED`, `TOR_GONE`, `CONTROL_…`, `STREAM_…`; `null` with an answer. */
  readonly failure: string | null
}

/** Many times what the event needs after the answer, on a loaded machine too. */
const STREAM_END_WAIT_MS = 250

const TYPE_NUMBERS = { A: 1, AAAA: 28 } as const

/** Asks questions through circuits of one session. */
export interface TorExitVantage {
  /** Asks once; always ends, at the latest after `timeoutMs`. */
  ask(circuit: Circuit, name: string, type: ResolveType, timeoutMs: number): Promise<TorExitAnswer>
}

/** A vantage over a session and its DNSPort. */
export function createTorExitVantage(session: TorSession, dnsPort: DnsPortClient, clock: Clock): TorExitVantage {
  return {
    ask: async (circuit, name, type, timeoutMs) => {
      const stream = await session.expectStream(name, circuit, timeoutMs)
      try {
        return await askExpected(dnsPort, clock, { circuit, stream, name, type, timeoutMs, gone: session.gone })
      } finally {
        stream.release()
      }
    },
  }
}

interface Question {
  readonly circuit: Circuit
  readonly stream: ExpectedStream
  readonly name: string
  readonly type: ResolveType
  readonly timeoutMs: number
  readonly gone: AbortSignal
}

async function askExpected(dnsPort: DnsPortClient, clock: Clock, question: Question): Promise<TorExitAnswer> {
  const { circuit, stream, type } = question
  const startedAtMs = clock.nowMs()
  let attachMs = 0
  let failure = 'STALLED'
  const stopped = new AbortController()
  void stream.attached.then((outcome) => {
    attachMs = clock.nowMs() - startedAtMs
    if (outcome.kind === 'attached') return
    failure = outcome.reason
    stopped.abort()
  })
  const signal = AbortSignal.any([stopped.signal, circuit.closed, question.gone])
  const answer = await dnsPort.ask(question.name, TYPE_NUMBERS[type], question.timeoutMs, signal)
  if (answer === undefined) {
    if (question.gone.aborted) failure = 'TOR_GONE'
    else if (circuit.closed.aborted) failure = 'CIRCUIT_CLOSED'
    return { rcode: null, addresses: [], ttlSeconds: null, elapsedMs: null, attachMs, streamReason: null, failure }
  }
  const { message, elapsedMs } = answer
  const kind = type === 'A' ? 'a' : 'aaaa'
  const addresses: string[] = []
  let ttlSeconds: number | null = null
  for (const { rdata, ttl } of message.answers) {
    if (rdata.kind !== kind) continue
    addresses.push(rdata.address)
    ttlSeconds = Math.min(ttl, ttlSeconds ?? ttl)
  }
  const { rcode } = message.header
  // The event comes with the answer; it is worth a wait only where it tells a lie from a failure.
  const streamReason =
    rcode === RCODE_SERVFAIL ? ((await withTimeout(clock, stream.ended, STREAM_END_WAIT_MS)) ?? null) : null
  return { rcode, addresses, ttlSeconds, elapsedMs, attachMs, streamReason, failure: null }
}
