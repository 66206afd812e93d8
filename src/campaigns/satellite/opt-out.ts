/**
 * Who must not be asked: addresses, prefixes, autonomous systems and names of hosts, from a file that people write.
 *
 * One entry a line: `192.0.2.1`, `192.0.2.0/24`, `2001:db8::/32`, `AS64500`, `*.example.net` (also `example.net`, for the name
 * and all below it). What follows `#` is a comment.
 *
 * **Invariant**: a line that is not understood is an error, never an entry less.
 */
import type { AddressPlan } from '../../core/address-plan.ts'
import { ConfigError } from '../../core/config-error.ts'
import { formatPrefix, parseIp, parsePrefix, truncatePrefix, type IpOctets } from '../../core/ip-address.ts'

const LINES_MAX = 1_000_000
const STARS_MAX = 8

/** Who must not be asked. */
export interface OptOut {
  /** @returns The entry that an address falls under, by itself, its prefix or its system; `undefined` for none. */
  findAddress(address: string): string | undefined
  /** @returns The entry that one of the names falls under; `undefined` for none. */
  findName(names: readonly string[]): string | undefined
  /** Whether there are entries that need the names of a host. */
  readonly hasNames: boolean
  /** Whether there are entries for autonomous systems. */
  readonly hasSystems: boolean
  /** Addresses and prefixes, as prefixes. */
  readonly prefixes: readonly string[]
}

/** Reads lists. @param path - For errors. @throws {ConfigError} With the line that is none. */
export function parseOptOut(
  files: readonly { readonly path: string; readonly text: string }[],
  plan: Pick<AddressPlan, 'lookup'>,
): OptOut {
  const byBits = new Map<number, Set<string>>()
  const systems = new Set<number>()
  const patterns: { readonly entry: string; readonly pattern: RegExp }[] = []
  for (const { path, text } of files) {
    for (const [index, line] of text.split('\n').entries()) {
      const entry = line.replace(/#.*$/, '').trim()
      if (entry === '') continue
      const place = `${path}:${index + 1}`
      if (index >= LINES_MAX) throw new ConfigError(place, `there are more than ${LINES_MAX} lines`, 'join prefixes')
      const prefix = parsePrefix(entry)
      const system = /^AS(\d{1,10})$/i.exec(entry)?.[1]
      if (prefix !== undefined) {
        const key = prefix.octets.length * 1000 + prefix.bits
        byBits.set(key, (byBits.get(key) ?? new Set()).add(formatPrefix(prefix)))
      } else if (system !== undefined) systems.add(Number(system))
      else patterns.push({ entry, pattern: compile(entry, place) })
    }
  }
  return {
    findAddress: (address) => {
      const octets = parseIp(address)
      return octets === undefined ? undefined : (findPrefix(byBits, octets) ?? findSystem(systems, octets, plan))
    },
    findName: (names) =>
      patterns.find(({ pattern }) => names.some((name) => pattern.test(name.replace(/\.$/, ''))))?.entry,
    hasNames: patterns.length > 0,
    hasSystems: systems.size > 0,
    prefixes: [...byBits.values()].flatMap((set) => [...set]),
  }
}

function findPrefix(byBits: ReadonlyMap<number, ReadonlySet<string>>, octets: IpOctets): string | undefined {
  for (const [key, prefixes] of byBits) {
    if (Math.floor(key / 1000) !== octets.length) continue
    const text = formatPrefix(truncatePrefix(octets, key % 1000))
    if (prefixes.has(text)) return text
  }
  return undefined
}

function findSystem(
  systems: ReadonlySet<number>,
  octets: IpOctets,
  plan: Pick<AddressPlan, 'lookup'>,
): string | undefined {
  if (systems.size === 0) return undefined
  const owner = plan.lookup(octets)
  return owner !== undefined && systems.has(owner.asn) ? `AS${owner.asn}` : undefined
}

function compile(entry: string, place: string): RegExp {
  const name = entry.replace(/\.$/, '')
  const stars = name.split('*').length - 1
  if (!/^[\w*-]+(?:\.[\w*-]+)+$/.test(name) || stars > STARS_MAX) {
    throw new ConfigError(
      place,
      `\`${entry}\` is no address, prefix, system or name`,
      'as in: 192.0.2.0/24, AS64500 or *.example.net',
    )
  }
  const body = name.replaceAll('.', '\\.').replaceAll(/\*+/g, '.*')
  return new RegExp(`^(?:.*\\.)?${body.replace(/^\.\*\\\./, '')}$`, 'i')
}
