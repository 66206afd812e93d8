import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { batchLines } from './batch-lines.ts'

const BATCH = 32
const LINE_MAX = 12

async function batch(text: string, cuts: readonly number[], fails = false): Promise<readonly [string, boolean][]> {
  async function* chunks(): AsyncGenerator<Uint8Array> {
    const octets = new TextEncoder().encode(text)
    let from = 0
    for (const cut of cuts) {
      yield octets.subarray(from, from + cut)
      from += cut
    }
    yield octets.subarray(from)
    if (fails) throw new Error('damaged')
  }
  const batches: [string, boolean][] = []
  try {
    for await (const { octets, isWholeFile } of batchLines(chunks(), BATCH, LINE_MAX, () => new ArrayBuffer(BATCH)))
      batches.push([new TextDecoder().decode(octets), isWholeFile])
  } catch (error) {
    if (!fails) throw error
  }
  return batches
}

describe('batchLines', () => {
  test('cuts nowhere but behind lines, and shortens those that are too long', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.string({ unit: fc.constantFrom('a', 'b'), maxLength: 50 }), { maxLength: 20 }),
        fc.array(fc.integer({ min: 1, max: 40 }), { maxLength: 8 }),
        async (lines, cuts) => {
          const batches = await batch(lines.join('\n'), cuts)
          const seen = batches.map(([text]) => text).join('')
          const shorten = (line: string): string => (line.length > LINE_MAX ? 'too long' : line)
          expect(seen.split('\n').map((line) => shorten(line))).toEqual(
            lines.length === 0 ? [''] : lines.map((line) => shorten(line)),
          )
          for (const [text] of batches.slice(0, -1)) expect(text.endsWith('\n')).toBe(true)
          for (const [text] of batches) expect(text.length).toBeLessThanOrEqual(BATCH)
          expect(batches.at(-1)?.[1]).toBe(batches.length === 1)
        },
      ),
    )
  })

  test('gives the whole lines before a damage', async () => {
    expect(await batch('one\ntwo\nthr', [5], true)).toEqual([['one\ntwo\n', true]])
    expect(await batch('on', [], true)).toEqual([])
  })
})
