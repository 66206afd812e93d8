/**
 * Signs a small zone: one key, algorithm 13, NSEC. For the laboratory's signed zone and its bogus one.
 *
 * Invariant: keys exist in memory only. A bogus zone differs from a signed one by one bit in each signature over
 * addresses, so that everything but the signature is right.
 *
 * Sources: RFC 4034 (records, canonical form and order, key tag), RFC 6605 (ECDSA P-256 with SHA-256).
 */
import { canonicalKey, nodeKey } from '../authority/node-key.ts'
import { assert } from '../core/assert.ts'
import { encodeRdata } from '../dns/encode-rdata.ts'
import type { ResourceRecord } from '../dns/message.ts'
import { formatName, type Name } from '../dns/name.ts'
import { formatRdata, type Rdata } from '../dns/rdata.ts'
import { CLASS_IN, TYPE_A, TYPE_AAAA, TYPE_DNSKEY, TYPE_NSEC, TYPE_RRSIG } from '../dns/rr-type.ts'
import { WireWriter } from '../dns/wire-writer.ts'

const ALGORITHM_ECDSA_P256 = 13
/** Zone key and secure entry point in one. */
const KEY_FLAGS = 257
const KEY_PROTOCOL = 3
/** Clocks may differ by this much, in seconds. */
const INCEPTION_MARGIN_S = 3_600
/** No laboratory stands longer, in seconds. */
const LIFE_S = 30 * 86_400
const WILDCARD = 0x2a

/** A zone with its signatures. */
export interface SignedZone {
  /** Everything: what was given, DNSKEY, NSEC and RRSIG. */
  readonly records: readonly ResourceRecord[]
  /** The key as a trust anchor in presentation form: `zone. DNSKEY 257 3 13 …`. */
  readonly trustAnchor: string
}

/** How to sign. */
export interface SignOptions {
  readonly apex: Name
  /** All records of the zone, names in lower case. */
  readonly records: readonly ResourceRecord[]
  /** Unix milliseconds. */
  readonly nowMs: number
  /** Whether signatures over addresses are damaged. */
  readonly bogus: boolean
  readonly ttlSeconds: number
}

/** Makes a key and signs every RRset. */
export async function signZone(options: SignOptions): Promise<SignedZone> {
  const { apex, ttlSeconds } = options
  const keys = await crypto.subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, true, ['sign', 'verify'])
  const point = new Uint8Array(await crypto.subtle.exportKey('raw', keys.publicKey))
  // An uncompressed point begins with 4; DNSSEC leaves that out.
  const dnskey: Rdata = {
    kind: 'dnskey',
    flags: KEY_FLAGS,
    protocol: KEY_PROTOCOL,
    algorithm: ALGORITHM_ECDSA_P256,
    publicKey: point.slice(1),
  }
  const keyRecord: ResourceRecord = { name: apex, type: TYPE_DNSKEY, class: CLASS_IN, ttl: ttlSeconds, rdata: dnskey }
  const records = [...options.records, keyRecord]
  records.push(...makeNsecs(records, ttlSeconds))
  const signer = { apex, keyTag: computeKeyTag(octetsOf(dnskey)), privateKey: keys.privateKey, nowMs: options.nowMs }
  const signatures: ResourceRecord[] = []
  for (const rrset of groupRrsets(records)) {
    const isAddress = rrset[0].type === TYPE_A || rrset[0].type === TYPE_AAAA
    signatures.push(await signRrset(rrset, signer, options.bogus && isAddress))
  }
  return {
    records: [...records, ...signatures],
    trustAnchor: `${formatName(apex)}. DNSKEY ${formatRdata(dnskey)}`,
  }
}

type RrSet = readonly [ResourceRecord, ...ResourceRecord[]]

interface Signer {
  readonly apex: Name
  readonly keyTag: number
  readonly privateKey: CryptoKey
  readonly nowMs: number
}

async function signRrset(rrset: RrSet, signer: Signer, damaged: boolean): Promise<ResourceRecord> {
  const [{ name, type, ttl }] = rrset
  const nowSeconds = Math.floor(signer.nowMs / 1000)
  const labels = name[0]?.length === 1 && name[0][0] === WILDCARD ? name.length - 1 : name.length
  const rrsig: Rdata & { readonly kind: 'rrsig' } = {
    kind: 'rrsig',
    typeCovered: type,
    algorithm: ALGORITHM_ECDSA_P256,
    labels,
    originalTtlSeconds: ttl,
    expirationSeconds: nowSeconds + LIFE_S,
    inceptionSeconds: nowSeconds - INCEPTION_MARGIN_S,
    keyTag: signer.keyTag,
    signer: signer.apex,
    signature: new Uint8Array(),
  }
  const message = new WireWriter(false)
  encodeRdata(message, rrsig)
  for (const rdata of rrset.map((record) => octetsOf(record.rdata)).toSorted(compareOctets)) {
    message.name(name, false)
    message.uint16(type)
    message.uint16(CLASS_IN)
    message.uint32(ttl)
    message.uint16(rdata.length)
    message.put(rdata)
  }
  const signature = new Uint8Array(
    await crypto.subtle.sign({ name: 'ECDSA', hash: 'SHA-256' }, signer.privateKey, new Uint8Array(message.finish())),
  )
  if (damaged) signature[10] = (signature[10] ?? 0) ^ 1
  return { name, type: TYPE_RRSIG, class: CLASS_IN, ttl, rdata: { ...rrsig, signature } }
}

/** One NSEC per name, each pointing to the next one in canonical order, the last one to the first. */
function makeNsecs(records: readonly ResourceRecord[], ttl: number): ResourceRecord[] {
  const owners = [...new Map(records.map((record) => [nodeKey(record.name), record.name])).values()].toSorted((a, b) =>
    canonicalKey(a) < canonicalKey(b) ? -1 : 1,
  )
  return owners.map((name, index) => {
    const next = owners[(index + 1) % owners.length] ?? name
    const here = records.filter((record) => nodeKey(record.name) === nodeKey(name)).map((record) => record.type)
    const types = [...new Set([...here, TYPE_RRSIG, TYPE_NSEC])].toSorted((a, b) => a - b)
    return { name, type: TYPE_NSEC, class: CLASS_IN, ttl, rdata: { kind: 'nsec', next, types } }
  })
}

function groupRrsets(records: readonly ResourceRecord[]): RrSet[] {
  const groups = new Map<string, [ResourceRecord, ...ResourceRecord[]]>()
  for (const record of records) {
    const key = `${nodeKey(record.name)} ${record.type}`
    const group = groups.get(key)
    if (group === undefined) groups.set(key, [record])
    else group.push(record)
  }
  return [...groups.values()]
}

function octetsOf(rdata: Rdata): Uint8Array {
  assert(rdata.kind !== 'malformed', 'only whole records are signed')
  const writer = new WireWriter(false)
  encodeRdata(writer, rdata)
  return writer.finish()
}

/** RFC 4034 section 6.3: as octet strings, a shorter one before what it begins. */
function compareOctets(a: Uint8Array, b: Uint8Array): number {
  for (let i = 0; i < Math.min(a.length, b.length); i++) {
    const difference = (a[i] ?? 0) - (b[i] ?? 0)
    if (difference !== 0) return difference
  }
  return a.length - b.length
}

/** RFC 4034 appendix B. */
function computeKeyTag(rdata: Uint8Array): number {
  let sum = 0
  for (const [index, octet] of rdata.entries()) sum += (index & 1) === 0 ? octet << 8 : octet
  return (sum + ((sum >> 16) & 0xffff)) & 0xffff
}
