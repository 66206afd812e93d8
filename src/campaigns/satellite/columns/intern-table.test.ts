import { describe, expect, test } from 'vitest'
import { InternTable } from './intern-table.ts'

function encode(text: string): Uint8Array {
  return new TextEncoder().encode(text)
}

describe('InternTable', () => {
  test('gives equal octets one number, whatever their hash shares with others', () => {
    const table = new InternTable()
    const texts = Array.from({ length: 5000 }, (_, at) => `text ${at}`)
    // Four hashes for all of them.
    texts.forEach((text, at) => expect(table.add(encode(`<${text}>`), 1, text.length + 1, at % 4)).toBe(at))
    texts.forEach((text, at) => expect(table.find(encode(text), 0, text.length, at % 4)).toBe(at))
    expect(table.find(encode('text 0'), 0, 6, 1)).toBe(-1)
    expect(new TextDecoder().decode(table.toLines())).toBe(`${texts.join('\n')}\n`)
  })

  test('takes no more than its limit', () => {
    const table = new InternTable(1)
    expect([table.add(encode('a'), 0, 1, 7), table.add(encode('b'), 0, 1, 8)]).toEqual([0, -1])
  })
})
