/**
 * Do53 over UDP: sends one query and records every response until the window closes.
 *
 * The socket is not connected: the system would hide datagrams from other sources, which are the mark of somebody on the
 * path. Therefore no ICMP message reaches it either, and a closed port is a time-out.
 *
 * Invariant: never retries and never falls back to TCP. A retry is a second measurement.
 *
 * Sources: RFC 1035 section 4.2.1; RFC 5452 section 9 (a new random port for each query).
 */
import type { Clock } from '../core/clock.ts'
import { canonicalIp } from '../core/ip-address.ts'
import type { Exchange } from '../model/observation.ts'
import { NetError, type Endpoint, type Net } from './net.ts'
import { startExchange, type ExchangeRequest, type PendingExchange } from './pending-exchange.ts'

/** One exchange over UDP. */
export interface Do53UdpRequest extends ExchangeRequest {
  readonly endpoint: Endpoint
  /** The address to ask from; the system chooses without. */
  readonly localAddress?: string
}

/**
 * Performs one exchange.
 *
 * @returns The responses, earliest first, or the failure. Network trouble is data here: the promise rejects only on a
 *   bug.
 */
export async function exchangeDo53Udp(net: Net, clock: Clock, request: Do53UdpRequest): Promise<Exchange> {
  const pending = startExchange(clock, request, 'exchange')
  const { endpoint } = request
  const address = request.localAddress ?? (endpoint.address.includes(':') ? '::' : '0.0.0.0')
  try {
    const socket = await net.bindUdp({ address, port: 0 }, handlersOf(pending, endpoint))
    try {
      if (!pending.ended) {
        pending.markSent()
        await socket.send(request.query, endpoint)
      }
      return await pending.outcome
    } finally {
      socket.close()
    }
  } catch (error) {
    if (!(error instanceof NetError)) throw error
    pending.fail(error.failure)
    return await pending.outcome
  }
}

function handlersOf(pending: PendingExchange, { address, port }: Endpoint): Parameters<Net['bindUdp']>[1] {
  const asked = canonicalIp(address)
  return {
    onDatagram: (octets, from) => {
      // Link-local sources carry their zone.
      const [source = ''] = from.address.split('%')
      if (from.port === port && canonicalIp(source) === asked) pending.accept(octets)
      else pending.count('wrongSource')
    },
    onError: (failure) => {
      pending.fail(failure)
    },
  }
}
