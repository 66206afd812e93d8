/**
 * A zone in memory: what was configured, as a table of nodes that {@link lookUp} can answer from.
 *
 * Without records of its own a zone has SOA, NS, A and AAAA at its apex and A and AAAA at its wildcard. Explicit records
 * (a signed zone, a bogus one) are added; where they name a type at a name, they replace what would be made there.
 *
 * Sources: RFC 1034 section 4.3.2, RFC 4592 (wildcards, empty non-terminals), RFC 2308 (SOA of negative answers).
 */
import { ConfigError } from '../core/config-error.ts'
import { formatIp, parseIp } from '../core/ip-address.ts'
import type { Limit } from '../core/limit.ts'
import type { ResourceRecord } from '../dns/message.ts'
import { formatName, nameIsUnder, parseName, type Name } from '../dns/name.ts'
import { CLASS_IN, TYPE_A, TYPE_AAAA, TYPE_NS, TYPE_NSEC, TYPE_RRSIG, TYPE_SOA } from '../dns/rr-type.ts'
import type { Rdata } from '../dns/rdata.ts'
import { canonicalKey, nodeKey } from './node-key.ts'

/** TTL of everything in a zone that Candor makes. */
export const ZONE_TTL_LIMIT: Limit = {
  default: 60,
  min: 0,
  max: 86_400,
  unit: 's',
  why: 'every name is asked once, so a long life only fills caches; a minute lets the zone itself be changed',
}

/** What a person says about a zone. */
export interface ZoneConfig {
  /** `probe.example.org`. */
  readonly name: string
  /** Addresses of the wildcard, IPv4 and IPv6; empty for a zone without one, whose names do not exist. */
  readonly addresses: readonly string[]
  /** Addresses of the apex; those of the wildcard when absent. */
  readonly apexAddresses?: readonly string[]
  /** The zone's name servers; `ns1.ZONE` without addresses when absent. Addresses count for names in the zone only. */
  readonly nameServers?: readonly { readonly name: string; readonly addresses: readonly string[] }[]
  readonly ttlSeconds?: number
  /** Serial number of the SOA; 1 when absent. */
  readonly serial?: number
  /** Explicit records, at or below the zone's name. RRSIGs go with the RRset that they cover. */
  readonly records?: readonly ResourceRecord[]
}

/** Records of one name and type. */
export interface RrSet {
  readonly records: readonly ResourceRecord[]
  /** RRSIGs that cover them; sent when the query says DO. */
  readonly signatures: readonly ResourceRecord[]
}

/** A name that exists; without RRsets it is an empty non-terminal. */
export interface ZoneNode {
  readonly rrsets: ReadonlyMap<number, RrSet>
}

/** A zone that can be asked. */
export interface Zone {
  readonly apex: Name
  /** {@link nodeKey} → node. */
  readonly nodes: ReadonlyMap<string, ZoneNode>
  readonly soa: RrSet
  /** NSEC RRsets in canonical order of their owners; empty in an unsigned zone. */
  readonly nsecs: readonly { readonly canonicalKey: string; readonly rrset: RrSet }[]
}

/** Builds a zone. @throws {ConfigError} When a name, an address or a record cannot stand in it. */
export function createZone(config: ZoneConfig): Zone {
  const apex = readName(config.name)
  const records = [...(config.records ?? [])]
  for (const record of records) {
    if (nameIsUnder(record.name, apex)) continue
    throw new ConfigError(
      '--zone',
      `${formatName(record.name)} does not lie in ${config.name}`,
      'give it a zone of its own',
    )
  }
  const explicit = new Set(records.map((record) => `${nodeKey(record.name)} ${record.type}`))
  for (const record of makeRecords(config, apex)) {
    if (!explicit.has(`${nodeKey(record.name)} ${record.type}`)) records.push(record)
  }
  const nodes = buildNodes(records, apex)
  const soa = nodes.get(nodeKey(apex))?.rrsets.get(TYPE_SOA)
  if (soa === undefined) throw new ConfigError('--zone', `${config.name} has no SOA`, 'add one at its apex')
  return { apex, nodes, soa, nsecs: collectNsecs(nodes) }
}

