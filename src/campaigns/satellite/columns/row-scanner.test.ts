import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { SATELLITE_ROWS } from '../../../../test/satellite-fixtures/satellite-rows.ts'
import { readScanLine } from '../read-scan.ts'
import type { ScanFileKind } from '../scan-file-names.ts'
import { decodeBlock } from './column-block.ts'
import { formatColumnRow, type PartTexts } from './format-column-row.ts'
import { PartImporter } from './import-part.ts'
import { DICTIONARY_NAMES } from './part-dictionaries.ts'
import { BlockWalk } from './walk-block.ts'

interface Taken {
  /** The rows, written again. */
  readonly lines: readonly string[]
  readonly odd: number
  readonly quarantined: readonly { readonly line: number; readonly reason: string }[]
  readonly flavours: readonly string[]
}

function takeLines(lines: readonly string[], kind: ScanFileKind = 'result', importer = new PartImporter()): Taken {
  const {
    block: octets,
    counts,
    quarantined,
    flavours,
  } = importer.take(kind, new TextEncoder().encode(`${lines.join('\n')}\n`))
  const texts = Object.fromEntries(
    DICTIONARY_NAMES.map((name) => [
      name,
      new TextDecoder('utf-8', { ignoreBOM: true }).decode(importer.dictionaries.tables[name].toLines()).split('\n'),
    ]),
  ) as unknown as PartTexts
  const block = decodeBlock(octets, counts)
  const written: string[] = []
  for (const walk = new BlockWalk(); walk.row < counts.row; walk.pass(block))
    written.push(formatColumnRow(block, texts, walk))
  return { lines: written, odd: counts.odd, quarantined, flavours }
}

/** Values that are usual, and now and then one that is not. */
function mostly(usual: readonly unknown[], unusual: readonly unknown[]): fc.Arbitrary<unknown> {
  return fc.oneof({ weight: 60, arbitrary: fc.constantFrom(...usual) }, fc.constantFrom(...unusual))
}

const text = fc.oneof(fc.constantFrom('', 'a.example', 'AT&T', 'ünï', '﻿x', 'null', '12'), fc.string({ maxLength: 6 }))
const time = mostly(
  ['2021-04-18 14:49:01.62448452 -0400 EDT', '2021-04-18 14:49:02 -0400 EDT', '2021-04-18 14:49:02.1 +0530'],
  [
    '2021-04-18 14:49:02.1 +0000 UTC m=+10.5',
    '2021-12-31 14:49:02.1234567890 +0000 UTC',
    '2021-13-01 14:49:02 +0000',
    '',
    1,
  ],
)
const tags = fc.record({
  http: mostly(['', 'aa', null], [1]),
  cert: fc.constantFrom('', 'bb'),
  asnum: mostly([0, 64_500, '', 64_500.5, null], ['x']),
  asname: fc.constantFrom('', 'EXAMPLE', 'A&B "net"', 'ünï'),
  matched: mostly(
    [null, [], ['ip'], ['ip', 'http', 'asnum'], ['no_tags']],
    [['asnum', 'ip'], ['later'], ['ip', 'ip'], 'ip'],
  ),
})
const answers = fc.oneof(
  { weight: 3, arbitrary: fc.dictionary(fc.constantFrom('198.51.100.7', '198.51.100.8', '2001:db8::1'), tags) },
  fc.array(fc.constantFrom('198.51.100.7', '198.51.100.8'), { maxLength: 3 }),
  mostly([null], ['x', { '7': { matched: null } }]),
)
const trial = fc
  .record({
    url: mostly(['www.example.org', 'control.example'], ['', 1]),
    has_type_a: mostly([true, false], [null]),
    response: answers,
    error: fc.oneof({ weight: 20, arbitrary: fc.constantFrom('null', 'read udp: i/o timeout', '') }, text),
    rcode: mostly([0, -1, 3, 32_767], [1.5, 32_768, '0', 1e21]),
    times: fc.option(fc.record({ start_time: time, end_time: time })),
    extra: mostly([{}], [{ extra: 1 }, { start_time: '' }]),
  })
  .map(({ times, extra, ...fields }) => ({ ...fields, ...times, ...(extra as object) }))
