/**
 * What a zone says about a name and type: the algorithm of RFC 1034 section 4.3.2 with the wildcards of RFC 4592.
 *
 * Pure: no clock, no limits, no wire format.
 *
 * Sources: RFC 2308 (negative answers), RFC 4035 section 3.1 (what DO adds), RFC 8482 (small answers to ANY).
 */
import type { ResourceRecord } from '../dns/message.ts'
import type { Name } from '../dns/name.ts'
import { TYPE_A, TYPE_AAAA, TYPE_CNAME, TYPE_DS, TYPE_NS } from '../dns/rr-type.ts'
import { canonicalKey, nodeKey } from './node-key.ts'
import type { RrSet, Zone, ZoneNode } from './zone.ts'

/** The content of a response. */
export interface ZoneAnswer {
  readonly rcode: number
  /** `false` in referrals. */
  readonly authoritative: boolean
  readonly answers: readonly ResourceRecord[]
  readonly authorities: readonly ResourceRecord[]
  readonly additionals: readonly ResourceRecord[]
}

const RCODE_NOERROR = 0
const RCODE_NXDOMAIN = 3
/** RFC 1035 section 3.2.3: a question type only. */
const TYPE_ANY = 255
/** Chains of CNAMEs inside a zone are followed this far. */
const CNAMES_MAX = 8
const WILDCARD_LABEL = Uint8Array.of(0x2a)

/** Answers from a zone. `name` lies in it; `dnssecOk` adds signatures and proofs where the zone has them. */
export function lookUp(zone: Zone, name: Name, type: number, dnssecOk: boolean): ZoneAnswer {
  const answers: ResourceRecord[] = []
  const proofs: ResourceRecord[] = []
  let target = name
  for (let step = 0; step < CNAMES_MAX; step++) {
    const cut = findDelegation(zone, target, type)
    if (cut !== undefined) return refer(zone, cut, answers, dnssecOk)
    const found = findNode(zone, target)
    const cname = type === TYPE_CNAME || type === TYPE_ANY ? undefined : found?.node.rrsets.get(TYPE_CNAME)
    const rrset = cname ?? (found && pickRrset(found.node, type))
    if (found === undefined || rrset === undefined) {
      return deny(zone, target, found, { answers, proofs, dnssecOk })
    }
    answers.push(...recordsOf(rrset, dnssecOk, found.isWildcard ? target : undefined))
    if (found.isWildcard && dnssecOk) proofs.push(...proveAbsence(zone, [target]))
    const next = cname?.records[0]?.rdata
    if (next?.kind !== 'cname' || !isInside(zone, next.name)) break
    target = next.name
  }
  const additionals = type === TYPE_NS ? addressesOf(zone, answers) : []
  return { rcode: RCODE_NOERROR, authoritative: true, answers, authorities: unique(proofs), additionals }
}

function isInside(zone: Zone, name: Name): boolean {
  const skipped = name.length - zone.apex.length
  return skipped >= 0 && nodeKey(name.slice(skipped)) === nodeKey(zone.apex)
}

/** @returns The node of a name, or the wildcard that stands for it. */
function findNode(zone: Zone, name: Name): { node: ZoneNode; isWildcard: boolean } | undefined {
  const exact = zone.nodes.get(nodeKey(name))
  if (exact !== undefined) return { node: exact, isWildcard: false }
  const wildcard = zone.nodes.get(nodeKey(wildcardFor(zone, name)))
  return wildcard && { node: wildcard, isWildcard: true }
}

/** The wildcard below the closest name that exists. */
function wildcardFor(zone: Zone, name: Name): Name {
  let skipped = 1
  while (skipped < name.length - zone.apex.length && !zone.nodes.has(nodeKey(name.slice(skipped)))) skipped++
  return [WILDCARD_LABEL, ...name.slice(skipped)]
}

function pickRrset(node: ZoneNode, type: number): RrSet | undefined {
  // RFC 8482: one RRset is enough of an answer to ANY, and it amplifies nothing.
  if (type === TYPE_ANY) return node.rrsets.get(TYPE_A) ?? [...node.rrsets.values()].find(hasRecords)
  const rrset = node.rrsets.get(type)
  return rrset && hasRecords(rrset) ? rrset : undefined
}

