/**
 * Reads a line of SmartDNS's audit file.
 *
 * `[2026-11-20 20:31:44,802] 127.0.0.1 query a.zone.example, type 1, time 1ms, speed: -0.1ms, result 198.51.100.24`
 *
 * **Invariant**: anything is accepted as input; names and addresses that come out are checked. Times are UTC, because the
 * child is started with that time zone.
 */
import { parseTime } from '../core/clock.ts'
import { canonicalIp } from '../core/ip-address.ts'
import type { RuntimeObservation } from '../model/runtime-observation.ts'

/** What a line says: an answer with addresses, an answer without, or nothing that could be read. */
export type AuditLine =
  | { readonly kind: 'observation'; readonly observation: RuntimeObservation }
  | { readonly kind: 'no_addresses' }
  | { readonly kind: 'malformed' }

const LINE =
  /^\[(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d),(\d{3})\] \S{1,64} query (\S{1,253}), type \d{1,5}, time \d+ms, speed: -?[\d.]+ms, result ?(.*)$/
const ADDRESSES_MAX = 64
const NO_ADDRESSES: AuditLine = { kind: 'no_addresses' }
const MALFORMED: AuditLine = { kind: 'malformed' }

/** Reads one line, without its end. */
export function parseAuditLine(line: string): AuditLine {
  const found = LINE.exec(line)
  if (found === null) return MALFORMED
  const [, moment = '', milliseconds = '', name = '', result = ''] = found
  const atMs = parseTime(moment) + Number(milliseconds)
  if (Number.isNaN(atMs)) return MALFORMED
  const words = result.trim()
  if (words === '' || words === 'soa') return NO_ADDRESSES
  const addresses: string[] = []
  for (const word of words.split(', ').slice(0, ADDRESSES_MAX)) {
    const address = canonicalIp(word)
    if (address === undefined) return MALFORMED
    addresses.push(address)
  }
  return { kind: 'observation', observation: { name: name.toLowerCase().replace(/\.$/, ''), addresses, atMs } }
}
