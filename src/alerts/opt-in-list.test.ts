import { describe, expect, test } from 'vitest'
import { isMailAddress, parseOptIn } from './opt-in-list.ts'

describe('parseOptIn', () => {
  test('reads one address a line, without case, comments and empty lines', () => {
    const text = '# operators\nTor@Example.org  # since 2026\n\n  noc@a.example\n'
    expect([...parseOptIn('list', text)]).toEqual(['tor@example.org', 'noc@a.example'])
  })

  test('names the line that is no address', () => {
    expect(() => parseOptIn('list', 'a@b.example\nnobody\n')).toThrow(expect.objectContaining({ path: 'list:2' }))
  })
})

describe('isMailAddress', () => {
  test.each([
    ['a@b.example', true],
    ['first.last+tag@sub.b-c.example', true],
    ['root@localhost', true],
    ['a@b.example\r\nBcc: c@d.example', false],
    ['"a b"@c.example', false],
    ['a@-b.example', false],
    ['a@b..example', false],
    ['@b.example', false],
    ['a<b@c.example', false],
    [`${'a'.repeat(65)}@b.example`, false],
  ])('%j: %s', (text, expected) => {
    expect(isMailAddress(text)).toBe(expected)
  })
})
