/**
 * Response codes.
 *
 * **Sources:** the IANA registry "DNS RCODEs"; RFC 9499 section 3 for the spelling.
 */

/** RFC 1035: no error. */
export const RCODE_NOERROR = 0
/** RFC 1035: the query could not be understood. */
export const RCODE_FORMERR = 1
/** RFC 1035: the server failed. */
export const RCODE_SERVFAIL = 2
/** RFC 1035: the name does not exist. */
export const RCODE_NXDOMAIN = 3
/** RFC 1035: the kind of query is not supported. */
export const RCODE_NOTIMP = 4
/** RFC 1035: the server does not want to. */
export const RCODE_REFUSED = 5
/** RFC 6891: this EDNS version is not supported. */
export const RCODE_BADVERS = 16
/** RFC 7873: the server's cookie is missing or bad. */
export const RCODE_BADCOOKIE = 23

const MNEMONICS: ReadonlyMap<number, string> = new Map([
  [RCODE_NOERROR, 'NOERROR'],
  [RCODE_FORMERR, 'FORMERR'],
  [RCODE_SERVFAIL, 'SERVFAIL'],
  [RCODE_NXDOMAIN, 'NXDOMAIN'],
  [RCODE_NOTIMP, 'NOTIMP'],
  [RCODE_REFUSED, 'REFUSED'],
  [6, 'YXDOMAIN'],
  [7, 'YXRRSET'],
  [8, 'NXRRSET'],
  [9, 'NOTAUTH'],
  [10, 'NOTZONE'],
  [11, 'DSOTYPENI'],
  [RCODE_BADVERS, 'BADVERS'],
  [17, 'BADKEY'],
  [18, 'BADTIME'],
  [19, 'BADMODE'],
  [20, 'BADNAME'],
  [21, 'BADALG'],
  [22, 'BADTRUNC'],
  [RCODE_BADCOOKIE, 'BADCOOKIE'],
])

/** Formats an RCODE (0 to 4095) as its mnemonic or, without one, as `RCODE24`. */
export function formatRcode(rcode: number): string {
  return MNEMONICS.get(rcode) ?? `RCODE${rcode}`
}
