/**
 * The list of resolvers: one address a line, with `#PORT` or `:PORT` where it is not 53.
 *
 * Invariant: keeps the order of the list; an address that comes twice is taken once.
 */
import { type AddressPlan, findReservedRange } from '../../core/address-plan.ts'
import { ConfigError } from '../../core/config-error.ts'
import { formatIp, parseIp } from '../../core/ip-address.ts'
import type { BulkResolver } from '../../net/bulk-backend.ts'

const DNS_PORT = 53
/** Each costs some hundred octets. */
const RESOLVERS_MAX = 1_000_000
/** What belongs to oneself or to the network one is in: nobody else is bothered. */
const OWN_RANGES = new Set(['loopback', 'private use', 'link-local', 'unique local'])

/** Parses `IP`, `IP#PORT`, `IPv4:PORT` or `[IPv6]:PORT`. @returns `undefined` when the text is none of them. */
export function parseResolverAddress(text: string): { readonly address: string; readonly port: number } | undefined {
  const match = /^(?:\[([^\]]+)\](?::(\d{1,5}))?|([\d.]+):(\d{1,5})|([^#[\]]+)(?:#(\d{1,5}))?)$/.exec(text)
  const octets = parseIp(match?.[1] ?? match?.[3] ?? match?.[5] ?? '')
  const port = Number(match?.[2] ?? match?.[4] ?? match?.[6] ?? DNS_PORT)
  if (octets === undefined || port < 1 || port > 65_535) return undefined
  return { address: formatIp(octets), port }
}

/**
 * Parses the list.
 *
 * @param path - Where it comes from, for errors.
 * @param plan - Says which addresses are public: those are paced, and so is everything that is not known to be one's own.
 * @throws {ConfigError} For the first line that is no resolver, and when there is none.
 */
export function parseResolverList(text: string, path: string, plan: AddressPlan): readonly BulkResolver[] {
  const resolvers = new Map<string, BulkResolver>()
  for (const [index, line] of text.split('\n').entries()) {
    const word = line.replace(/#\s.*$|^#.*$/, '').trim()
    if (word === '') continue
    const parsed = parseResolverAddress(word)
    if (parsed === undefined) {
      throw new ConfigError(`${path}:${index + 1}`, `\`${word}\` is no address of a resolver`, 'as in: 192.0.2.1#53')
    }
    const key = `${parsed.address}#${parsed.port}`
    if (!resolvers.has(key)) resolvers.set(key, { ...parsed, isPaced: isPacedResolver(parsed.address, plan) })
    if (resolvers.size > RESOLVERS_MAX)
      throw new ConfigError(path, `there are more than ${RESOLVERS_MAX} resolvers in it`, 'split the list')
  }
  if (resolvers.size === 0) throw new ConfigError(path, 'there is no resolver in it', 'write one address a line')
  return [...resolvers.values()]
}

/** Whether the pace for public resolvers holds for an address: whatever is not known to be one's own. */
export function isPacedResolver(address: string, plan: AddressPlan): boolean {
  const octets = parseIp(address)
  if (octets === undefined || plan.isPublic(octets)) return true
  return !OWN_RANGES.has(findReservedRange(octets)?.name ?? '')
}
