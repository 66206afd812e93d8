/**
 * A measured pair as a row of a flavour, and as packets.
 *
 * **Invariant**: pure: the same record gives the same row. v2.2 shows control queries only where they lack an address.
 */
import type { SatelliteQueryPackets } from '../../model/satellite-evidence.ts'
import type { SatelliteRow, SatelliteTime, SatelliteTrial } from '../../model/satellite-row.ts'
import { formatGoTime, parseGoTime } from './go-time.ts'
import type { OutputFormat } from './convert-row.ts'
import { answerOfTrial, type PairRecord, type PairTrial } from './pair-record.ts'
import { readAnswer } from './read-answer.ts'

/** A response row, not judged yet. */
export function rowOfPair(record: PairRecord, format: Exclude<OutputFormat, 'source'>): SatelliteRow {
  const trials = record.trials.map((trial) => trialOfRow(trial))
  const tests = trials.filter(({ purpose }) => purpose === 'test')
  const controls = trials.filter(({ purpose }) => purpose === 'control')
  const hasAnswer = tests.some(({ answers }) => answers.length > 0)
  const isDead =
    record.kind === 'non_resolver' ||
    tests.length === 0 ||
    (controls.length > 1 && controls.every(({ hasTypeA }) => hasTypeA === false))
  const role = record.kind === 'control' ? 'control_response' : format === 'v1' && !hasAnswer ? 'no_answer' : 'response'
  return {
    flavour: format,
    role,
    resolver: record.resolver,
    domain: record.domain,
    location: null,
    trials: trialsIn(format, trials),
    passedLiveness: !isDead,
    inControlGroup: null,
    connectError: tests.every(({ rcode }) => rcode === -1),
    anomaly: null,
    confidence: null,
    excluded: null,
    excludeReasons: null,
    startTime: null,
    endTime: null,
    unknown: {},
    spelling: { fields: {}, absent: [] },
  }
}

/** v1 knows one query; v2.2 shows those of the control name only where something was wrong with them. */
function trialsIn(
  format: Exclude<OutputFormat, 'source'>,
  trials: readonly SatelliteTrial[],
): readonly SatelliteTrial[] {
  if (format === 'v1') return trials.filter(({ purpose }) => purpose === 'test').slice(-1)
  return format === 'v2.2' ? trials.filter(({ purpose, hasTypeA }) => purpose === 'test' || !hasTypeA) : trials
}

function trialOfRow(trial: PairTrial): SatelliteTrial {
  const { rcode, addresses, error } = answerOfTrial(trial)
  return {
    purpose: trial.purpose,
    name: trial.name,
    hasTypeA: addresses.length > 0,
    answers: addresses.map((address) => ({ address, tags: null, matched: null, unknown: {} })),
    error,
    rcode,
    startTime: timeOf(trial.startedAtMs),
    endTime: timeOf(trial.endedAtMs),
    unknown: {},
  }
}

function timeOf(wallMs: number): SatelliteTime {
  return parseGoTime(formatGoTime(wallMs))
}

/** Whether more came for some query than the one datagram that was asked for. */
export function hasExtraPackets({ trials }: PairRecord): boolean {
  return trials.some(({ attempts }) => attempts.some(({ responses }) => responses.length > 1))
}

/** All datagrams over UDP, with the hash of their octets. Those over TCP cannot be injected as easily and are left out. */
export async function packetsOfPair({ trials }: PairRecord): Promise<readonly SatelliteQueryPackets[]> {
  return Promise.all(
    trials.map(async ({ purpose, name, attempts }) => ({
      purpose,
      name,
      packets: await Promise.all(
        attempts
          .filter(({ isOverTcp }) => !isOverTcp)
          .flatMap(({ responses }) => responses)
          .map(async ({ octets, elapsedMs }) => {
            const { rcode, addresses } = readAnswer(octets)
            return { elapsedMs, rcode, answers: addresses, octetsSha256: await hashOctets(octets) }
          }),
      ),
    })),
  )
}

/** SHA-256, lower-case hexadecimal. */
async function hashOctets(octets: Uint8Array): Promise<string> {
  const digest = await crypto.subtle.digest('SHA-256', Uint8Array.from(octets))
  return Array.from(new Uint8Array(digest), (octet) => octet.toString(16).padStart(2, '0')).join('')
}
