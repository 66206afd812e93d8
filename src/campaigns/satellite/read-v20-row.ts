/**
 * Judged rows of v2.0 and v2.1: `response` maps addresses to the tags that matched, beside `rcode` and `error`.
 *
 * **Invariant**: one query per response code. The codes of v2.0 begin and end with the control name; those of v2.1 are of
 * the name tested alone. The addresses belong to the last query for the name tested.
 */
import type {
  JsonFields,
  SatelliteAnswer,
  SatelliteFlavour,
  SatelliteRole,
  SatelliteTrial,
} from '../../model/satellite-row.ts'
import type { RowContent } from './row-content.ts'
import {
  isFields,
  MalformedRowError,
  needText,
  RESULT_FIELDS,
  takeBoolean,
  takeConfidence,
  takeLocation,
  takeTexts,
  takeTime,
  takeUnknown,
} from './row-fields.ts'

const NOTHING: JsonFields = {}

/** @throws {MalformedRowError} */
export function readV20Row(row: JsonFields, flavour: SatelliteFlavour, role: SatelliteRole | undefined): RowContent {
  const response = row['response']
  if (!isFields(response)) throw new MalformedRowError('the field response is no object')
  const domain = needText(row, 'test_url')
  const isReduced = 'excluded' in row && !('anomaly' in row)
  return {
    role: isReduced || role === 'verified' ? 'verified' : 'result',
    resolver: needText(row, 'vp'),
    domain,
    location: takeLocation(row),
    trials: readTrials(response, domain, flavour),
    passedLiveness: takeBoolean(row, 'passed_control') ?? takeBoolean(row, 'passed_liveness'),
    inControlGroup: takeBoolean(row, 'in_control_group'),
    connectError: takeBoolean(row, 'connect_error'),
    // The verified file of these flavours holds anomalies alone.
    anomaly: isReduced ? true : takeBoolean(row, 'anomaly'),
    confidence: takeConfidence(row),
    excluded: takeBoolean(row, 'excluded'),
    excludeReasons: takeTexts(row, 'exclude_reason') ?? takeTexts(row, 'excluded_reason'),
    startTime: takeTime(row, 'start_time'),
    endTime: takeTime(row, 'end_time'),
    unknown: takeUnknown(row, RESULT_FIELDS),
  }
}

function readTrials(response: JsonFields, domain: string, flavour: SatelliteFlavour): readonly SatelliteTrial[] {
  const rcodes = readRcodes(response['rcode'])
  const errors = [...(takeTexts(response, 'error') ?? [])]
  const answers = readAnswers(response)
  if (rcodes.length === 0 && answers.length > 0) rcodes.push(null)
  const isControl = (index: number): boolean => flavour === 'v2.0' && (index === 0 || index === rcodes.length - 1)
  const lastTest = rcodes.findLastIndex((_rcode, index) => !isControl(index))
  return rcodes.map((rcode, index) => {
    const own = index === lastTest ? answers : []
    return {
      purpose: isControl(index) ? 'control' : 'test',
      name: isControl(index) ? null : domain,
      hasTypeA: isControl(index) ? null : own.length > 0,
      answers: own,
      error: rcode === -1 ? (errors.shift() ?? null) : null,
      rcode,
      startTime: null,
      endTime: null,
      unknown: NOTHING,
    }
  })
}

function readRcodes(value: unknown): (number | null)[] {
  if (value === undefined || value === null) return []
  if (!Array.isArray(value)) throw new MalformedRowError('the field response.rcode is no list')
  return value.map((rcode: unknown) => {
    const number = typeof rcode === 'string' && rcode !== '' ? Number(rcode) : rcode
    if (typeof number === 'number' && Number.isInteger(number)) return number
    throw new MalformedRowError('the field response.rcode holds what is no code')
  })
}

function readAnswers(response: JsonFields): readonly SatelliteAnswer[] {
  return Object.keys(response)
    .filter((key) => key !== 'rcode' && key !== 'error')
    .map((address) => ({
      address,
      tags: null,
      matched: takeTexts(response, address) ?? [],
      unknown: NOTHING,
    }))
}
