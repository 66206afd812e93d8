/**
 * The content of records as values, and its presentation form.
 *
 * Content that does not fit its type's format is `malformed` with its octets: a message with one damaged record still
 * says something. Only what the format allows in exactly one way gets a shape.
 *
 * **Invariant:** encoding any of these gives the octets that were decoded, compression of names aside.
 *
 * **Sources:** one RFC per kind, named there; RFC 3597 section 5 for the presentation form of unknown content.
 */
import { assertNever } from '../core/assert.ts'
import { formatCompactTime } from '../core/clock.ts'
import { formatSvcParam } from './format-svc-param.ts'
import { formatName, type Name } from './name.ts'
import { formatBase32Hex, formatBase64, formatCharacterString, formatHex } from './octets-text.ts'
import { formatRrType } from './rr-type.ts'

/** RFC 9460 section 2.2. */
export interface SvcbFields {
  /** 0 is an alias. */
  readonly priority: number
  readonly target: Name
  /** By key, lowest first, each key once. */
  readonly params: readonly SvcParam[]
}

/** A parameter of a service binding. */
export interface SvcParam {
  readonly key: number
  /** In the key's own wire format; not looked into. */
  readonly octets: Uint8Array
}

/** The content of a record. */
export type Rdata =
  /** RFC 1035; in class IN only, as the other kinds with addresses, SRV, NAPTR and service bindings. */
  | { readonly kind: 'a'; /** Dotted decimal. */ readonly address: string }
  /** RFC 3596. */
  | { readonly kind: 'aaaa'; /** RFC 5952 form. */ readonly address: string }
  | { readonly kind: 'ns' | 'cname' | 'ptr'; readonly name: Name }
  /** RFC 1035 section 3.3.13; the intervals in seconds. */
  | {
      readonly kind: 'soa'
      readonly primary: Name
      readonly mailbox: Name
      readonly serial: number
      readonly refreshSeconds: number
      readonly retrySeconds: number
      readonly expireSeconds: number
      /** RFC 2308: for how long a negative answer may be kept. */
      readonly minimumSeconds: number
    }
  | { readonly kind: 'mx'; readonly preference: number; readonly exchange: Name }
  /** One character-string or more, each up to 255 octets. */
  | { readonly kind: 'txt'; readonly strings: readonly Uint8Array[] }
  /** RFC 2782. */
  | {
      readonly kind: 'srv'
      readonly priority: number
      readonly weight: number
      readonly port: number
      readonly target: Name
    }
  /** RFC 3403. */
  | {
      readonly kind: 'naptr'
      readonly order: number
      readonly preference: number
      readonly flags: Uint8Array
      readonly services: Uint8Array
      readonly regexp: Uint8Array
      readonly replacement: Name
    }
  /** RFC 8659. */
  | {
      readonly kind: 'caa'
      readonly flags: number
      /** ASCII letters and digits, case kept. */
      readonly tag: string
      readonly value: Uint8Array
    }
  /** RFC 4034 section 5. */
  | {
      readonly kind: 'ds'
      readonly keyTag: number
      readonly algorithm: number
      readonly digestType: number
      readonly digest: Uint8Array
    }
  /** RFC 4034 section 2. */
  | {
      readonly kind: 'dnskey'
      readonly flags: number
      readonly protocol: number
      readonly algorithm: number
      readonly publicKey: Uint8Array
    }
  /** RFC 4034 section 3. */
  | {
      readonly kind: 'rrsig'
      readonly typeCovered: number
      readonly algorithm: number
      readonly labels: number
      readonly originalTtlSeconds: number
      /** Unix seconds modulo 2³². */
      readonly expirationSeconds: number
      /** Unix seconds modulo 2³². */
      readonly inceptionSeconds: number
      readonly keyTag: number
      readonly signer: Name
      readonly signature: Uint8Array
    }
  /** RFC 4034 section 4; types lowest first. */
  | { readonly kind: 'nsec'; readonly next: Name; readonly types: readonly number[] }
  /** RFC 5155; types lowest first. */
  | {
      readonly kind: 'nsec3'
      readonly hashAlgorithm: number
      readonly flags: number
      readonly iterations: number
      readonly salt: Uint8Array
      readonly nextHash: Uint8Array
      readonly types: readonly number[]
    }
  /** RFC 6698. */
  | {
      readonly kind: 'tlsa'
      readonly usage: number
      readonly selector: number
      readonly matchingType: number
      readonly association: Uint8Array
    }
  | ({ readonly kind: 'svcb' | 'https' } & SvcbFields)
  /** A type (or a type in a class) without a shape here. */
  | { readonly kind: 'unknown'; readonly octets: Uint8Array }
  /** The record's type has a shape here and the octets do not fit it. */
  | { readonly kind: 'malformed'; readonly octets: Uint8Array; readonly reason: string }

