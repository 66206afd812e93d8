import { describe, expect, test } from 'vitest'
import { createSeededRandom } from '../../core/random.ts'
import { hasAnswers, parentName, randomChild, WildcardTable, type NamedRecord } from './wildcard-table.ts'

function record(name: string, answers: readonly string[], status = 'NOERROR'): NamedRecord {
  return { name, type: 'A', status, data: { answers: answers.map((data) => ({ type: 'A', data })) } }
}

describe('parentName', () => {
  test('takes the first label away, escaped dots and all', () => {
    expect(parentName('www.example.com.')).toBe('example.com.')
    expect(parentName(String.raw`a\.b.example.`)).toBe('example.')
    expect(parentName('example.')).toBe('.')
    expect(parentName('.')).toBe('.')
  })
})

describe('randomChild', () => {
  test('gives names below the parent, the same for the same seed', () => {
    expect(randomChild('example.', createSeededRandom('a'))).toMatch(/^[a-z]{16}\.example\.$/)
    expect(randomChild('.', createSeededRandom('a'))).toBe(randomChild('.', createSeededRandom('a')))
  })
})

describe('hasAnswers', () => {
  test('asks for NOERROR and a record', () => {
    expect(hasAnswers(record('a.example.', ['192.0.2.1']))).toBe(true)
    expect(hasAnswers(record('a.example.', []))).toBe(false)
    expect(hasAnswers(record('a.example.', ['192.0.2.1'], 'NXDOMAIN'))).toBe(false)
  })
})

describe('WildcardTable', () => {
  test('matches names whose every answer is one of the random names beside them', () => {
    const table = new WildcardTable()
    table.add(record('x.Example.', ['192.0.2.1']))
    table.add(record('y.example.', ['192.0.2.2']))
    table.add(record('z.other.', [], 'NXDOMAIN'))
    expect(table.matches(record('www.example.', ['192.0.2.2', '192.0.2.1']))).toBe(true)
    expect(table.matches(record('www.example.', ['192.0.2.1', '192.0.2.9']))).toBe(false)
    expect(table.matches(record('www.deep.example.', ['192.0.2.1']))).toBe(false)
    expect(table.matches(record('www.other.', []))).toBe(false)
  })
})
