/**
 * Record types and classes: numbers and mnemonics.
 *
 * **Sources:** the IANA registry "Domain Name System (DNS) Parameters"; RFC 3597 section 5 for `TYPE65280` and
 * `CLASS32`.
 */

/** RFC 1035: an IPv4 address. */
export const TYPE_A = 1
/** RFC 1035: an authoritative server. */
export const TYPE_NS = 2
/** RFC 1035: an alias. */
export const TYPE_CNAME = 5
/** RFC 1035: the start of a zone. */
export const TYPE_SOA = 6
/** RFC 1035: a pointer, used for addresses. */
export const TYPE_PTR = 12
/** RFC 1035: a mail exchanger. */
export const TYPE_MX = 15
/** RFC 1035: text. */
export const TYPE_TXT = 16
/** RFC 3596: an IPv6 address. */
export const TYPE_AAAA = 28
/** RFC 2782: a service. */
export const TYPE_SRV = 33
/** RFC 3403: a rewriting rule. */
export const TYPE_NAPTR = 35
/** RFC 6891: EDNS. Not a record; `Edns` in `message.ts`. */
export const TYPE_OPT = 41
/** RFC 4034: the digest of a child's key. */
export const TYPE_DS = 43
/** RFC 4034: a signature. */
export const TYPE_RRSIG = 46
/** RFC 4034: the next name and the types of this one. */
export const TYPE_NSEC = 47
/** RFC 4034: a key. */
export const TYPE_DNSKEY = 48
/** RFC 5155: as NSEC, with hashed names. */
export const TYPE_NSEC3 = 50
/** RFC 6698: a certificate association. */
export const TYPE_TLSA = 52
/** RFC 9460: a service binding. */
export const TYPE_SVCB = 64
/** RFC 9460: a service binding for HTTPS. */
export const TYPE_HTTPS = 65
/** RFC 8945: a transaction signature; always the last record. */
export const TYPE_TSIG = 250
/** RFC 8659: which authorities may issue certificates. */
export const TYPE_CAA = 257

/** The Internet. */
export const CLASS_IN = 1
/** Chaos: `version.bind`, `id.server`. */
export const CLASS_CH = 3

/** The mnemonics that are understood and printed; every other type is `TYPEn`. */
export const RR_TYPES: ReadonlyMap<string, number> = new Map([
  ['A', TYPE_A],
  ['NS', TYPE_NS],
  ['CNAME', TYPE_CNAME],
  ['SOA', TYPE_SOA],
  ['PTR', TYPE_PTR],
  ['HINFO', 13],
  ['MX', TYPE_MX],
  ['TXT', TYPE_TXT],
  ['RP', 17],
  ['AFSDB', 18],
  ['SIG', 24],
  ['KEY', 25],
  ['AAAA', TYPE_AAAA],
  ['LOC', 29],
  ['SRV', TYPE_SRV],
  ['NAPTR', TYPE_NAPTR],
  ['KX', 36],
  ['CERT', 37],
  ['DNAME', 39],
  ['OPT', TYPE_OPT],
  ['APL', 42],
  ['DS', TYPE_DS],
  ['SSHFP', 44],
  ['IPSECKEY', 45],
  ['RRSIG', TYPE_RRSIG],
  ['NSEC', TYPE_NSEC],
  ['DNSKEY', TYPE_DNSKEY],
  ['DHCID', 49],
  ['NSEC3', TYPE_NSEC3],
  ['NSEC3PARAM', 51],
  ['TLSA', TYPE_TLSA],
  ['SMIMEA', 53],
  ['HIP', 55],
  ['CDS', 59],
  ['CDNSKEY', 60],
  ['OPENPGPKEY', 61],
  ['CSYNC', 62],
  ['ZONEMD', 63],
  ['SVCB', TYPE_SVCB],
  ['HTTPS', TYPE_HTTPS],
  ['SPF', 99],
  ['NID', 104],
  ['L32', 105],
  ['L64', 106],
  ['LP', 107],
  ['EUI48', 108],
  ['EUI64', 109],
  ['TKEY', 249],
  ['TSIG', TYPE_TSIG],
  ['IXFR', 251],
  ['AXFR', 252],
  ['ANY', 255],
  ['URI', 256],
  ['CAA', TYPE_CAA],
  ['TA', 32_768],
  ['DLV', 32_769],
])

const MNEMONICS: ReadonlyMap<number, string> = new Map([...RR_TYPES].map(([mnemonic, type]) => [type, mnemonic]))

const CLASS_MNEMONICS: ReadonlyMap<number, string> = new Map([
  [CLASS_IN, 'IN'],
  [CLASS_CH, 'CH'],
  [4, 'HS'],
  [254, 'NONE'],
  [255, 'ANY'],
])

/** Parses `AAAA`, `aaaa` or `TYPE28`. @returns `undefined` when it is none of these. */
export function parseRrType(text: string): number | undefined {
  const mnemonic = text.toUpperCase()
  const known = RR_TYPES.get(mnemonic)
  if (known !== undefined) return known
  const digits = /^TYPE(\d{1,5})$/.exec(mnemonic)?.[1]
  const type = Number(digits)
  return digits !== undefined && type <= 0xffff ? type : undefined
}

/** Formats a type as its mnemonic or, without one, as `TYPE65280`. */
export function formatRrType(type: number): string {
  return MNEMONICS.get(type) ?? `TYPE${type}`
}

/** Formats a class as its mnemonic or, without one, as `CLASS32`. */
export function formatRrClass(rrClass: number): string {
  return CLASS_MNEMONICS.get(rrClass) ?? `CLASS${rrClass}`
}