/**
 * Formats the content of a record as in a master file; names end with a dot.
 *
 * Unknown and malformed content is `\# LENGTH HEX`.
 */
export function formatRdata(rdata: Rdata): string {
  switch (rdata.kind) {
    case 'a':
    case 'aaaa':
      return rdata.address
    case 'ns':
    case 'cname':
    case 'ptr':
      return absolute(rdata.name)
    case 'soa':
      return [
        `${absolute(rdata.primary)} ${absolute(rdata.mailbox)} ${rdata.serial}`,
        `${rdata.refreshSeconds} ${rdata.retrySeconds} ${rdata.expireSeconds} ${rdata.minimumSeconds}`,
      ].join(' ')
    case 'mx':
      return `${rdata.preference} ${absolute(rdata.exchange)}`
    case 'txt':
      return rdata.strings.map(formatCharacterString).join(' ')
    case 'srv':
      return `${rdata.priority} ${rdata.weight} ${rdata.port} ${absolute(rdata.target)}`
    case 'naptr':
      return [
        `${rdata.order} ${rdata.preference}`,
        ...[rdata.flags, rdata.services, rdata.regexp].map(formatCharacterString),
        absolute(rdata.replacement),
      ].join(' ')
    case 'caa':
      return `${rdata.flags} ${rdata.tag} ${formatCharacterString(rdata.value)}`
    case 'tlsa':
      return words(`${rdata.usage} ${rdata.selector} ${rdata.matchingType}`, formatHex(rdata.association))
    case 'svcb':
    case 'https':
      return words(`${rdata.priority} ${absolute(rdata.target)}`, rdata.params.map(formatSvcParam).join(' '))
    case 'unknown':
    case 'malformed':
      return words(`\\# ${rdata.octets.length}`, formatHex(rdata.octets))
    case 'ds':
    case 'dnskey':
    case 'rrsig':
    case 'nsec':
    case 'nsec3':
      return formatDnssec(rdata)
    default:
      return assertNever(rdata)
  }
}

type DnssecKind = 'ds' | 'dnskey' | 'rrsig' | 'nsec' | 'nsec3'

function formatDnssec(rdata: Rdata & { kind: DnssecKind }): string {
  switch (rdata.kind) {
    case 'ds':
      return words(`${rdata.keyTag} ${rdata.algorithm} ${rdata.digestType}`, formatHex(rdata.digest))
    case 'dnskey':
      return words(`${rdata.flags} ${rdata.protocol} ${rdata.algorithm}`, formatBase64(rdata.publicKey))
    case 'rrsig':
      return words(
        `${formatRrType(rdata.typeCovered)} ${rdata.algorithm} ${rdata.labels} ${rdata.originalTtlSeconds}`,
        `${formatTime(rdata.expirationSeconds)} ${formatTime(rdata.inceptionSeconds)} ${rdata.keyTag}`,
        absolute(rdata.signer),
        formatBase64(rdata.signature),
      )
    case 'nsec':
      return words(absolute(rdata.next), rdata.types.map(formatRrType).join(' '))
    case 'nsec3':
      return words(
        `${rdata.hashAlgorithm} ${rdata.flags} ${rdata.iterations} ${formatHex(rdata.salt) || '-'}`,
        formatBase32Hex(rdata.nextHash),
        rdata.types.map(formatRrType).join(' '),
      )
    default:
      return assertNever(rdata)
  }
}

/** RFC 4034 section 3.2: 14 digits UTC. */
function formatTime(unixSeconds: number): string {
  return formatCompactTime(unixSeconds * 1000)
}

function absolute(name: Name): string {
  return name.length === 0 ? '.' : `${formatName(name)}.`
}

function words(...parts: readonly string[]): string {
  return parts.filter((part) => part !== '').join(' ')
}
