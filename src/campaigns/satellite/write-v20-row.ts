/**
 * Writes rows as v2.0 and v2.1 have them: judged ones with a map of addresses, others with a list of queries.
 *
 * **Invariant**: v2.0 counts the codes of the control queries and has no list of errors; v2.1 counts those of the name
 * tested and has one error for each −1.
 */
import type { JsonFields, SatelliteRow, SatelliteTrial } from '../../model/satellite-row.ts'
import { writeConfidence, writeLocation, writeTime, writeValue } from './common-fields.ts'
import { writeTrials } from './write-trials.ts'
import type { WrittenRow } from './written-row.ts'

/** @param target - Of the two flavours, the one to write. */
export function writeV20Row(row: SatelliteRow, target: 'v2.0' | 'v2.1'): WrittenRow {
  const missing = new Set<string>()
  const note = (field: string): void => void missing.add(field)
  const lost = row.flavour === 'v2.0' || row.flavour === 'v2.1' ? [] : listLost(row)
  const base = { vp: row.resolver, test_url: row.domain }
  const passed = (): boolean => writeValue(row.passedLiveness, false, 'passed_control', note)
  const connectError = (): boolean => writeValue(row.connectError, false, 'connect_error', note)
  if (row.role === 'control_response' || row.role === 'response' || row.role === 'no_answer') {
    const fields = {
      ...base,
      response: writeTrials(row.trials, 'list', note),
      passed_control: passed(),
      connect_error: connectError(),
    }
    return { role: row.role === 'no_answer' ? 'response' : row.role, fields, missing: [...missing], lost }
  }
  const response = writeResponse(row, target, note)
  const located = { ...base, location: writeLocation(row.location, note), response }
  if (row.role === 'verified' && row.anomaly === true) {
    const excluded = writeValue(row.excluded, false, 'excluded', note)
    const reasons = writeValue(row.excludeReasons, [], 'exclude_reason', note)
    return { role: 'verified', fields: { ...located, excluded, exclude_reason: reasons }, missing: [...missing], lost }
  }
  const fields = {
    ...located,
    passed_control: passed(),
    connect_error: connectError(),
    in_control_group: writeValue(row.inControlGroup, false, 'in_control_group', note),
    anomaly: writeValue(row.anomaly, false, 'anomaly', note),
    confidence: writeConfidence(row.confidence, note),
    start_time: writeTime(row.startTime, 'start_time', note),
    end_time: writeTime(row.endTime, 'end_time', note),
    ...writeExclusion(row),
  }
  return { role: 'result', fields, missing: [...missing], lost }
}

/** The document has no exclusion in these rows, but a source that has one keeps it. */
function writeExclusion(row: SatelliteRow): JsonFields {
  return row.excluded === null ? {} : { excluded: row.excluded, exclude_reason: row.excludeReasons ?? [] }
}

function writeResponse(row: SatelliteRow, target: 'v2.0' | 'v2.1', note: (field: string) => void): JsonFields {
  const tests = row.trials.filter((trial) => trial.purpose === 'test')
  const answers = tests.flatMap((trial) => trial.answers)
  const addresses = Object.fromEntries(answers.map((answer) => [answer.address, answer.matched ?? []]))
  const counted = target === 'v2.0' ? row.trials : tests
  if (counted.length === 0) return addresses
  if (counted.some((trial) => trial.rcode === null)) note('response.rcode')
  if (target === 'v2.0' && row.flavour !== 'v2.0') note('response.rcode of the control queries')
  const rcodes = counted.filter((trial) => trial.rcode !== null).map((trial) => String(trial.rcode))
  const errors = target === 'v2.1' ? listErrors(tests) : []
  return {
    ...addresses,
    ...(errors.length > 0 ? { error: errors } : {}),
    ...(rcodes.length > 0 ? { rcode: rcodes } : {}),
  }
}

function listErrors(tests: readonly SatelliteTrial[]): readonly string[] {
  return tests.flatMap((trial) => (trial.rcode === -1 && trial.error !== null ? [trial.error] : []))
}

function listLost(row: SatelliteRow): readonly string[] {
  const lost: string[] = []
  const isJudged = row.role === 'result' || row.role === 'verified' || row.role === 'no_control'
  if (isJudged && row.trials.some((trial) => trial.answers.some((answer) => answer.tags !== null))) lost.push('tags')
  if (isJudged && row.trials.some((trial) => trial.purpose === 'control' && trial.name !== null))
    lost.push('names of the control queries')
  return lost
}