function hasRecords(rrset: RrSet): boolean {
  return rrset.records.length > 0
}

function recordsOf(rrset: RrSet, dnssecOk: boolean, owner?: Name): ResourceRecord[] {
  const records = dnssecOk ? [...rrset.records, ...rrset.signatures] : [...rrset.records]
  return owner === undefined ? records : records.map((record) => withOwner(record, owner))
}

function withOwner(record: ResourceRecord, name: Name): ResourceRecord {
  return { ...record, name }
}

function withTtl(record: ResourceRecord, ttl: number): ResourceRecord {
  return { ...record, ttl }
}

/** NODATA when the name (or a wildcard for it) exists, else NXDOMAIN. */
function deny(
  zone: Zone,
  name: Name,
  found: { readonly isWildcard: boolean } | undefined,
  so: {
    readonly answers: readonly ResourceRecord[]
    readonly proofs: readonly ResourceRecord[]
    readonly dnssecOk: boolean
  },
): ZoneAnswer {
  const soa = recordsOf(zone.soa, so.dnssecOk).map((record) => withTtl(record, negativeTtl(zone)))
  const names = found?.isWildcard === false ? [name] : [name, wildcardFor(zone, name)]
  const proofs = so.dnssecOk ? [...so.proofs, ...proveAbsence(zone, names)] : []
  return {
    rcode: found === undefined ? RCODE_NXDOMAIN : RCODE_NOERROR,
    authoritative: true,
    answers: so.answers,
    authorities: [...soa, ...unique(proofs)],
    additionals: [],
  }
}

/** RFC 2308 section 5: the smaller one of the SOA's TTL and its last field. */
function negativeTtl(zone: Zone): number {
  const soa = zone.soa.records[0]
  return soa?.rdata.kind === 'soa' ? Math.min(soa.ttl, soa.rdata.minimumSeconds) : 0
}

/** The NSEC at each name, or the one before it: together they deny names and types. */
function proveAbsence(zone: Zone, names: readonly Name[]): ResourceRecord[] {
  if (zone.nsecs.length === 0) return []
  return names.flatMap((name) => {
    const key = canonicalKey(name)
    const nsec = zone.nsecs.findLast((candidate) => candidate.canonicalKey <= key)
    return nsec === undefined ? [] : recordsOf(nsec.rrset, true)
  })
}

/** @returns The name below the apex, at or above `name`, whose NS records hand it to somebody else. */
function findDelegation(zone: Zone, name: Name, type: number): Name | undefined {
  for (let skipped = name.length - zone.apex.length - 1; skipped >= 0; skipped--) {
    const cut = name.slice(skipped)
    // The parent side answers for DS at the cut itself.
    if (skipped === 0 && type === TYPE_DS) return undefined
    const rrset = zone.nodes.get(nodeKey(cut))?.rrsets.get(TYPE_NS)
    if (rrset !== undefined && hasRecords(rrset)) return cut
  }
  return undefined
}

function refer(zone: Zone, cut: Name, answers: readonly ResourceRecord[], dnssecOk: boolean): ZoneAnswer {
  const rrsets = zone.nodes.get(nodeKey(cut))?.rrsets
  const servers = rrsets?.get(TYPE_NS)?.records ?? []
  const ds = rrsets?.get(TYPE_DS)
  const proof = !dnssecOk ? [] : ds === undefined ? proveAbsence(zone, [cut]) : recordsOf(ds, true)
  return {
    rcode: RCODE_NOERROR,
    authoritative: answers.length > 0,
    answers,
    authorities: [...servers, ...proof],
    additionals: addressesOf(zone, servers),
  }
}

/** Addresses in this zone of the name servers that `records` name. */
function addressesOf(zone: Zone, records: readonly ResourceRecord[]): ResourceRecord[] {
  return records.flatMap(({ rdata }) => {
    if (rdata.kind !== 'ns') return []
    const rrsets = zone.nodes.get(nodeKey(rdata.name))?.rrsets
    return [...(rrsets?.get(TYPE_A)?.records ?? []), ...(rrsets?.get(TYPE_AAAA)?.records ?? [])]
  })
}

function unique(records: readonly ResourceRecord[]): ResourceRecord[] {
  return [...new Set(records)]
}
