/**
 * Resolvers as an engine asks them: over UDP, and over TCP after a truncated answer; and how fast.
 *
 * **Invariant**: addresses that the Internet's own plan calls public are always paced; those of a laboratory are public in
 * none but its own plan, so that they are exempt by what they are and by no option. Octets on sockets are bounded.
 */
import { publicAddressPlan, type AddressPlan } from '../../core/address-plan.ts'
import type { Clock } from '../../core/clock.ts'
import { ConfigError } from '../../core/config-error.ts'
import { parseIp } from '../../core/ip-address.ts'
import { encodeQuery } from '../../dns/encode-message.ts'
import type { Name } from '../../dns/name.ts'
import type { EnginePolicy } from '../../measure/engine/engine-policy.ts'
import type { EngineResolver } from '../../measure/engine/engine-task.ts'
import { groupByAs, groupByPrefix } from '../../measure/resolver-groups.ts'
import { exchangeDo53Tcp } from '../../net/do53-tcp.ts'
import { exchangeDo53Udp } from '../../net/do53-udp.ts'
import type { Net } from '../../net/net.ts'

const PORT = 53
/** Tasks that are begun, for each resolver and in all: enough that none with room waits for others, few enough to hold. */
const TASKS_PER_RESOLVER = 4
const TASKS_MIN = 512
const TASKS_MAX = 65_536
/** Open at the same time with those that listen for late answers. */
const WINDOW_PACED = { start: 1, min: 1, max: 2 }
const WINDOW_UNPACED = { start: 32, min: 32, max: 64 }
const GRACE_MS = 10_000
const LATE_WINDOW_MS = 500

/** What is asked. */
export interface DnsAsk {
  readonly name: Name
  readonly type: number
  /** 0 to 65535. */
  readonly id: number
}

/** Queries per second at most. */
export interface AskCaps {
  readonly perResolver: number
  /** For each /24 (IPv6 /48). */
  readonly perPrefix: number
  readonly perAs: number
  readonly rate: number
  /** Whether somebody asked for them: then they hold for addresses that are exempt, too. */
  readonly isAskedFor: boolean
}

/** Prepares to ask each of the addresses. */
export function createDnsResolvers<T extends DnsAsk>(
  { net, clock }: { readonly net: Net; readonly clock: Clock },
  addresses: readonly string[],
): readonly EngineResolver<T>[] {
  return addresses.map((address) => ({
    hasTcp: true,
    ask: ({ content }, { timeoutMs, lateWindowMs, isOverTcp, signal }) => {
      const { name, type, id } = content
      const query = encodeQuery({ id, name, type, recursionDesired: true })
      const request = { endpoint: { address, port: PORT }, query, timeoutMs, lateWindowMs, signal }
      return isOverTcp ? exchangeDo53Tcp(net, clock, request) : exchangeDo53Udp(net, clock, request)
    },
  }))
}

/** How the addresses are asked: once each, paced, with a window for late answers. */
export function createAskPolicy(
  addresses: readonly string[],
  caps: AskCaps,
  plan: Pick<AddressPlan, 'lookup'>,
  retry: { readonly attempts: number; readonly timeoutMs: number },
): EnginePolicy {
  const isPaced = Uint8Array.from(addresses, (address) => (caps.isAskedFor || isOnTheInternet(address) ? 1 : 0))
  const hasPaced = isPaced.includes(1)
  return {
    retry: {
      attempts: retry.attempts,
      timeoutsMs: [retry.timeoutMs],
      pauseMs: 0,
      failures: 'all',
      rcodes: [],
      truncatedOverTcp: true,
    },
    caps: {
      rate: caps.rate,
      perResolver: caps.perResolver,
      isPaced,
      groups: {
        prefixOf: groupByPrefix(addresses),
        perPrefix: caps.perPrefix,
        asOf: hasPaced ? findSystems(addresses, plan) : new Int32Array(addresses.length).fill(-1),
        perAs: caps.perAs,
      },
    },
    cooldown: null,
    window: hasPaced ? WINDOW_PACED : WINDOW_UNPACED,
    hedge: null,
    tasksMax: Math.min(TASKS_MAX, Math.max(TASKS_MIN, addresses.length * TASKS_PER_RESOLVER)),
    lateWindowMs: LATE_WINDOW_MS,
    deadlineMs: null,
    graceMs: GRACE_MS,
  }
}

/** Whether packets to an address can reach somebody else's machine. */
export function isOnTheInternet(address: string): boolean {
  const octets = parseIp(address)
  return octets === undefined || publicAddressPlan.isPublic(octets)
}

/** Without the tables of systems the other caps hold. */
function findSystems(addresses: readonly string[], plan: Pick<AddressPlan, 'lookup'>): Int32Array {
  try {
    return groupByAs(addresses, plan)
  } catch (error) {
    if (error instanceof ConfigError) return new Int32Array(addresses.length).fill(-1)
    throw error
  }
}
