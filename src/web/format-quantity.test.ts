import { describe, expect, test } from 'vitest'
import { formatRunTime, formatShare, formatSpan } from './format-quantity.ts'

describe('formatShare', () => {
  test('never rounds something to nothing, nor nearly all to all', () => {
    expect([formatShare(1, 3_000), formatShare(2_999, 3_000)]).toEqual(['< 0.1 %', '> 99.9 %'])
    expect([formatShare(0, 3_000), formatShare(3_000, 3_000), formatShare(1, 3)]).toEqual(['0 %', '100 %', '33.3 %'])
  })

  test('gives no number without a denominator', () => {
    expect(formatShare(0, 0)).toBe('–')
  })
})

describe('formatSpan', () => {
  test('says a length of time as people do', () => {
    const spans = [40_000, 25 * 60_000, 7 * 3_600_000, 72 * 3_600_000].map(formatSpan)
    expect(spans).toEqual(['40 s', '25 min', '7 h', '3 days'])
  })
})

describe('formatRunTime', () => {
  test('reads the moment out of a run id, and leaves anything else as it is', () => {
    expect([formatRunTime('20261120181506'), formatRunTime('current')]).toEqual(['2026-11-20 18:15 UTC', 'current'])
  })
})
