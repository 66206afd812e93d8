/**
 * One question without recursion to one authoritative server: over UDP, and over TCP when the answer was cut off.
 *
 * Invariant: asks public addresses only, for they come from other people's glue; addresses that the configuration names
 * are the operator's own and are asked whatever they are. Never rejects on a network outcome.
 */
import type { AddressPlan } from '../../core/address-plan.ts'
import type { Clock } from '../../core/clock.ts'
import { parseIp } from '../../core/ip-address.ts'
import { randomInt, type Random } from '../../core/random.ts'
import { decodeMessage } from '../../dns/decode-message.ts'
import { encodeQuery } from '../../dns/encode-message.ts'
import type { DnsMessage } from '../../dns/message.ts'
import type { Name } from '../../dns/name.ts'
import type { Exchange } from '../../model/observation.ts'
import type { Net } from '../../net/net.ts'
import { openResolver } from '../../vantages/resolver.ts'

const PORT = 53
/** Glue that leads to a private address leads nowhere. */
const NOT_ALLOWED: Exchange = {
  kind: 'failure',
  operation: 'connect',
  failure: 'network_unreachable',
  side: 'us',
  elapsedMs: 0,
  oddities: { wrongId: 0, wrongSource: 0, wrongQuestion: 0, malformed: 0 },
}

/** What asking needs. `clock` counts time-outs. */
export interface AskServerCapabilities {
  readonly net: Net
  readonly clock: Clock
  readonly random: Random
  readonly addressPlan: AddressPlan
  readonly timeoutMs: number
  /** Addresses that are asked whatever the plan says. */
  readonly trusted: ReadonlySet<string>
}

/** Asks. */
export async function askServer(
  capabilities: AskServerCapabilities,
  address: string,
  name: Name,
  type: number,
): Promise<Exchange> {
  const octets = parseIp(address)
  const isAllowed = octets !== undefined && capabilities.addressPlan.isPublic(octets)
  if (!isAllowed && !capabilities.trusted.has(address)) return NOT_ALLOWED
  const first = await askOver(capabilities, 'udp', address, name, type)
  return decodeFirst(first)?.header.truncated === true ? askOver(capabilities, 'tcp', address, name, type) : first
}

/** The first response of an exchange; `undefined` when there is none, or it is malformed. */
export function decodeFirst(exchange: Exchange): DnsMessage | undefined {
  if (exchange.kind === 'failure') return undefined
  const decoded = decodeMessage(exchange.responses[0].octets)
  return decoded.kind === 'message' ? decoded.message : undefined
}

async function askOver(
  capabilities: AskServerCapabilities,
  transport: 'udp' | 'tcp',
  address: string,
  name: Name,
  type: number,
): Promise<Exchange> {
  const { timeoutMs, random } = capabilities
  const query = encodeQuery({ id: randomInt(random, 0x1_0000), name, type, recursionDesired: false, edns: {} })
  const vantage = openResolver(capabilities, { transport, endpoint: { address, port: PORT } }, timeoutMs)
  try {
    return await vantage.exchange({ query, timeoutMs, lateWindowMs: 0 })
  } finally {
    vantage.close()
  }
}
