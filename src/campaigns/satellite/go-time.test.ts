import { describe, expect, test } from 'vitest'
import { PUBLISHED_ROWS, readRecords, WHERE_ROWS_ARE } from '../../../test/satellite-fixtures/published-rows.ts'
import { parseGoTime } from './go-time.ts'

describe('parseGoTime', () => {
  test.each([
    ['2021-04-18 14:49:01.62448452 -0400 EDT m=+10140.55', '2021-04-18T18:49:01.62448452Z'],
    ['2021-12-31 23:30:00.000000001 -0500 EST', '2022-01-01T04:30:00.000000001Z'],
    ['2021-04-18 14:49:01 +0000 UTC', '2021-04-18T14:49:01Z'],
    ['2021-04-18 14:49:01 +0530', '2021-04-18T09:19:01Z'],
    ['', null],
    ['yesterday', null],
    ['2021-19-18 14:49:01 +0000 UTC', null],
  ])('reads %j', (text, utc) => {
    expect(parseGoTime(text)).toEqual({ text, utc })
  })

  test.skipIf(PUBLISHED_ROWS === undefined)(`reads real times${WHERE_ROWS_ARE}`, () => {
    for (const { raw, iso } of readRecords('timestamp_cases.jsonl')) {
      const { utc } = parseGoTime(String(raw))
      const digits = /\.(\d+)/.exec(String(iso))?.[1]
      expect(utc).toContain(`.${digits ?? ''}Z`)
      expect(Date.parse(utc ?? '')).toBe(Date.parse(String(iso)))
    }
  })
})
