/**
 * Exit policies: does a relay let anything out to the public Internet?
 *
 * Exact, not a guess from the summary: a rule accepts something when some address and port that it names is matched by
 * no rule before it. The candidates are the corners of the rules' rectangles, which is enough because every region
 * between rectangles has one of them as its lowest point.
 *
 * Sources: Tor dir-spec section 2.1.3 (accept, reject, ipv6-policy, exitpattern); tor's `private` keyword.
 */
import { parsePrefix, prefixContains, type IpOctets, type IpPrefix } from '../core/ip-address.ts'

/** One rule of a policy, first match decides. */
export interface ExitRule {
  readonly accept: boolean
  readonly prefix: IpPrefix
  /** 1 to 65535. */
  readonly fromPort: number
  readonly toPort: number
}

/** Rules read from one policy; the rest is of no use to anybody but its author. */
export const POLICY_RULES_MAX = 512
/** Comparisons spent on one policy. A policy that needs more is taken as one that accepts something. */
const COMPARISONS_MAX = 200_000

/** What `private` means, and what no exit reaches from the public Internet. */
const RESERVED: readonly IpPrefix[] = [
  '0.0.0.0/8',
  '10.0.0.0/8',
  '100.64.0.0/10',
  '127.0.0.0/8',
  '169.254.0.0/16',
  '172.16.0.0/12',
  '192.0.0.0/24',
  '192.0.2.0/24',
  '192.168.0.0/16',
  '198.18.0.0/15',
  '198.51.100.0/24',
  '203.0.113.0/24',
  '224.0.0.0/3',
].flatMap((text) => parsePrefix(text) ?? [])

/**
 * Parses the rest of an `accept` or `reject` line, for example `*:80` or `192.0.2.0/24:1-1024`.
 *
 * @returns The IPv4 rules that it means (`private` is several); empty when it is malformed or about IPv6.
 */
export function parseExitRules(accept: boolean, pattern: string): readonly ExitRule[] {
  const colon = pattern.lastIndexOf(':')
  const ports = colon < 0 ? undefined : parsePortRange(pattern.slice(colon + 1))
  if (ports === undefined) return []
  const [fromPort, toPort] = ports
  return parseAddresses(pattern.slice(0, colon)).map((prefix) => ({ accept, prefix, fromPort, toPort }))
}

/** @returns Whether the rules accept at least one public IPv4 address and port. What no rule matches is accepted. */
export function acceptsPublicIpv4(rules: readonly ExitRule[]): boolean {
  const everything: ExitRule = {
    accept: true,
    prefix: { octets: new Uint8Array(4), bits: 0 },
    fromPort: 1,
    toPort: 65535,
  }
  const all: readonly ExitRule[] = [...rules.slice(0, POLICY_RULES_MAX), everything]
  const budget = { left: COMPARISONS_MAX }
  const reserved = RESERVED.map((prefix): ExitRule => ({ accept: false, prefix, fromPort: 1, toPort: 65535 }))
  for (const [index, rule] of all.entries()) {
    if (rule.accept && reachesPast(rule, [...reserved, ...all.slice(0, index).filter((r) => !r.accept)], budget))
      return true
    // The usual end of a policy; what follows is never looked at.
    if (!rule.accept && rule.prefix.bits === 0 && rule.fromPort === 1 && rule.toPort === 65535) return false
  }
  return false
}

/** @returns Whether a port list (`accept 80,443`, as in `ipv6-policy`, `p` and `p6`) accepts anything. */
export function portListAccepts(policy: string): boolean {
  const [verb, list] = policy.trim().split(/ +/, 2)
  if ((verb !== 'accept' && verb !== 'reject') || list === undefined) return false
  const listed = new Uint8Array(65_536)
  for (const part of list.split(',', 65_536)) {
    const range = parsePortRange(part)
    if (range !== undefined) listed.fill(1, range[0], range[1] + 1)
  }
  return listed.subarray(1).includes(verb === 'accept' ? 1 : 0)
}

/** @returns Whether some point of `rule` lies in none of `rejects`. */
function reachesPast(rule: ExitRule, rejects: readonly ExitRule[], budget: { left: number }): boolean {
  const near = rejects.filter((r) => overlap(r, rule))
  const addresses = [rule.prefix.octets]
  const ports = new Set([rule.fromPort])
  for (const reject of near) {
    const next = addressAfter(reject.prefix)
    if (next !== undefined && prefixContains(rule.prefix, next)) addresses.push(next)
    if (reject.toPort < rule.toPort) ports.add(reject.toPort + 1)
  }
  for (const address of addresses) {
    const rows = near.filter((r) => prefixContains(r.prefix, address))
    budget.left -= near.length
    for (const port of ports) {
      budget.left -= rows.length + 1
      if (budget.left < 0) return true
      if (port >= rule.fromPort && !rows.some((r) => port >= r.fromPort && port <= r.toPort)) return true
    }
  }
  return false
}

function overlap(a: ExitRule, b: ExitRule): boolean {
  if (a.toPort < b.fromPort || b.toPort < a.fromPort) return false
  return prefixContains(a.prefix, b.prefix.octets) || prefixContains(b.prefix, a.prefix.octets)
}

/** @returns The first IPv4 address behind a prefix; `undefined` behind the last. */
function addressAfter(prefix: IpPrefix): IpOctets | undefined {
  const [a = 0, b = 0, c = 0, d = 0] = prefix.octets
  const next = ((a << 24) | (b << 16) | (c << 8) | d) + 2 ** (32 - prefix.bits) + (a >= 128 ? 2 ** 32 : 0)
  if (next >= 2 ** 32) return undefined
  return Uint8Array.of(next / 2 ** 24, (next / 2 ** 16) & 0xff, (next >>> 8) & 0xff, next & 0xff)
}

function parseAddresses(text: string): readonly IpPrefix[] {
  if (text === '*' || text === '*4') return [{ octets: new Uint8Array(4), bits: 0 }]
  if (text === 'private') return RESERVED
  const [address = '', mask] = text.split('/', 2)
  const bits = mask?.includes('.') === true ? maskBits(mask) : mask
  const prefix = bits === undefined ? parsePrefix(address) : parsePrefix(`${address}/${bits}`)
  return prefix?.octets.length === 4 ? [prefix] : []
}

/** @returns The length of a dotted mask, as text; `x` (which no prefix has) when its ones are not contiguous. */
function maskBits(mask: string): string {
  const octets = parsePrefix(mask)?.octets
  if (octets?.length !== 4) return 'x'
  const binary = Array.from(octets, (octet) => octet.toString(2).padStart(8, '0')).join('')
  return /^1*0*$/.test(binary) ? String(binary.replace(/0+$/, '').length) : 'x'
}

function parsePortRange(text: string): readonly [number, number] | undefined {
  if (text === '*') return [1, 65535]
  const match = /^(\d{1,5})(?:-(\d{1,5}))?$/.exec(text)
  if (match === null) return undefined
  const from = Number(match[1])
  const to = Number(match[2] ?? match[1])
  return from <= to && to <= 65535 ? [Math.max(from, 1), to] : undefined
}
