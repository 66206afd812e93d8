/**
 * One question beside the pairs, with the octets of what came: to a candidate (probe, liveness, whoami), or about one (PTR).
 * A line of the journals of discovery.
 *
 * **Invariant**: what is written reads back equal; a line that is none is `undefined`.
 */
import { canonicalIp } from '../../core/ip-address.ts'
import { decodeMessage } from '../../dns/decode-message.ts'
import { formatName } from '../../dns/name.ts'
import { RCODE_NOERROR, RCODE_NXDOMAIN } from '../../dns/rcode.ts'
import { formatTrial, parseFields, readTrial, type PairTrial } from './pair-record.ts'

/** One question. */
export interface AskRecord {
  /** The address that it was about. */
  readonly address: string
  readonly trial: PairTrial
}

/** A record as JSON. */
export function formatAskRecord({ address, trial }: AskRecord): object {
  return { address, trial: formatTrial(trial) }
}

/** Reads a line of a journal. */
export function parseAskRecord(line: string): AskRecord | undefined {
  const fields = parseFields(line)
  const address = fields?.['address']
  const trial = readTrial(fields?.['trial'])
  return typeof address === 'string' && trial !== undefined ? { address, trial } : undefined
}

/** The names of PTR records, with a dot at the end, as published; `undefined` when nobody said whether there are any. */
export function namesOfTrial({ attempts }: PairTrial): readonly string[] | undefined {
  let isAnswered = false
  for (const { octets } of attempts.toReversed().flatMap(({ responses }) => responses)) {
    const decoded = decodeMessage(octets)
    if (decoded.kind === 'malformed') continue
    const { rcode } = decoded.message.header
    if (rcode !== RCODE_NOERROR && rcode !== RCODE_NXDOMAIN) continue
    isAnswered = true
    const names = decoded.message.answers.flatMap(({ rdata }) =>
      rdata.kind === 'ptr' ? [`${formatName(rdata.name)}.`] : [],
    )
    if (names.length > 0) return names
  }
  return isAnswered ? [] : undefined
}

/** The first text or address of an answer: who asked, as the authority of a whoami name saw it. */
export function sourceOfTrial({ attempts }: PairTrial): string | undefined {
  for (const { octets } of attempts.flatMap(({ responses }) => responses)) {
    const decoded = decodeMessage(octets)
    if (decoded.kind === 'malformed') continue
    for (const { rdata } of decoded.message.answers) {
      if (rdata.kind === 'a' || rdata.kind === 'aaaa') return rdata.address
      const text = rdata.kind === 'txt' ? new TextDecoder().decode(rdata.strings[0]) : ''
      if (canonicalIp(text) !== undefined) return canonicalIp(text)
    }
  }
  return undefined
}
