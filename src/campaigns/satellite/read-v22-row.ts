/**
 * Rows whose `response` is a list of queries: judged rows of v2.2 and v2.3, and the responses before judgement of every
 * v2 flavour, in which the addresses are a list without tags.
 *
 * **Invariant**: `matched: null` of a judged row means that nothing matched; before judgement it means that nobody looked.
 */
import type {
  JsonFields,
  SatelliteAnswer,
  SatelliteRole,
  SatelliteTags,
  SatelliteTrial,
} from '../../model/satellite-row.ts'
import { readTags } from './read-tags.ts'
import type { RowContent } from './row-content.ts'
import {
  isFields,
  MalformedRowError,
  needText,
  RESULT_FIELDS,
  takeBoolean,
  takeConfidence,
  takeError,
  takeLocation,
  takeNumber,
  takeTexts,
  takeTime,
  takeUnknown,
} from './row-fields.ts'

const KNOWN_TRIAL: ReadonlySet<string> = new Set([
  'url',
  'has_type_a',
  'response',
  'answer',
  'error',
  'rcode',
  'start_time',
  'end_time',
])
const KNOWN_ANSWER: ReadonlySet<string> = new Set(['http', 'cert', 'asnum', 'asname', 'matched'])
const NOTHING: JsonFields = {}

/** @param role - What the name of the file says. @throws {MalformedRowError} */
export function readV22Row(row: JsonFields, role: SatelliteRole | undefined): RowContent {
  const trials = row['response']
  if (!Array.isArray(trials)) throw new MalformedRowError('the field response is no list')
  const domain = needText(row, 'test_url')
  const isJudged = 'anomaly' in row
  return {
    role: isJudged ? (role === 'verified' ? 'verified' : 'result') : role === 'control_response' ? role : 'response',
    resolver: needText(row, 'vp'),
    domain,
    location: takeLocation(row),
    trials: trials.map((trial: unknown) => readTrial(trial, domain)),
    passedLiveness: takeBoolean(row, 'passed_liveness') ?? takeBoolean(row, 'passed_control'),
    inControlGroup: takeBoolean(row, 'in_control_group'),
    connectError: takeBoolean(row, 'connect_error'),
    anomaly: takeBoolean(row, 'anomaly'),
    confidence: takeConfidence(row),
    excluded: takeBoolean(row, 'excluded'),
    excludeReasons: takeTexts(row, 'exclude_reason') ?? takeTexts(row, 'excluded_reason'),
    startTime: takeTime(row, 'start_time'),
    endTime: takeTime(row, 'end_time'),
    unknown: takeUnknown(row, RESULT_FIELDS),
  }
}

function readTrial(trial: unknown, domain: string): SatelliteTrial {
  if (!isFields(trial)) throw new MalformedRowError('the field response holds what is no object')
  const name = typeof trial['url'] === 'string' ? trial['url'] : null
  return {
    purpose: name === null || name === domain ? 'test' : 'control',
    name,
    hasTypeA: takeBoolean(trial, 'has_type_a'),
    answers: readAnswers(trial['response'] ?? trial['answer']),
    error: takeError(trial, 'error'),
    rcode: takeNumber(trial, 'rcode'),
    startTime: takeTime(trial, 'start_time'),
    endTime: takeTime(trial, 'end_time'),
    unknown: takeUnknown(trial, KNOWN_TRIAL),
  }
}

function readAnswers(response: unknown): readonly SatelliteAnswer[] {
  if (response === undefined || response === null) return []
  if (Array.isArray(response)) {
    return response.map((address: unknown) => {
      if (typeof address !== 'string') throw new MalformedRowError('an answer is no text')
      return { address, tags: null, matched: null, unknown: NOTHING }
    })
  }
  if (!isFields(response)) throw new MalformedRowError('the answers are neither a list nor an object')
  return Object.entries(response).map(([address, facts]) => {
    if (!isFields(facts)) throw new MalformedRowError('the tags of an answer are no object')
    const tags: SatelliteTags = readTags(facts)
    return {
      address,
      tags,
      matched: takeTexts(facts, 'matched') ?? [],
      unknown: takeUnknown(facts, KNOWN_ANSWER),
    }
  })
}