const row = fc
  .record(
    {
      vp: mostly(['192.0.2.53', '192.0.2.54'], ['', 7]),
      test_url: fc.constantFrom('www.example.org', 'www.exämple.org'),
      response: fc.array(trial, { maxLength: 4 }),
      location: mostly([{ country_name: 'Exampleland', country_code: 'XE' }], [null, { country_name: 1 }, []]),
      passed: fc.constantFrom('passed_liveness', 'passed_control'),
      connect_error: mostly([true, false], [null]),
      in_control_group: fc.boolean(),
      anomaly: mostly([true, false], ['yes']),
      confidence: mostly(
        [
          { average: 37.5, matches: [75, 0], untagged_controls: false, untagged_response: false },
          { average: 0, matches: null, untagged_controls: false, untagged_answers: true },
        ],
        [{ average: 'x' }, null],
      ),
      start_time: time,
      end_time: time,
      excluded: fc.boolean(),
      exclude_reason: mostly([[], ['is_CDN', 'is_CDN']], [null, [1]]),
      later: mostly([undefined], [1, 'x']),
    },
    { requiredKeys: ['vp', 'test_url', 'response', 'passed'] },
  )
  .map(({ passed, ...fields }) => ({ ...fields, [passed]: true }))
/** A line as a program writes it, or damaged at one place. */
const line = fc
  .tuple(
    row,
    fc.boolean(),
    fc.oneof(
      { weight: 9, arbitrary: fc.constant(null) },
      fc.tuple(fc.nat(), fc.constantFrom('', ',', '}', '"', '\\', '0', ' ', ']', ':', '\u0001')),
    ),
  )
  .map(([value, isWide, damage]) => {
    const whole = isWide ? JSON.stringify(value, null, '\t').replaceAll('\n', '\r') : JSON.stringify(value)
    if (damage === null) return whole
    const at = damage[0] % whole.length
    return whole.slice(0, at) + damage[1] + whole.slice(at + 1)
  })

describe('RowScanner', () => {
  test('reads what the slow reader reads, and puts aside what that puts aside', () => {
    // One for all cases: what one row brings into the dictionaries is there for the next.
    const importer = new PartImporter()
    let [rows, odd] = [0, 0]
    fc.assert(
      fc.property(fc.array(line, { minLength: 1, maxLength: 8 }), (lines) => {
        const taken = takeLines(lines, 'result', importer)
        const slow = lines.map((each) => readScanLine('result', each))
        const kept = lines.filter((_each, at) => slow[at]?.type === 'row')
        expect(taken.lines.map((each) => JSON.parse(each) as unknown)).toEqual(
          kept.map((each) => JSON.parse(each) as unknown),
        )
        rows += taken.lines.length
        odd += taken.odd
        expect(taken.quarantined).toEqual(
          slow.flatMap((each, at) => (each.type === 'malformed' ? [{ line: at + 1, reason: each.reason }] : [])),
        )
        expect([...taken.flavours].sort()).toEqual(
          [...new Set(slow.flatMap((each) => (each.type === 'row' ? [each.row.flavour] : [])))].sort(),
        )
      }),
      { numRuns: 400 },
    )
    // Neither reader has all the work.
    expect(odd / rows).toBeGreaterThan(0.1)
    expect(odd / rows).toBeLessThan(0.9)
  })

  test('takes usual rows itself: judged ones of v2.2, and responses of every v2 flavour', () => {
    const { judged, notJudged } = SATELLITE_ROWS['v2.2'] ?? {}
    const { notJudged: older } = SATELLITE_ROWS['v2.1'] ?? {}
    const times = { start_time: '2021-10-20 14:51:41.221546144 -0400 EDT', end_time: '2021-10-20 14:51:41 -0400 EDT' }
    const rows = [{ ...judged, ...times }, notJudged, { ...older, response: [] }]
    const { lines, odd } = takeLines(rows.map((each) => JSON.stringify(each)))
    expect(lines.map((each) => JSON.parse(each) as unknown)).toEqual(rows)
    expect(odd).toBe(0)
  })

  test.each([
    ['a field that nobody knows', { later: 1 }],
    ['no list of queries', { response: {} }],
    ['both names of one field', { passed_control: true }],
    ['an escape in an error', { response: [{ ...failedQuery(), error: 'a"b' }] }],
  ])('leaves %s to the slow reader', (_what, change) => {
    const changed = { ...SATELLITE_ROWS['v2.2']?.['notJudged'], ...change }
    const { lines, odd } = takeLines([JSON.stringify(changed)])
    expect(lines.map((each) => JSON.parse(each) as unknown)).toEqual([changed])
    expect(odd).toBe(1)
  })

  test('does not take one field twice', () => {
    const fields = '"vp":"a","test_url":"b","passed_liveness":true'
    const answer = '{"http":"","cert":"","asnum":1,"asname":"","matched":null}'
    const query = `{"url":"b","has_type_a":true,"response":{"c":${answer},"c":${answer}},"error":"null","rcode":0}`
    expect(takeLines([`{${fields},"response":[],"vp":"x"}`, `{${fields},"response":[${query}]}`]).odd).toBe(2)
  })
})

function failedQuery(): object {
  return { url: 'www.example.org', has_type_a: false, response: null, error: 'null', rcode: -1 }
}
