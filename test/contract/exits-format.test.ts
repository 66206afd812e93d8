/** The documents about the format of the exits campaign say what the types and the writer do. */
import { describe, expect, test } from 'vitest'
import { readText } from '../tidy/source-tree.ts'
import { exampleReport } from '../exit-fixtures/example-report.ts'

const FORMAT = readText('docs/formats/exits.md')
const CODES = readText('docs/detectors/exit-codes.md')
const TYPES = readText('src/model/exit-result.ts')

/** The names in a union of literals, templates (`SOCKS_${string}`) by what stands before the variable part. */
function literalsOf(typeName: string): readonly string[] {
  const union = new RegExp(`export type ${typeName} =([\\s\\S]*?)\\n\\n`).exec(TYPES)?.[1] ?? ''
  return [...union.matchAll(/['`](\w+?)(?:\$\{string\})?['`]/g)].map((match) => match[1] ?? '')
}

/** The fields of an interface. */
function fieldsOf(interfaceName: string): readonly string[] {
  const body = new RegExp(`export interface ${interfaceName} \\{([\\s\\S]*?)\\n\\}`).exec(TYPES)?.[1] ?? ''
  return [...body.matchAll(/^ {2}readonly (\w+):/gm)].map((match) => match[1] ?? '')
}

describe('docs/formats/exits.md', () => {
  test.each(['ExitReport', 'ExitMetadata', 'ExitResult', 'ExitAttempt', 'ExitResolver', 'ExitTiming'])(
    'explains every field of %s',
    (name) => {
      const fields = fieldsOf(name)
      expect(fields.length).toBeGreaterThan(4)
      expect(fields.filter((field) => !FORMAT.includes(`\`${field}\``))).toEqual([])
    },
  )

  test.each(['ExitStatus', 'ExitErrorCode', 'ExitFlag', 'ExitMode'])('explains every value of %s', (name) => {
    const values = literalsOf(name)
    expect(values.length).toBeGreaterThan(2)
    expect(values.filter((value) => !FORMAT.includes(`\`${value}`))).toEqual([])
  })
})

describe('docs/detectors/exit-codes.md', () => {
  test('says of every status and code how it is decided', () => {
    expect(literalsOf('ExitStatus').filter((status) => !CODES.includes(`\n## ${status}\n`))).toEqual([])
    expect(literalsOf('ExitErrorCode').filter((code) => !CODES.includes(`\`${code}`))).toEqual([])
  })
})

describe('a report', () => {
  test('has every field of its types, in their order', () => {
    const report = exampleReport(['success'])
    expect(Object.keys(report)).toEqual(fieldsOf('ExitReport'))
    expect(Object.keys(report.metadata)).toEqual(fieldsOf('ExitMetadata'))
    expect(Object.keys(report.results[0] ?? {})).toEqual(fieldsOf('ExitResult'))
    expect(Object.keys(report.metadata.timing)).toEqual(fieldsOf('ExitTiming'))
  })
})
