import { describe, expect, test } from 'vitest'
import { createNodePatternSearch } from './node-pattern-search.ts'

const CATASTROPHE = /^(?:a+)+$/s
const BAIT = `${'a'.repeat(40)}!`

describe('createNodePatternSearch', () => {
  test('finds the first pattern in the order given', () => {
    const search = createNodePatternSearch()([/zzz/s, /b.c/s, /b/s])
    expect(search.findFirst('b\nc')).toEqual({ found: 1, stopped: [] })
    expect(search.findFirst('b')).toEqual({ found: 2, stopped: [] })
    expect(search.findFirst('q')).toEqual({ found: null, stopped: [] })
  })

  test('stops a pattern that never ends, names it, and goes on with the others', () => {
    const search = createNodePatternSearch(20)([/zzz/s, CATASTROPHE, /!/s])
    expect(search.findFirst(BAIT)).toEqual({ found: 2, stopped: [1] })
    expect(search.findFirst('aaa')).toEqual({ found: 1, stopped: [] })
  })

  test('leaves out a pattern that was stopped ten times, and still names it', () => {
    const search = createNodePatternSearch(5)([CATASTROPHE])
    for (let page = 0; page < 10; page++) expect(search.findFirst(BAIT)).toEqual({ found: null, stopped: [0] })
    // It would be found here: now nobody looks any more.
    expect(search.findFirst('aaa')).toEqual({ found: null, stopped: [0] })
  })
})
