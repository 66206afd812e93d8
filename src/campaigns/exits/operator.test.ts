import { describe, expect, test } from 'vitest'
import { nameOperator } from './operator.ts'

const A = 'A'.repeat(40)
const B = 'B'.repeat(40)
const C = 'C'.repeat(40)
const relay = (contact: string | null, family: readonly string[] = []): Parameters<typeof nameOperator>[0] => ({
  fingerprint: B,
  contact,
  family,
})

describe('nameOperator', () => {
  test.each([
    ['email:tor[]example.org url:https://www.Example.org/tor proof:uri-rsa ciissversion:2', 'example.org'],
    ['url:example.org', 'example.org'],
    ['URL:http://exits.example.org:8080/x?y', 'exits.example.org'],
    ['email:Tor[]Example.org hoster:x', 'tor@example.org'],
    ['0x1234 email:tor@example.org', 'tor@example.org'],
    ['url:javascript:alert(1) email:a[]b.example', 'a@b.example'],
    ['url:localhost', null],
    ['Random Person <nobody AT example dot org>', null],
    ['myurl:https://example.org', null],
    ['email:<script>@x', null],
    [`email:${'a'.repeat(300)}[]example.org`, null],
    [`url:${'a.'.repeat(200)}example.org`, null],
    [`${'x'.repeat(5000)} url:example.org`, null],
    [null, null],
  ])('reads %j', (contact, operator) => {
    expect(nameOperator(relay(contact))).toBe(operator)
  })

  test('gives all members of a family one name', () => {
    const names = [
      nameOperator({ fingerprint: A, contact: null, family: [B, C] }),
      nameOperator({ fingerprint: B, contact: null, family: [A, B, C, 'nickname'] }),
      nameOperator({ fingerprint: C, contact: '', family: [B, A] }),
    ]
    expect(names).toEqual([`family:${A}`, `family:${A}`, `family:${A}`])
    expect(nameOperator(relay(null, [B, 'nickname']))).toBeNull()
  })
})
