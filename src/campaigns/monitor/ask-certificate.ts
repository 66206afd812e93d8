/**
 * Whether a new address can show a certificate for the name: a TLS handshake under the name, and nothing else.
 *
 * Invariant: connects to public addresses only, because the address came from an answer that may be a lie.
 */
import type { AddressPlan } from '../../core/address-plan.ts'
import { parseIp } from '../../core/ip-address.ts'
import type { Corroboration } from '../../model/monitor-round.ts'
import { NetError, type Net } from '../../net/net.ts'

const PORT = 443

/** Asks one address. `unknown` when it is not public, or nobody listens there. Never rejects on a network outcome. */
export async function askCertificate(
  { net, addressPlan }: { readonly net: Net; readonly addressPlan: AddressPlan },
  address: string,
  domain: string,
  timeoutMs: number,
): Promise<Corroboration['tls']> {
  const octets = parseIp(address)
  if (octets === undefined || !addressPlan.isPublic(octets)) return 'unknown'
  const options = { serverName: domain, mode: 'strict', alpn: ['h2', 'http/1.1'] } as const
  try {
    const connection = await net.connectTls({ address, port: PORT }, options, timeoutMs)
    connection.close()
    return 'valid'
  } catch (error) {
    if (!(error instanceof NetError)) throw error
    return error.failure.startsWith('ssl_') ? 'invalid' : 'unknown'
  }
}
