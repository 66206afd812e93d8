/** Rows of v1: `resolver`, `query`, and `answer` or `answers`, a list before they are judged and an object after. */
import type { JsonFields, SatelliteAnswer, SatelliteRole, SatelliteTrial } from '../../model/satellite-row.ts'
import type { RowContent } from './row-content.ts'
import { isFields, MalformedRowError, needText, takeBoolean, takeError, takeTexts, takeUnknown } from './row-fields.ts'

const KNOWN: ReadonlySet<string> = new Set(['resolver', 'ip', 'query', 'answer', 'answers', 'error', 'passed'])
const NOTHING: JsonFields = {}

/** @param role - What the name of the file says. @throws {MalformedRowError} */
export function readV1Row(row: JsonFields, role: SatelliteRole | undefined): RowContent {
  const field = 'answers' in row ? 'answers' : 'answer'
  const list = row[field]
  const isJudged = isFields(list)
  const domain = needText(row, 'query')
  const error = takeError(row, 'error')
  const answers = isJudged ? readJudged(list) : readList(row, field)
  if (answers === undefined && error === null && row[field] !== null)
    throw new MalformedRowError('the row has neither answers nor an error')
  const passed = takeBoolean(row, 'passed')
  const trial: SatelliteTrial = {
    purpose: 'test',
    name: domain,
    hasTypeA: (answers ?? []).length > 0,
    answers: answers ?? [],
    error,
    rcode: null,
    startTime: null,
    endTime: null,
    unknown: NOTHING,
  }
  return {
    role: isJudged ? 'result' : error !== null ? 'no_answer' : (role ?? 'response'),
    resolver: needText(row, 'resolver' in row ? 'resolver' : 'ip'),
    domain,
    location: null,
    trials: [trial],
    passedLiveness: null,
    inControlGroup: isJudged ? true : role === 'no_control' ? false : null,
    connectError: null,
    anomaly: passed === null ? null : !passed,
    confidence: null,
    excluded: null,
    excludeReasons: null,
    startTime: null,
    endTime: null,
    unknown: takeUnknown(row, KNOWN),
  }
}

function readJudged(answers: JsonFields): readonly SatelliteAnswer[] {
  return Object.keys(answers).map((address) => ({
    address,
    tags: null,
    matched: takeTexts(answers, address) ?? [],
    unknown: NOTHING,
  }))
}

function readList(row: JsonFields, field: string): readonly SatelliteAnswer[] | undefined {
  const list = typeof row[field] === 'string' ? [row[field]] : takeTexts(row, field)
  return list?.map((address) => ({ address, tags: null, matched: null, unknown: NOTHING }))
}
