import { describe, expect, test } from 'vitest'
import { PUBLISHED_ROWS, readRecords, WHERE_ROWS_ARE } from '../../test/satellite-fixtures/published-rows.ts'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { createNodePatternSearch } from '../platform/node-pattern-search.ts'
import { createPageMatcher, formatPageText } from './satellite-page-match.ts'
import { parseSignatures, type PageSignature } from './satellite-signatures.ts'

function listOf(...entries: readonly (readonly [string, string])[]): readonly PageSignature[] {
  const lines = entries.map(([fingerprint, pattern]) => JSON.stringify({ fingerprint, pattern }))
  const { signatures, problems } = parseSignatures(lines.join('\n'))
  expect(problems).toEqual([])
  return signatures
}

describe('parseSignatures', () => {
  test.each([
    ['a.b', 'a\nb', true],
    ['(?i)BLOCKED', 'blocked', true],
    ['BLOCKED', 'blocked', false],
    ['(?P<word>ab)-(?P=word)', 'ab-ab', true],
    ['\\Ablocked\\Z', 'blocked', true],
    ['\\Ablocked', 'is blocked', false],
    ['^b', 'a\nb', false],
    ['(?m)^b', 'a\nb', true],
    ['\\\\Z', '\\Z', true],
  ])('reads %j as Python does', (pattern, text, isFound) => {
    expect(listOf(['x', pattern])[0]?.pattern.test(text)).toBe(isFound)
  })

  test('names lines that are none, and goes on', () => {
    const { signatures, problems } = parseSignatures(
      '{"fingerprint":"a","pattern":"("}\nno\n\n[]\n{"fingerprint":"b","pattern":"x"}',
    )
    expect(signatures.map(({ fingerprint }) => fingerprint)).toEqual(['b'])
    expect(problems).toHaveLength(3)
    expect(problems[0]).toMatch(/^line 1: a: /)
  })
})

describe('createPageMatcher', () => {
  test('tries false positives first, then the order of the file', () => {
    const match = createPageMatcher(
      listOf(['x_error', '404']),
      listOf(['c_isp_one', 'blocked'], ['b_nat_two', 'blocked by order']),
      createNodePatternSearch(),
    )
    expect(match('404 blocked')).toMatchObject({ isBlockpage: false, fingerprint: 'x_error' })
    expect(match('blocked by order')).toMatchObject({ isBlockpage: true, fingerprint: 'c_isp_one' })
    expect(match('welcome')).toEqual({ isBlockpage: null, fingerprint: null, stopped: [] })
  })

  test.skipIf(PUBLISHED_ROWS === undefined)(`knows the published pages${WHERE_ROWS_ARE}`, () => {
    const read = (name: string): readonly PageSignature[] =>
      parseSignatures(readFileSync(join(PUBLISHED_ROWS ?? '', 'signatures', name), 'utf8')).signatures
    const match = createPageMatcher(
      read('assets_false_positive_signatures.jsonl'),
      read('assets_blockpage_signatures.jsonl'),
      createNodePatternSearch(),
    )
    const cases = readRecords('blockpage_cases.jsonl') as unknown as readonly Case[]
    for (const { page, received, expected, expected_response: response } of cases) {
      const text =
        page ??
        formatPageText({
          statusLine: received?.status_line ?? '',
          headers: received?.headers ?? {},
          body: received?.body ?? '',
          isTruncated: false,
          bodySha256: '',
        })
      expect(match(text)).toEqual({
        isBlockpage: (expected ?? response)?.is_known_blockpage ?? null,
        fingerprint: expected?.fingerprint ?? response?.page_signature ?? null,
        stopped: [],
      })
    }
    expect(cases).toHaveLength(8)
  })
})

interface Case {
  readonly page?: string
  readonly received?: {
    readonly status_line: string
    readonly headers: Readonly<Record<string, readonly string[]>>
    readonly body: string
  }
  readonly expected?: { readonly is_known_blockpage: boolean | null; readonly fingerprint: string | null }
  readonly expected_response?: { readonly is_known_blockpage: boolean | null; readonly page_signature: string | null }
}
