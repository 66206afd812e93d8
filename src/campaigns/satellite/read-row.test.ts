import { describe, expect, test } from 'vitest'
import {
  listPairFiles,
  PUBLISHED_ROWS,
  readRecords,
  WHERE_ROWS_ARE,
} from '../../../test/satellite-fixtures/published-rows.ts'
import { SATELLITE_ROWS } from '../../../test/satellite-fixtures/satellite-rows.ts'
import { convertRow } from './convert-row.ts'
import { readRow } from './read-row.ts'
import { tellFlavour } from './tell-flavour.ts'

const WRITTEN = Object.entries(SATELLITE_ROWS).flatMap(([flavour, rows]) =>
  Object.entries(rows).map(([name, row]) => ({ flavour, name, row })),
)
const FLAVOURS = ['v1', 'v2.0', 'v2.1', 'v2.2', 'v2.3'] as const
const FORMATS = ['v1', 'v2.0', 'v2.1', 'v2.2'] as const

function find(flavour: string, name: string): object {
  return SATELLITE_ROWS[flavour]?.[name] ?? {}
}

describe('readRow', () => {
  test.each(WRITTEN)('tells $flavour by shape and gives the row $name back as it was', ({ flavour, row }) => {
    const read = readRow(JSON.parse(JSON.stringify(row)), undefined)
    expect(read.flavour).toBe(flavour)
    expect(convertRow(read, 'source').fields).toEqual(row)
  })

  test.each(WRITTEN)('writes $flavour $name in each flavour, and what was written reads again', ({ row, flavour }) => {
    const source = readRow(row, undefined)
    for (const format of FORMATS) {
      const { fields, role } = convertRow(source, format)
      const text = JSON.stringify(fields)
      const again = readRow(JSON.parse(text), role === 'result' ? undefined : role)
      expect(again.resolver).toBe(source.resolver)
      expect(again.domain).toBe(source.domain)
      expect(JSON.parse(JSON.stringify(convertRow(again, 'source').fields))).toEqual(JSON.parse(text))
      expect('candor' in fields).toBe(format !== flavour)
    }
  })

  test('reads what v2.0 and v2.1 count', () => {
    const v20 = readRow(find('v2.0', 'repeated'), undefined)
    expect(v20.trials.map(({ purpose, rcode }) => [purpose, rcode])).toEqual([
      ['control', 0],
      ['test', 3],
      ['test', 3],
      ['test', 3],
      ['test', 3],
      ['control', 0],
    ])
    const v21 = readRow(find('v2.1', 'judged'), undefined)
    expect(v21.trials.map(({ purpose, rcode, error }) => [purpose, rcode, error])).toEqual([
      ['test', -1, 'read udp: i/o timeout'],
      ['test', -1, 'read udp: i/o timeout'],
      ['test', 0, null],
    ])
    expect(v21.trials[2]?.answers.map(({ address }) => address)).toEqual(['198.51.100.7', '198.51.100.8'])
    expect(readRow(find('v2.1', 'verified'), undefined)).toMatchObject({
      anomaly: true,
      excluded: true,
      excludeReasons: ['is_CDN', 'is_CDN'],
    })
  })

  test('takes every form of no tag for none', () => {
    const [trial] = readRow(find('v2.2', 'unusual'), undefined).trials
    expect(trial?.answers.map(({ tags, matched }) => ({ tags, matched }))).toEqual([
      { tags: { http: null, cert: null, asnum: null, asname: 'EXAMPLE' }, matched: [] },
      { tags: { http: null, cert: null, asnum: 64500, asname: null }, matched: ['asnum'] },
    ])
    expect(readRow(find('v2.0', 'judged'), undefined).confidence?.untaggedResponse).toBe(false)
  })

  test('marks what the source did not have, and what there is no place for', () => {
    expect(convertRow(readRow(find('v1', 'judged'), undefined), 'v2.2').fields['candor']).toEqual({
      converted_from: 'v1',
      missing: [
        'passed_liveness',
        'connect_error',
        'location',
        'start_time',
        'end_time',
        'response[].response tags',
        'response[].rcode',
        'confidence',
        'excluded',
        'exclude_reason',
      ],
      lost: [],
    })
    expect(convertRow(readRow(find('v2.3', 'judged'), undefined), 'v1').fields).toMatchObject({
      passed: true,
      candor: { converted_from: 'v2.3', fields: { class: 'expected/malformed_domain' } },
    })
    const toV22 = convertRow(readRow(find('v2.3', 'judged'), undefined), 'v2.2').fields
    expect(tellFlavour(toV22)).toBe('v2.2')
  })

  test('gives a row without addresses to the errors of v1', () => {
    const written = convertRow(readRow(find('v2.0', 'repeated'), undefined), 'v1')
    expect(written.role).toBe('no_answer')
    expect(written.fields).toMatchObject({ resolver: '192.0.2.53', query: 'www.example.org', error: 'no_answer' })
  })

  test.each([
    [[], 'no JSON object'],
    [{ vp: '192.0.2.1' }, 'the shape of no flavour'],
    [{ vp: '', test_url: 'a', response: [] }, 'the field vp is missing'],
    [{ vp: 'a', test_url: 'a', response: 'x' }, 'the shape of no flavour'],
    [{ vp: 'a', test_url: 'a', response: [1] }, 'holds what is no object'],
    [{ vp: 'a', test_url: 'a', response: [{ response: 7 }] }, 'neither a list nor an object'],
    [{ vp: 'a', test_url: 'a', response: [{ response: [7] }] }, 'an answer is no text'],
    [{ vp: 'a', test_url: 'a', response: [{ response: { b: 7 } }] }, 'tags of an answer are no object'],
    [{ vp: 'a', test_url: 'a', response: [{ response: { b: { http: 7 } } }] }, 'the tag http is no text'],
    [{ vp: 'a', test_url: 'a', response: [{ rcode: 'x' }] }, 'rcode is no number'],
    [{ vp: 'a', test_url: 'a', response: { rcode: '0' } }, 'rcode is no list'],
    [{ vp: 'a', test_url: 'a', response: { rcode: ['x'] } }, 'what is no code'],
    [{ vp: 'a', test_url: 'a', response: {}, anomaly: 'yes' }, 'neither true nor false'],
    [{ vp: 'a', test_url: 'a', response: {}, location: 1 }, 'location is no object'],
    [{ vp: 'a', test_url: 'a', response: {}, start_time: 1 }, 'start_time is no text'],
    [{ vp: 'a', test_url: 'a', response: {}, confidence: { matches: ['a'] } }, 'no list of numbers'],
    [{ resolver: 'a', query: 'b' }, 'neither answers nor an error'],
    [{ resolver: 'a', query: 'b', answers: [1] }, 'no list of texts'],
  ])('refuses %j', (value, reason) => {
    expect(() => readRow(value, undefined)).toThrow(reason)
  })

  test('keeps a field that is called as the prototype is', () => {
    const row = JSON.parse('{"resolver":"a","query":"b","answers":["c"],"__proto__":{"x":1}}') as object
    const text = JSON.stringify(convertRow(readRow(row, undefined), 'source').fields)
    expect(JSON.parse(text)).toEqual(row)
    expect(Object.getPrototypeOf(readRow(row, undefined).unknown)).toBe(Object.prototype)
  })

  test.skipIf(PUBLISHED_ROWS === undefined)(`gives real rows back as they were${WHERE_ROWS_ARE}`, () => {
    let rows = 0
    for (const flavour of FLAVOURS) {
      for (const file of listPairFiles(flavour)) {
        for (const row of readRecords(file)) {
          const read = readRow(row, undefined)
          expect(read.flavour).toBe(flavour)
          expect(convertRow(read, 'source').fields).toEqual(row)
          rows++
        }
      }
    }
    expect(rows).toBeGreaterThan(15)
  })
})
