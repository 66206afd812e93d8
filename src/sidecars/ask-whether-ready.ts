/**
 * Asks a resolver of our own over UDP whether it answers.
 *
 * **Invariant**: the name is answered from the configuration; nobody else hears of the question.
 *
 * Sources: RFC 1035 section 4.1.
 */
import { sleep, type Clock } from '../core/clock.ts'
import { canonicalIp } from '../core/ip-address.ts'
import { NetError, type Endpoint, type Net } from '../net/net.ts'
import { READY_NAME } from './smartdns-config.ts'

/** After a question without answer the next one follows. */
const ANSWER_MS = 20
const TYPE_A_CLASS_IN = [0, 1, 0, 1]
const FLAG_RESPONSE = 0x80

/** One question. */
export interface ReadyQuestion {
  readonly clock: Clock
  readonly net: Net
  /** Where the resolver listens; the wildcard addresses are asked over loopback. */
  readonly listen: Endpoint
  /** 0 to 65,535. */
  readonly id: number
  readonly signal: AbortSignal
}

/** @returns Whether an answer came within 20 ms. */
export async function askWhetherReady({ clock, net, listen, id, signal }: ReadyQuestion): Promise<boolean> {
  const answered = new AbortController()
  const to = { address: reach(listen.address), port: listen.port }
  const waiting = AbortSignal.any([signal, answered.signal])
  const ended = sleep(clock, ANSWER_MS, waiting)
  try {
    const socket = await net.bindUdp(
      { address: to.address.includes(':') ? '::' : '0.0.0.0', port: 0 },
      {
        onDatagram: (octets) => {
          const [high = 0, low = 0, flags = 0] = octets
          if (high * 256 + low === id && (flags & FLAG_RESPONSE) !== 0) answered.abort()
        },
        onError: () => {
          // The wait ends without an answer.
        },
      },
    )
    try {
      await socket.send(encodeQuestion(id), to)
      await ended
    } finally {
      socket.close()
    }
  } catch (error) {
    if (!(error instanceof NetError)) throw error
    await ended
  }
  return answered.signal.aborted
}

function reach(address: string): string {
  const canonical = canonicalIp(address)
  if (canonical === '0.0.0.0') return '127.0.0.1'
  return canonical === '::' ? '::1' : address
}

function encodeQuestion(id: number): Uint8Array {
  const labels = READY_NAME.split('.').flatMap((label) => [label.length, ...new TextEncoder().encode(label)])
  return new Uint8Array([id >> 8, id & 0xff, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, ...labels, 0, ...TYPE_A_CLASS_IN])
}
