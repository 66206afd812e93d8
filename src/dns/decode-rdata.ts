/**
 * Octets → rdata.
 *
 * Content that does not fit becomes `malformed` rdata, with one exception: where a compression pointer was followed, its
 * octets mean nothing outside of this message, so the message as a whole is malformed.
 *
 * **Invariant:** the reader ends behind the rdata, or has failed. Pointers are followed in the types of RFC 1035 and in
 * SRV and NAPTR (RFC 3597 section 4), nowhere else.
 *
 * **Sources:** see `rdata.ts`.
 */
import { formatIp } from '../core/ip-address.ts'
import type { Rdata, SvcbFields, SvcParam } from './rdata.ts'
import * as type from './rr-type.ts'
import { decodeTypeBitmap } from './type-bitmap.ts'
import type { WireReader } from './wire-reader.ts'

/** Reads rdata of `sizeOctets` octets. */
export function decodeRdata(reader: WireReader, rrType: number, rrClass: number, sizeOctets: number): Rdata {
  const start = reader.offset
  const outerEnd = reader.limit(sizeOctets)
  // The frame is damaged already: nothing to keep.
  if (reader.failure !== undefined) return { kind: 'unknown', octets: new Uint8Array(0) }
  reader.hasFollowedPointer = false
  const rdata = rrClass === type.CLASS_IN ? decodeInternet(reader, rrType) : decodeAnyClass(reader, rrType)
  if (reader.remaining() > 0) reader.fail('octets after the last field')
  reader.end = outerEnd
  if (reader.failure === undefined || reader.hasFollowedPointer) return rdata
  const { reason } = reader.failure
  reader.recover(start + sizeOctets)
  return { kind: 'malformed', octets: reader.octets.slice(start, start + sizeOctets), reason }
}

/** The types that mean something in class IN only, or something else elsewhere. */
function decodeInternet(reader: WireReader, rrType: number): Rdata {
  switch (rrType) {
    case type.TYPE_A:
      return { kind: 'a', address: formatIp(reader.take(4)) }
    case type.TYPE_AAAA:
      return { kind: 'aaaa', address: formatIp(reader.take(16)) }
    case type.TYPE_SRV:
      return {
        kind: 'srv',
        priority: reader.uint16(),
        weight: reader.uint16(),
        port: reader.uint16(),
        target: reader.name('follow'),
      }
    case type.TYPE_NAPTR:
      return {
        kind: 'naptr',
        order: reader.uint16(),
        preference: reader.uint16(),
        flags: reader.takeCounted(),
        services: reader.takeCounted(),
        regexp: reader.takeCounted(),
        replacement: reader.name('follow'),
      }
    case type.TYPE_SVCB:
      return { kind: 'svcb', ...decodeSvcb(reader) }
    case type.TYPE_HTTPS:
      return { kind: 'https', ...decodeSvcb(reader) }
    default:
      return decodeAnyClass(reader, rrType)
  }
}

function decodeAnyClass(reader: WireReader, rrType: number): Rdata {
  switch (rrType) {
    case type.TYPE_NS:
      return { kind: 'ns', name: reader.name('follow') }
    case type.TYPE_CNAME:
      return { kind: 'cname', name: reader.name('follow') }
    case type.TYPE_PTR:
      return { kind: 'ptr', name: reader.name('follow') }
    case type.TYPE_SOA:
      return {
        kind: 'soa',
        primary: reader.name('follow'),
        mailbox: reader.name('follow'),
        serial: reader.uint32(),
        refreshSeconds: reader.uint32(),
        retrySeconds: reader.uint32(),
        expireSeconds: reader.uint32(),
        minimumSeconds: reader.uint32(),
      }
    case type.TYPE_MX:
      return { kind: 'mx', preference: reader.uint16(), exchange: reader.name('follow') }
    case type.TYPE_TXT:
      return { kind: 'txt', strings: decodeStrings(reader) }
    case type.TYPE_CAA:
      return { kind: 'caa', flags: reader.uint8(), tag: decodeTag(reader), value: reader.takeRest() }
    case type.TYPE_TLSA:
      return {
        kind: 'tlsa',
        usage: reader.uint8(),
        selector: reader.uint8(),
        matchingType: reader.uint8(),
        association: reader.takeRest(),
      }
    default:
      return decodeDnssec(reader, rrType)
  }
}

function decodeDnssec(reader: WireReader, rrType: number): Rdata {
  switch (rrType) {
    case type.TYPE_DS:
      return {
        kind: 'ds',
        keyTag: reader.uint16(),
        algorithm: reader.uint8(),
        digestType: reader.uint8(),
        digest: reader.takeRest(),
      }
    case type.TYPE_DNSKEY:
      return {
        kind: 'dnskey',
        flags: reader.uint16(),
        protocol: reader.uint8(),
        algorithm: reader.uint8(),
        publicKey: reader.takeRest(),
      }
    case type.TYPE_RRSIG:
      return {
        kind: 'rrsig',
        typeCovered: reader.uint16(),
        algorithm: reader.uint8(),
        labels: reader.uint8(),
        originalTtlSeconds: reader.uint32(),
        expirationSeconds: reader.uint32(),
        inceptionSeconds: reader.uint32(),
        keyTag: reader.uint16(),
        signer: reader.name('refuse'),
        signature: reader.takeRest(),
      }
    case type.TYPE_NSEC:
      return { kind: 'nsec', next: reader.name('refuse'), types: decodeTypeBitmap(reader) }
    case type.TYPE_NSEC3:
      return {
        kind: 'nsec3',
        hashAlgorithm: reader.uint8(),
        flags: reader.uint8(),
        iterations: reader.uint16(),
        salt: reader.takeCounted(),
        nextHash: reader.takeCounted(),
        types: decodeTypeBitmap(reader),
      }
    default:
      return { kind: 'unknown', octets: reader.takeRest() }
  }
}

function decodeStrings(reader: WireReader): readonly Uint8Array[] {
  const strings = [reader.takeCounted()]
  while (reader.remaining() > 0) strings.push(reader.takeCounted())
  return strings
}

/** RFC 8659 section 4.1: at least one ASCII letter or digit. */
function decodeTag(reader: WireReader): string {
  const tag = String.fromCharCode(...reader.takeCounted())
  if (!/^[\da-z]+$/i.test(tag)) reader.fail('tag that is not letters and digits')
  return tag
}

function decodeSvcb(reader: WireReader): SvcbFields {
  const priority = reader.uint16()
  const target = reader.name('refuse')
  const params: SvcParam[] = []
  while (reader.remaining() > 0) {
    const key = reader.uint16()
    if (key <= (params.at(-1)?.key ?? -1)) reader.fail('service parameters out of order')
    params.push({ key, octets: reader.take(reader.uint16()) })
  }
  return { priority, target, params }
}
