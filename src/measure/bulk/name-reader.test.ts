import { describe, expect, test } from 'vitest'
import type { OctetSource } from '../../core/octet-source.ts'
import { createSeededRandom } from '../../core/random.ts'
import { decodeMessage } from '../../dns/decode-message.ts'
import { formatName } from '../../dns/name.ts'
import { formatRrType } from '../../dns/rr-type.ts'
import { BulkSlots } from './bulk-slots.ts'
import { NameReader, READ_END, READ_NOTHING, READ_QUERY, type NameReaderOptions } from './name-reader.ts'

/** Gives a text in pieces of some octets. */
function sourceOf(text: string, pieceOctets = 7): OctetSource {
  const all = new TextEncoder().encode(text)
  let from = 0
  return {
    read: (octets, at) => {
      if (from === all.length) return -1
      const piece = all.subarray(from, Math.min(from + pieceOctets, from + octets.length - at))
      octets.set(piece, at)
      from += piece.length
      return piece.length
    },
  }
}

function readAll(text: string, changes: Partial<NameReaderOptions> = {}) {
  const malformed: string[] = []
  const reader = new NameReader(sourceOf(text), {
    types: [1],
    bufferOctets: 1232,
    wantsRecursion: true,
    wantsDnssec: false,
    findResolver: (word) => (word === '192.0.2.1' ? 5 : -1),
    onMalformed: (line, reason) => malformed.push(`${line}: ${reason}`),
    resumeAt: 0,
    unfinished: new Float64Array(0),
    ...changes,
  })
  const slots = new BulkSlots(createSeededRandom('seed'))
  const queries: string[] = []
  for (let read = reader.next(slots, 3); read !== READ_END; read = reader.next(slots, 3)) {
    expect(read).toBe(READ_QUERY)
    const at = slots.wireAt[3] as number
    const decoded = decodeMessage(slots.wire.subarray(at, at + (slots.wireOctets[3] as number)))
    if (decoded.kind !== 'message') throw new Error('the query is malformed')
    const [question] = decoded.message.questions
    if (question === undefined) throw new Error('there is no question')
    const resolver = reader.resolver >= 0 ? ` @${reader.resolver}` : ''
    queries.push(`${slots.index[3]} ${formatName(question.name)} ${formatRrType(question.type)}${resolver}`)
  }
  return { queries, malformed, reader }
}

describe('NameReader', () => {
  test('reads names, types and resolvers; comments and empty lines say nothing', () => {
    const text = '# names\na.example\n\nb.example. AAAA\r\nc.example MX 192.0.2.1 # mine\n.\nlast.example'
    const { queries, malformed } = readAll(text)
    expect(queries).toEqual(['0 a.example A', '1 b.example AAAA', '2 c.example MX @5', '3 . A', '4 last.example A'])
    expect(malformed).toEqual([])
  })
  test('asks for each type, and the type of a line before them', () => {
    const { queries } = readAll('a\nb TXT\nc\n', { types: [1, 28] })
    expect(queries).toEqual(['0 a A', '1 a AAAA', '2 b TXT', '3 c A', '4 c AAAA'])
  })
  test('reports lines that cannot be used with their numbers, and gives them no number of a query', () => {
    const long = `${'a'.repeat(64)}.example`
    const { queries, malformed } = readAll(
      `a..b\n${long}\nok\nx BOGUS\ny A 192.0.2.9\nz A 192.0.2.1 more\nü.example\nok2\n`,
    )
    expect(queries).toEqual(['0 ok A', '1 ok2 A'])
    expect(malformed.map((line) => line.split(':')[0])).toEqual(['1', '2', '4', '5', '6', '7'])
  })
  test('takes escapes, and names of exactly 255 octets and no more', () => {
    const label = 'a'.repeat(63)
    const longest = `${label}.${label}.${label}.${'b'.repeat(61)}`
    expect(readAll(String.raw`a\.b.\032c\"` + '\n').queries).toEqual([String.raw`0 a\.b.\032c\" A`])
    expect(readAll(`${longest}\n`).queries).toHaveLength(1)
    expect(readAll(`${longest}c\n`).malformed).toHaveLength(1)
    expect(readAll('a\\25\na\\256\na\\\n').malformed).toHaveLength(3)
  })
  test('skips a line that is too long as one line', () => {
    const { queries, malformed, reader } = readAll(`${'x'.repeat(300_000)}\nok\n`)
    expect(malformed).toHaveLength(1)
    expect(queries).toEqual(['0 ok A'])
    expect(reader.malformedLines).toBe(1)
  })
  test('says that the last line is too long, with and without its end', () => {
    for (const end of ['', '\n']) {
      const { queries, malformed } = readAll(`ok\n${'x'.repeat(300_000)}${end}`, {})
      expect([queries, malformed.length]).toEqual([['0 ok A'], 1])
    }
  })
  test('makes only what a resumed run has left', () => {
    const { queries } = readAll('a\nb\nc\nd\ne\n', { resumeAt: 4, unfinished: Float64Array.from([1, 3]) })
    expect(queries).toEqual(['1 b A', '3 d A', '4 e A'])
  })
  test('says when there is nothing now', () => {
    const reader = new NameReader({ read: () => 0 }, readAll('').reader['options'])
    expect(reader.next(new BulkSlots(createSeededRandom('seed')), 0)).toBe(READ_NOTHING)
  })
})