/** @returns The zone that a name lies in, the longest match; `undefined` when there is none. */
export function findZone(zones: ReadonlyMap<string, Zone>, name: Name): Zone | undefined {
  for (let skipped = 0; skipped <= name.length; skipped++) {
    const zone = zones.get(nodeKey(name.slice(skipped)))
    if (zone !== undefined) return zone
  }
  return undefined
}

function makeRecords(config: ZoneConfig, apex: Name): ResourceRecord[] {
  const ttl = config.ttlSeconds ?? ZONE_TTL_LIMIT.default
  const under = (label: string): Name => [new TextEncoder().encode(label), ...apex]
  const record = (name: Name, type: number, rdata: Rdata): ResourceRecord => ({
    name,
    type,
    class: CLASS_IN,
    ttl,
    rdata,
  })
  const addressRecords = (name: Name, addresses: readonly string[]): ResourceRecord[] =>
    addresses.map((text) => {
      const octets = readAddress(text)
      const address = formatIp(octets)
      return octets.length === 4
        ? record(name, TYPE_A, { kind: 'a', address })
        : record(name, TYPE_AAAA, { kind: 'aaaa', address })
    })
  const servers = (config.nameServers ?? []).map(({ name, addresses }) => ({ name: readName(name), addresses }))
  if (servers.length === 0) servers.push({ name: under('ns1'), addresses: [] })
  const inside = servers.filter(({ name }) => nameIsUnder(name, apex))
  return [
    record(apex, TYPE_SOA, {
      kind: 'soa',
      primary: servers[0]?.name ?? apex,
      mailbox: under('hostmaster'),
      serial: config.serial ?? 1,
      refreshSeconds: 3600,
      retrySeconds: 600,
      expireSeconds: 604_800,
      minimumSeconds: ttl,
    }),
    ...servers.map(({ name }) => record(apex, TYPE_NS, { kind: 'ns', name })),
    ...addressRecords(apex, config.apexAddresses ?? config.addresses),
    ...addressRecords(under('*'), config.addresses),
    ...inside.flatMap(({ name, addresses }) => addressRecords(name, addresses)),
  ]
}

function buildNodes(records: readonly ResourceRecord[], apex: Name): Map<string, ZoneNode> {
  const nodes = new Map<string, { rrsets: Map<number, { records: ResourceRecord[]; signatures: ResourceRecord[] }> }>()
  for (const record of records) {
    // Names between a record and the apex exist as well.
    for (let skipped = record.name.length - apex.length; skipped >= 0; skipped--) {
      const key = nodeKey(record.name.slice(skipped))
      if (!nodes.has(key)) nodes.set(key, { rrsets: new Map() })
    }
    const { rdata } = record
    const type = rdata.kind === 'rrsig' ? rdata.typeCovered : record.type
    const { rrsets } = nodes.get(nodeKey(record.name)) ?? { rrsets: new Map() }
    const rrset = rrsets.get(type) ?? { records: [], signatures: [] }
    rrsets.set(type, rrset)
    if (record.type === TYPE_RRSIG) rrset.signatures.push(record)
    else rrset.records.push(record)
  }
  return nodes
}

function collectNsecs(nodes: ReadonlyMap<string, ZoneNode>): Zone['nsecs'] {
  return [...nodes.values()]
    .flatMap(({ rrsets }) => {
      const rrset = rrsets.get(TYPE_NSEC)
      const owner = rrset?.records[0]?.name
      return rrset === undefined || owner === undefined ? [] : [{ canonicalKey: canonicalKey(owner), rrset }]
    })
    .toSorted((a, b) => (a.canonicalKey < b.canonicalKey ? -1 : 1))
}

function readName(text: string): Name {
  const name = parseName(text)
  if (name !== undefined) return name
  throw new ConfigError('--zone', `${JSON.stringify(text)} is no domain name`, 'for example probe.example.org')
}

function readAddress(text: string): Uint8Array {
  const octets = parseIp(text)
  if (octets !== undefined) return octets
  throw new ConfigError('--expect', `${JSON.stringify(text)} is no IP address`, 'for example 192.0.2.1 or 2001:db8::1')
}
