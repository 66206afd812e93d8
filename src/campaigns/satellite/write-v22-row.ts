/** Writes rows as v2.2 has them; the fields that v2.3 has besides stand in `unknown`. */
import type { SatelliteRow } from '../../model/satellite-row.ts'
import { writeConfidence, writeLocation, writeTime, writeValue } from './common-fields.ts'
import { writeTrials } from './write-trials.ts'
import type { WrittenRow } from './written-row.ts'

/** Writes one row; every field that v1 to v2.1 have finds its place here. */
export function writeV22Row(row: SatelliteRow): WrittenRow {
  const missing = new Set<string>()
  const note = (field: string): void => void missing.add(field)
  const base = { vp: row.resolver, test_url: row.domain }
  const passedLiveness = writeValue(row.passedLiveness, false, 'passed_liveness', note)
  const connectError = writeValue(row.connectError, false, 'connect_error', note)
  if (row.role === 'control_response' || row.role === 'response' || row.role === 'no_answer') {
    const fields = {
      ...base,
      response: writeTrials(row.trials, 'list', note),
      passed_liveness: passedLiveness,
      connect_error: connectError,
    }
    return { role: row.role === 'no_answer' ? 'response' : row.role, fields, missing: [...missing], lost: [] }
  }
  const fields = {
    ...base,
    location: writeLocation(row.location, note),
    passed_liveness: passedLiveness,
    connect_error: connectError,
    in_control_group: writeValue(row.inControlGroup, false, 'in_control_group', note),
    anomaly: writeValue(row.anomaly, false, 'anomaly', note),
    start_time: writeTime(row.startTime, 'start_time', note),
    end_time: writeTime(row.endTime, 'end_time', note),
    response: writeTrials(row.trials, 'map', note),
    confidence: writeConfidence(row.confidence, note),
    excluded: writeValue(row.excluded, false, 'excluded', note),
    exclude_reason: writeValue(row.excludeReasons, [], 'exclude_reason', note),
  }
  return { role: row.role === 'verified' ? 'verified' : 'result', fields, missing: [...missing], lost: [] }
}
