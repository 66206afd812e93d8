import { describe, expect, test } from 'vitest'
import { assert, property, string } from 'fast-check'
import { parseAuditLine } from './audit-line.ts'

const HEAD = '[2026-11-20 20:31:44,802] 127.0.0.1 query '

describe('parseAuditLine', () => {
  test('reads one address, with the time as UTC', () => {
    expect(parseAuditLine(`${HEAD}a.zone.example, type 1, time 1ms, speed: -0.1ms, result 198.51.100.24`)).toEqual({
      kind: 'observation',
      observation: {
        name: 'a.zone.example',
        addresses: ['198.51.100.24'],
        atMs: Date.parse('2026-11-20T20:31:44.802Z'),
      },
    })
  })

  test('reads several addresses of both families, and lower-cases the name', () => {
    const line = `${HEAD}WWW.Zone.example, type 28, time 0ms, speed: 12.4ms, result 2001:DB8::1, 198.51.100.2`
    expect(parseAuditLine(line)).toMatchObject({
      observation: { name: 'www.zone.example', addresses: ['2001:db8::1', '198.51.100.2'] },
    })
  })

  test.each(['result soa', 'result ', 'result'])('finds no addresses in %j', (result) => {
    expect(parseAuditLine(`${HEAD}a.zone.example, type 1, time 1ms, speed: -0.1ms, ${result}`)).toEqual({
      kind: 'no_addresses',
    })
  })

  test.each([
    '',
    'rubbish',
    `${HEAD}a.zone.example, type 1, time 1ms, speed: -0.1ms, result 198.51.100.999`,
    `[2026-13-20 20:31:44,802] 127.0.0.1 query a.example, type 1, time 1ms, speed: -0.1ms, result 198.51.100.1`,
    `${HEAD}${'a'.repeat(300)}, type 1, time 1ms, speed: -0.1ms, result 198.51.100.1`,
  ])('calls %j malformed', (line) => {
    expect(parseAuditLine(line).kind).toBe('malformed')
  })

  test('takes any text without throwing', () => {
    assert(
      property(string({ unit: 'binary', maxLength: 400 }), (text) => {
        expect(['observation', 'no_addresses', 'malformed']).toContain(parseAuditLine(HEAD + text).kind)
      }),
    )
  })
})
