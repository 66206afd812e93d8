/** Writes the queries of a row as a list: with the tags of each address, or as a list of addresses. */
import type { JsonFields, SatelliteAnswer, SatelliteTrial } from '../../model/satellite-row.ts'
import { writeEmptyableTags, writeValue, type NoteMissing } from './common-fields.ts'

/** @param form - `map` for judged rows, `list` for responses before judgement. */
export function writeTrials(
  trials: readonly SatelliteTrial[],
  form: 'map' | 'list',
  note: NoteMissing,
): readonly JsonFields[] {
  return trials.map((trial) => ({
    url: writeValue(trial.name, '', 'response[].url', note),
    has_type_a: writeValue(trial.hasTypeA, trial.answers.length > 0, 'response[].has_type_a', note),
    response: form === 'map' ? writeMap(trial.answers, note) : writeList(trial.answers),
    error: trial.error ?? 'null',
    rcode: writeValue(trial.rcode, 0, 'response[].rcode', note),
    ...(trial.startTime === null ? {} : { start_time: trial.startTime.text }),
    ...(trial.endTime === null ? {} : { end_time: trial.endTime.text }),
    ...trial.unknown,
  }))
}

function writeMap(answers: readonly SatelliteAnswer[], note: NoteMissing): JsonFields {
  return Object.fromEntries(
    answers.map((answer) => {
      if (answer.tags === null) note('response[].response tags')
      const matched = answer.matched === null || answer.matched.length === 0 ? null : answer.matched
      return [answer.address, { ...writeEmptyableTags(answer.tags), matched, ...answer.unknown }]
    }),
  )
}

function writeList(answers: readonly SatelliteAnswer[]): readonly string[] | null {
  return answers.length === 0 ? null : answers.map((answer) => answer.address)
}
