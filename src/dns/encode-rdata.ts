/**
 * Rdata → octets.
 *
 * **Invariant:** names are compressed in the types of RFC 1035 only (RFC 3597 section 4).
 */
import { assert, assertNever } from '../core/assert.ts'
import { parseIp } from '../core/ip-address.ts'
import type { Rdata, SvcbFields } from './rdata.ts'
import { encodeTypeBitmap } from './type-bitmap.ts'
import type { WireWriter } from './wire-writer.ts'

/** Appends the rdata, without its length. @throws {BugError} When a field is out of its range. */
export function encodeRdata(writer: WireWriter, rdata: Rdata): void {
  switch (rdata.kind) {
    case 'a':
      encodeAddress(writer, rdata.address, 4)
      break
    case 'aaaa':
      encodeAddress(writer, rdata.address, 16)
      break
    case 'ns':
    case 'cname':
    case 'ptr':
      writer.name(rdata.name, true)
      break
    case 'soa':
      writer.name(rdata.primary, true)
      writer.name(rdata.mailbox, true)
      writer.uint32(rdata.serial)
      writer.uint32(rdata.refreshSeconds)
      writer.uint32(rdata.retrySeconds)
      writer.uint32(rdata.expireSeconds)
      writer.uint32(rdata.minimumSeconds)
      break
    case 'mx':
      writer.uint16(rdata.preference)
      writer.name(rdata.exchange, true)
      break
    case 'txt':
      assert(rdata.strings.length > 0, 'TXT needs a string')
      for (const string of rdata.strings) writer.putCounted(string)
      break
    case 'unknown':
    case 'malformed':
      writer.put(rdata.octets)
      break
    case 'srv':
    case 'naptr':
    case 'caa':
    case 'tlsa':
    case 'svcb':
    case 'https':
      encodeNewer(writer, rdata)
      break
    case 'ds':
    case 'dnskey':
    case 'rrsig':
    case 'nsec':
    case 'nsec3':
      encodeDnssec(writer, rdata)
      break
    default:
      assertNever(rdata)
  }
}

/** Rdata of some kinds. */
type RdataOf<Kind extends Rdata['kind']> = Extract<Rdata, { kind: Kind }>

/** The types after RFC 1035, in whose rdata nothing is compressed. */
function encodeNewer(
  writer: WireWriter,
  rdata: RdataOf<'srv' | 'naptr' | 'caa' | 'tlsa'> | Extract<Rdata, SvcbFields>,
): void {
  switch (rdata.kind) {
    case 'srv':
      writer.uint16(rdata.priority)
      writer.uint16(rdata.weight)
      writer.uint16(rdata.port)
      writer.name(rdata.target, false)
      break
    case 'naptr':
      writer.uint16(rdata.order)
      writer.uint16(rdata.preference)
      writer.putCounted(rdata.flags)
      writer.putCounted(rdata.services)
      writer.putCounted(rdata.regexp)
      writer.name(rdata.replacement, false)
      break
    case 'caa':
      writer.uint8(rdata.flags)
      writer.putCounted(new TextEncoder().encode(rdata.tag))
      writer.put(rdata.value)
      break
    case 'tlsa':
      writer.uint8(rdata.usage)
      writer.uint8(rdata.selector)
      writer.uint8(rdata.matchingType)
      writer.put(rdata.association)
      break
    case 'svcb':
    case 'https':
      encodeSvcb(writer, rdata)
      break
  }
}

function encodeDnssec(writer: WireWriter, rdata: RdataOf<'ds' | 'dnskey' | 'rrsig' | 'nsec' | 'nsec3'>): void {
  switch (rdata.kind) {
    case 'ds':
      writer.uint16(rdata.keyTag)
      writer.uint8(rdata.algorithm)
      writer.uint8(rdata.digestType)
      writer.put(rdata.digest)
      break
    case 'dnskey':
      writer.uint16(rdata.flags)
      writer.uint8(rdata.protocol)
      writer.uint8(rdata.algorithm)
      writer.put(rdata.publicKey)
      break
    case 'rrsig':
      writer.uint16(rdata.typeCovered)
      writer.uint8(rdata.algorithm)
      writer.uint8(rdata.labels)
      writer.uint32(rdata.originalTtlSeconds)
      writer.uint32(rdata.expirationSeconds)
      writer.uint32(rdata.inceptionSeconds)
      writer.uint16(rdata.keyTag)
      writer.name(rdata.signer, false)
      writer.put(rdata.signature)
      break
    case 'nsec':
      writer.name(rdata.next, false)
      encodeTypeBitmap(writer, rdata.types)
      break
    case 'nsec3':
      writer.uint8(rdata.hashAlgorithm)
      writer.uint8(rdata.flags)
      writer.uint16(rdata.iterations)
      writer.putCounted(rdata.salt)
      writer.putCounted(rdata.nextHash)
      encodeTypeBitmap(writer, rdata.types)
      break
  }
}

function encodeAddress(writer: WireWriter, address: string, sizeOctets: 4 | 16): void {
  const octets = parseIp(address)
  assert(octets?.length === sizeOctets, 'address of a wrong family')
  writer.put(octets)
}

function encodeSvcb(writer: WireWriter, fields: SvcbFields): void {
  writer.uint16(fields.priority)
  writer.name(fields.target, false)
  let previousKey = -1
  for (const { key, octets } of fields.params) {
    assert(key > previousKey, 'service parameters out of order')
    previousKey = key
    writer.uint16(key)
    writer.putMeasured(() => {
      writer.put(octets)
    })
  }
}
