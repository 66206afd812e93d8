import { describe, expect, test } from 'vitest'
import { choice, integer, optionalText, tableList, type Setting } from './setting.ts'

interface Row {
  readonly name: string | null
  readonly sizeMax: number
  readonly kind: 'a' | 'b'
}

const LIMIT = { default: 3, min: 1, max: 9, unit: 'things', why: 'nine are enough' }
const FIELDS: { readonly [K in keyof Row]: Setting<Row[K]> } = {
  name: { name: 'name', schema: optionalText, default: null, description: 'a name', example: 'x' },
  sizeMax: { name: 'size-max', schema: integer(LIMIT), default: 3, limit: LIMIT, description: 'a size', example: '3' },
  kind: { name: 'kind', schema: choice(['a', 'b']), default: 'a', description: 'a kind', example: 'a' },
}
const SCHEMA = tableList<Row>(FIELDS, 2)

function complaintsOf(value: unknown): readonly string[] {
  return SCHEMA.safeParse(value).error?.issues.map(({ message }) => message) ?? []
}

describe('tableList', () => {
  test('reads tables by their keys, and puts defaults where nothing is said', () => {
    expect(SCHEMA.parse([{ size_max: 5, name: 'x' }, {}])).toEqual([
      { name: 'x', sizeMax: 5, kind: 'a' },
      { name: null, sizeMax: 3, kind: 'a' },
    ])
    expect(SCHEMA.parse([])).toEqual([])
  })

  test.each([
    [[{}, { size_mux: 5 }], '(table 2): size_mux is no key of it; size_max is'],
    [[{ anything: 5 }], '(table 1): anything is no key of it'],
    [[{ size_max: 10 }], '(table 1): size_max is 10, outside 1 to 9 things'],
    [[{ kind: 'c' }], "(table 1): kind is 'c', which is none of a, b"],
    [[{}, {}, {}], 'has more than 2 tables'],
    ['x', 'must be a list of tables'],
    [['x'], 'must be a list of tables'],
  ])('says what is wrong with %j', (value, complaint) => {
    expect(complaintsOf(value)).toEqual([complaint])
  })
})
