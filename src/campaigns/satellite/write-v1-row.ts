/** Writes rows as v1 has them. */
import type { SatelliteAnswer, SatelliteRow } from '../../model/satellite-row.ts'
import type { WrittenRow } from './written-row.ts'

/**
 * Writes one row. The fields that v1 has no place for are named in `lost`.
 *
 * A judged row without addresses becomes one without an answer, as v1 did not judge those.
 */
export function writeV1Row(row: SatelliteRow): WrittenRow {
  const answers = listAnswers(row)
  const base = { resolver: row.resolver, query: row.domain }
  const lost = row.flavour === 'v1' ? [] : listLost(row)
  const missing: string[] = []
  if (row.role === 'result' || row.role === 'verified') {
    // A row of v1 is judged whatever it holds; others without an address never were, there.
    if (row.flavour !== 'v1' && answers.length === 0) return noAnswer(row, base, lost)
    if (row.inControlGroup === false)
      return { role: 'no_control', fields: { ...base, answers: listAddresses(answers) }, missing, lost }
    const matched = Object.fromEntries(answers.map((answer) => [answer.address, answer.matched ?? []]))
    const fields = { ...base, answers: matched, passed: hasOverlap(answers) }
    return { role: 'result', fields, missing, lost }
  }
  if (row.role === 'no_answer' || (row.flavour !== 'v1' && answers.length === 0)) return noAnswer(row, base, lost)
  return { role: row.role, fields: { ...base, answers: listAddresses(answers) }, missing, lost }
}

function noAnswer(row: SatelliteRow, base: Readonly<Record<string, string>>, lost: readonly string[]): WrittenRow {
  const error = row.trials.findLast((trial) => trial.error !== null)?.error ?? 'no_answer'
  // The control responses have no file of errors of their own.
  return { role: 'no_answer', fields: { ...base, error }, missing: [], lost }
}

function listAnswers(row: SatelliteRow): readonly SatelliteAnswer[] {
  return row.trials.filter((trial) => trial.purpose === 'test').flatMap((trial) => trial.answers)
}

function listAddresses(answers: readonly SatelliteAnswer[]): readonly string[] {
  return answers.map((answer) => answer.address)
}

function hasOverlap(answers: readonly SatelliteAnswer[]): boolean {
  return answers.some((answer) => (answer.matched ?? []).some((item) => item !== 'no_tags'))
}

function listLost(row: SatelliteRow): readonly string[] {
  const lost: string[] = []
  if (row.location !== null) lost.push('location')
  if (row.passedLiveness !== null) lost.push('passed_liveness')
  if (row.connectError !== null) lost.push('connect_error')
  if (row.inControlGroup !== null) lost.push('in_control_group')
  if (row.anomaly !== null) lost.push('anomaly')
  if (row.confidence !== null) lost.push('confidence')
  if (row.excluded !== null) lost.push('excluded', 'exclude_reason')
  if (row.startTime !== null || row.endTime !== null) lost.push('start_time', 'end_time')
  if (row.trials.some((trial) => trial.rcode !== null)) lost.push('rcode')
  if (row.trials.some((trial) => trial.answers.some((answer) => answer.tags !== null))) lost.push('tags')
  return lost
}
