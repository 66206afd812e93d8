import { describe, expect, test } from 'vitest'
import { splitLines } from './split-lines.ts'

async function split(chunks: readonly string[], max = 10): Promise<readonly (string | undefined)[]> {
  async function* stream(): AsyncGenerator<Uint8Array> {
    for (const chunk of chunks) yield new TextEncoder().encode(chunk)
  }
  const texts: (string | undefined)[] = []
  for await (const { text, number } of splitLines(stream(), max)) {
    texts.push(text)
    expect(number).toBe(texts.length)
  }
  return texts
}

describe('splitLines', () => {
  test.each([
    [['ab\ncd\n'], ['ab', 'cd']],
    [
      ['a', 'b\nc', 'd'],
      ['ab', 'cd'],
    ],
    [['\n\nx'], ['', '', 'x']],
    [
      ['0123456789\n', '01234567890\n', 'x\n'],
      ['0123456789', undefined, 'x'],
    ],
    [
      ['01234', '56789', '0\nab'],
      [undefined, 'ab'],
    ],
    [[], []],
  ])('splits %j', async (chunks, lines) => {
    expect(await split(chunks)).toEqual(lines)
  })
})
