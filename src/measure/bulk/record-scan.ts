/**
 * Walks over the records of a message without decoding them: is it whole, how long are the sections, what is the RCODE,
 * and are there only records that the fast writers know.
 *
 * Invariant: reads nothing behind the end of the message.
 *
 * Sources: RFC 1035 section 4.1, RFC 6891 section 6.1.3 (extended RCODE).
 */
import { TYPE_A, TYPE_AAAA, TYPE_CNAME, TYPE_MX, TYPE_NS, TYPE_OPT, TYPE_PTR, CLASS_IN } from '../../dns/rr-type.ts'

/** Type, class, TTL and length. */
const RECORD_TAIL_OCTETS = 10
const POINTER = 0xc0
const LABEL_OCTETS_MAX = 63

/** What {@link scanRecords} found. */
export interface RecordScan {
  isWhole: boolean
  /** Whether every record is of a kind that can be written from its octets. */
  isSimple: boolean
  /** With the upper bits of OPT. */
  rcode: number
}

/**
 * Scans everything behind the question.
 *
 * @param base - Where the message begins.
 * @param questionEnd - Octets of header and question.
 * @param scan - Where the findings are written: so that none has to be made for each message.
 */
export function scanRecords(
  octets: Uint8Array,
  base: number,
  questionEnd: number,
  sizeOctets: number,
  scan: RecordScan,
): void {
  const end = base + sizeOctets
  const data = word(octets, base + 6) + word(octets, base + 8)
  const records = data + word(octets, base + 10)
  scan.isWhole = false
  scan.isSimple = true
  scan.rcode = (octets[base + 3] as number) & 0x0f
  let at = base + questionEnd
  for (let i = 0; i < records; i++) {
    at = skipName(octets, at, end)
    if (at < 0 || at + RECORD_TAIL_OCTETS > end) return
    const type = word(octets, at)
    const rdataOctets = word(octets, at + 8)
    if (type === TYPE_OPT && i >= data) scan.rcode |= (octets[at + 4] as number) << 4
    else if (!isSimple(type, word(octets, at + 2), rdataOctets)) scan.isSimple = false
    at += RECORD_TAIL_OCTETS + rdataOctets
    if (at > end) return
  }
  scan.isWhole = at === end
}

/** @returns Where a name ends; −1 when it is none. Targets of pointers are not looked at. */
export function skipName(octets: Uint8Array, from: number, end: number): number {
  let at = from
  while (at < end) {
    const size = octets[at] as number
    if (size === 0) return at + 1
    if (size >= POINTER) return at + 2
    if (size > LABEL_OCTETS_MAX) return -1
    at += size + 1
  }
  return -1
}

/** The number in two octets. */
export function word(octets: Uint8Array, at: number): number {
  return ((octets[at] as number) << 8) | (octets[at + 1] as number)
}

function isSimple(type: number, rrClass: number, rdataOctets: number): boolean {
  if (rrClass !== CLASS_IN) return false
  switch (type) {
    case TYPE_A:
      return rdataOctets === 4
    case TYPE_AAAA:
      return rdataOctets === 16
    case TYPE_CNAME:
    case TYPE_NS:
    case TYPE_PTR:
      return rdataOctets > 0
    case TYPE_MX:
      return rdataOctets > 2
    default:
      return false
  }
}
