import { describe, expect, test } from 'vitest'
import { PUBLISHED_ROWS, readRecords, WHERE_ROWS_ARE } from '../../test/satellite-fixtures/published-rows.ts'
import { readRow } from '../campaigns/satellite/read-row.ts'
import { takeConfidence } from '../campaigns/satellite/row-fields.ts'
import { readTags } from '../campaigns/satellite/read-tags.ts'
import type { JsonFields, SatelliteRow, SatelliteTags } from '../model/satellite-row.ts'
import { createControlSets, type FindTags } from './satellite-control.ts'
import { answerConfidence, judgePair, recomputeConfidence } from './satellite-detect.ts'

const DOMAIN = 'www.example.org'
const CONTROL_NAME = 'control.example'
const PAGE: SatelliteTags = { http: 'page', cert: 'cert', asnum: 64500, asname: 'EXAMPLE' }
const NOTHING: SatelliteTags = { http: null, cert: null, asnum: null, asname: null }
const TAGS: Readonly<Record<string, SatelliteTags>> = {
  '192.0.2.1': PAGE,
  '192.0.2.2': { ...PAGE, http: 'other', cert: null },
  '192.0.2.3': { http: 'wrong', cert: null, asnum: 64999, asname: 'WRONG' },
}
const findTags: FindTags = (address) => TAGS[address]

interface Asked {
  readonly url?: string
  readonly answers?: readonly string[]
  readonly rcode?: number
}

function responseRow(trials: readonly Asked[], field = 'passed_liveness'): SatelliteRow {
  const response = trials.map(({ url = DOMAIN, answers = [], rcode = 0 }) => ({
    url,
    has_type_a: answers.length > 0,
    response: answers.length === 0 ? null : answers,
    error: 'null',
    rcode,
  }))
  return readRow({ vp: '192.0.2.53', test_url: DOMAIN, response, [field]: true }, 'response')
}

function judge(trials: readonly Asked[], controlAnswers: readonly string[] = ['192.0.2.1']): SatelliteRow {
  const controls = createControlSets()
  controls.add(responseRow([{ answers: controlAnswers }]))
  return judgePair(responseRow(trials), controls.find(DOMAIN, findTags), findTags)
}

function matchedOf(row: SatelliteRow): readonly unknown[] {
  return row.trials.flatMap((trial) => trial.answers.map(({ matched }) => matched))
}

const LIVE: Asked = { url: CONTROL_NAME, answers: ['192.0.2.4'] }
const DEAD: Asked = { url: CONTROL_NAME, rcode: -1 }
const LOST: Asked = { rcode: -1 }

