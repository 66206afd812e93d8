/**
 * What a probe for open resolvers brought: lines of a ZMap result, of the older form (`saddr`, `data` in hexadecimal) or the
 * newer one (`dns_*` fields), and whether an answer is that of a resolver that recurses and tells the truth.
 *
 * **Invariant**: pure; whatever a line holds, nothing throws.
 */
import { decodeMessage } from '../../dns/decode-message.ts'
import { canonicalIp } from '../../core/ip-address.ts'
import type { JsonFields } from '../../model/satellite-row.ts'
import { parseHexOctets } from './hex-octets.ts'
import { isFields } from './row-fields.ts'

/** One answer to a probe. */
export interface ProbeAnswer {
  readonly address: string
  /** QR. */
  readonly isResponse: boolean
  /** RA. */
  readonly hasRecursion: boolean
  /** IPv4 addresses of the answer section. */
  readonly answers: readonly string[]
}

/** @returns `undefined` for a line that is no answer of an address. */
export function readProbeAnswer(fields: JsonFields): ProbeAnswer | undefined {
  const { saddr, data } = fields
  const address = typeof saddr === 'string' ? canonicalIp(saddr) : undefined
  if (address === undefined) return undefined
  if (typeof data === 'string') return readOctets(address, data)
  return isFields(data) ? readFields(address, { ...fields, ...data }) : readFields(address, fields)
}

/** Whether a resolver recurses and gives one of the right addresses. */
export function isRightAnswer(
  { isResponse, hasRecursion, answers }: ProbeAnswer,
  expected: ReadonlySet<string>,
): boolean {
  return isResponse && hasRecursion && answers.some((address) => expected.has(address))
}

function readOctets(address: string, data: string): ProbeAnswer | undefined {
  const octets = parseHexOctets(data)
  if (octets === undefined) return undefined
  const decoded = decodeMessage(octets)
  if (decoded.kind === 'malformed') return { address, isResponse: false, hasRecursion: false, answers: [] }
  const { header, answers } = decoded.message
  return {
    address,
    isResponse: header.response,
    hasRecursion: header.recursionAvailable,
    answers: answers.flatMap(({ rdata }) => (rdata.kind === 'a' ? [rdata.address] : [])),
  }
}

/** ZMap's module `dns` decodes by itself. */
function readFields(address: string, fields: JsonFields): ProbeAnswer | undefined {
  if (!('dns_qr' in fields) && !('dns_answers' in fields)) return undefined
  const isSet = (name: string): boolean => fields[name] === 1 || fields[name] === true || fields[name] === '1'
  const list = fields['dns_answers']
  const answers = (Array.isArray(list) ? list : []).flatMap((record: unknown) => {
    if (!isFields(record)) return []
    const isA = record['type'] === 1 || record['type_str'] === 'A'
    const { rdata } = record
    return isA && typeof rdata === 'string' ? (canonicalIp(rdata) ?? []) : []
  })
  return { address, isResponse: isSet('dns_qr'), hasRecursion: isSet('dns_ra'), answers }
}