describe('judgePair', () => {
  test('names what matches, in the published order', () => {
    const row = judge([{ answers: ['192.0.2.1', '192.0.2.2', '192.0.2.3', '192.0.2.9'] }])
    expect(matchedOf(row)).toEqual([['ip', 'http', 'cert', 'asnum', 'asname'], ['asnum', 'asname'], [], ['no_tags']])
    expect(row.confidence?.matches).toEqual([100, 200 / 3, 0, 0])
    expect(row.confidence?.average).toBe((100 + 200 / 3) / 4)
    expect(row).toMatchObject({ role: 'result', anomaly: false, inControlGroup: true, connectError: false })
    expect(row).toMatchObject({ excluded: false, excludeReasons: [] })
  })

  test.each([
    ['an address of another network', [{ answers: ['192.0.2.3'] }], true],
    ['no answer at all', [{ rcode: 3 }], true],
    ['four lost queries', [LIVE, LOST, LOST, LOST, LOST, LIVE], true],
    ['an address without tags', [{ answers: ['192.0.2.9'] }], false],
    ['a page of the same network', [{ answers: ['192.0.2.2'] }], false],
    ['one right address among wrong ones', [{ answers: ['192.0.2.3', '192.0.2.2'] }], false],
  ] as const)('judges %s', (_what, trials, anomaly) => {
    expect(judge(trials).anomaly).toBe(anomaly)
  })

  test('calls nothing an anomaly without tagged control addresses', () => {
    expect(judge([{ answers: ['192.0.2.3'] }], ['192.0.2.99'])).toMatchObject({
      anomaly: false,
      inControlGroup: true,
      confidence: { untaggedControls: true },
    })
    expect(judge([{ answers: ['192.0.2.3'] }], [])).toMatchObject({ anomaly: false, inControlGroup: false })
  })

  test.each([
    ['only the first control, lost', [DEAD], false, true],
    ['both controls lost', [DEAD, LOST, LOST, LOST, LOST, DEAD], false, true],
    ['the first lost, and tests after it', [DEAD, { rcode: 3 }], true, false],
    ['the second lost alone', [LIVE, LOST, LOST, LOST, LOST, DEAD], true, true],
    ['nothing written down of controls', [{ rcode: 3 }], true, false],
  ] as const)('tells liveness: %s', (_what, trials, passedLiveness, connectError) => {
    expect(judge(trials)).toMatchObject({ passedLiveness, connectError, anomaly: passedLiveness })
  })

  test('judges v1 by overlap alone, and not at all without a control', () => {
    const row = readRow({ resolver: '192.0.2.53', query: DOMAIN, answers: ['192.0.2.9'] }, 'response')
    const controls = createControlSets()
    expect(judgePair(row, controls.find(DOMAIN, findTags), findTags)).toMatchObject({
      role: 'no_control',
      anomaly: null,
    })
    controls.add(readRow({ resolver: '192.0.2.54', query: DOMAIN, answers: ['192.0.2.9'] }, 'control_response'))
    expect(judgePair(row, controls.find(DOMAIN, findTags), findTags)).toMatchObject({ role: 'result', anomaly: false })
    const other = readRow({ resolver: '192.0.2.53', query: DOMAIN, answers: ['192.0.2.8'] }, 'response')
    expect(judgePair(other, controls.find(DOMAIN, findTags), findTags)).toMatchObject({ anomaly: true })
  })

  test.skipIf(PUBLISHED_ROWS === undefined)(`gives what was published${WHERE_ROWS_ARE}`, () => {
    const cases = readRecords('detect_cases.jsonl') as unknown as readonly Case[]
    const complete = cases.filter(({ format }) => format === 'v1' || format === 'v2.1')
    for (const { format, controls: list, tags, response, expected } of complete) {
      const controls = createControlSets()
      for (const control of list) controls.add(readRow(control, 'control_response'))
      const find: FindTags = (address) => (tags[address] ? readTags(tags[address]) : undefined)
      const row = readRow(format === 'v1' ? response : toRow(response), 'response')
      const result = judgePair(row, controls.find(row.domain, find), find)
      const answers = result.trials.flatMap((trial) => trial.answers)
      expect(Object.fromEntries(answers.map(({ address, matched }) => [address, matched]))).toEqual(
        expected.answers ?? expected.response,
      )
      expect(result.anomaly).toBe(expected.anomaly ?? expected.passed === false)
      expect(sortMatches(result.confidence)).toEqual(sortMatches(toConfidence(expected.confidence)))
    }
    // The later flavours do not publish the tags of the controls.
    const judged = cases.filter((each) => !complete.includes(each))
    for (const { row: published, expected } of judged) {
      const row = readRow(published, undefined)
      const answers = row.trials.filter(({ purpose }) => purpose === 'test').flatMap((trial) => trial.answers)
      const found = recomputeConfidence(answers, expected.confidence?.['untagged_controls'] === true)
      expect(sortMatches(found)).toEqual(sortMatches(toConfidence(expected.confidence)))
    }
    expect([complete.length, judged.length]).toEqual([4, 10])
  })
})

describe('answerConfidence', () => {
  test.each([
    [NOTHING, ['ip', 'no_tags'], 100],
    [NOTHING, ['no_tags'], 0],
    [PAGE, ['http'], 25],
    [{ ...PAGE, cert: null }, ['asnum', 'asname'], 200 / 3],
  ])('weighs %j', (tags, matched, confidence) => {
    expect(answerConfidence(tags, matched)).toBe(confidence)
  })
})

interface Case {
  readonly format: string
  readonly row?: JsonFields
  readonly controls: readonly JsonFields[]
  readonly tags: Readonly<Record<string, JsonFields | null>>
  readonly response: JsonFields
  readonly expected: {
    readonly answers?: JsonFields
    readonly response?: JsonFields
    readonly anomaly?: boolean
    readonly passed?: boolean
    readonly confidence?: JsonFields
  }
}

/** The case as the row that it stands for. */
function toRow(response: JsonFields): JsonFields {
  const {
    vp,
    test_url: name,
    answers,
    rcode,
  } = response as Readonly<Record<string, string>> & {
    readonly answers: readonly string[]
    readonly rcode: readonly string[]
  }
  const trials = rcode.map((code, index) => ({
    url: name,
    has_type_a: index === rcode.length - 1,
    response: index === rcode.length - 1 ? answers : null,
    error: 'null',
    rcode: Number(code),
  }))
  return { vp, test_url: name, response: trials, passed_control: true, connect_error: false }
}

function toConfidence(expected: JsonFields | undefined): SatelliteRow['confidence'] {
  return expected === undefined ? null : takeConfidence({ confidence: expected })
}

/** `matches` are published in no order. v1 has no confidence: what is found there is left out. */
function sortMatches(confidence: SatelliteRow['confidence']): SatelliteRow['confidence'] {
  if (confidence === null) return null
  return { ...confidence, matches: confidence.matches?.toSorted((a, b) => a - b) ?? null }
}
