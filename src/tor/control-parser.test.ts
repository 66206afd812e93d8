import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  ControlProtocolError,
  createControlParser,
  parseControlFields,
  quoteControlValue,
  unquoteControlValue,
  type ReplyLine,
} from './control-parser.ts'

const encoder = new TextEncoder()

/** What a parser makes of text that arrives in pieces of `size` octets. */
function parse(text: string, size = 1_000_000): { replies: (readonly ReplyLine[])[]; data: string[] } {
  const replies: (readonly ReplyLine[])[] = []
  const data: string[] = []
  const parser = createControlParser({
    onReply: (lines) => replies.push(lines),
    onData: (line, opener) => data.push(`${opener.text}|${line}`),
  })
  const octets = encoder.encode(text)
  for (let at = 0; at < octets.length; at += size) parser.feed(octets.subarray(at, at + size))
  return { replies, data }
}

const DIALOGUE =
  '250-version=0.4.9.11\r\n250 OK\r\n' +
  '650 CIRC 5 BUILT $AA~a,$BB~b PURPOSE=GENERAL\r\n' +
  '250+desc=\r\nrouter a 192.0.2.1\r\n..dot\r\n\r\ncontact ünï\r\n.\r\n250 OK\r\n' +
  '552 Unrecognized key "x"\r\n'

describe('createControlParser', () => {
  test.each([1, 2, 3, 7, 1_000])('reads replies, events and data blocks in pieces of %i octets', (size) => {
    const { replies, data } = parse(DIALOGUE, size)
    expect(replies).toEqual([
      [
        { status: 250, text: 'version=0.4.9.11' },
        { status: 250, text: 'OK' },
      ],
      [{ status: 650, text: 'CIRC 5 BUILT $AA~a,$BB~b PURPOSE=GENERAL' }],
      [
        { status: 250, text: 'desc=' },
        { status: 250, text: 'OK' },
      ],
      [{ status: 552, text: 'Unrecognized key "x"' }],
    ])
    expect(data).toEqual(['desc=|router a 192.0.2.1', 'desc=|.dot', 'desc=|', 'desc=|contact ünï'])
  })

  test.each(['hello\r\n', '25 OK\r\n', '250_OK\r\n', '\r\n', '050 OK\r\n'])('refuses %j', (text) => {
    expect(() => parse(text)).toThrow(ControlProtocolError)
  })

  test('refuses a line without end, and one that is too long', () => {
    expect(() => parse(`250 ${'x'.repeat(200_000)}`, 4_096)).toThrow(ControlProtocolError)
    expect(() => parse(`250 ${'x'.repeat(200_000)}\r\n`)).toThrow(ControlProtocolError)
  })

  test('refuses a reply without end', () => {
    expect(() => parse('250-x\r\n'.repeat(70_000))).toThrow(ControlProtocolError)
  })

  test('throws nothing but its own error, whatever comes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), fc.integer({ min: 1, max: 50 }), (octets, size) => {
        const parser = createControlParser({ onReply: () => {}, onData: () => {} })
        let thrown: unknown
        try {
          for (let at = 0; at < octets.length; at += size) parser.feed(octets.subarray(at, at + size))
        } catch (error) {
          thrown = error
        }
        expect([undefined, 'ControlProtocolError']).toContain((thrown as Error | undefined)?.name)
      }),
    )
  })
})

describe('parseControlFields', () => {
  test('separates words from pairs, quoted and not', () => {
    const { words, named } = parseControlFields('AUTH METHODS=COOKIE,SAFECOOKIE COOKIEFILE="/a \\"b\\"\\\\c" last')
    expect(words).toEqual(['AUTH', 'last'])
    expect(Object.fromEntries(named)).toEqual({ METHODS: 'COOKIE,SAFECOOKIE', COOKIEFILE: '/a "b"\\c' })
  })

  test('keeps a path with its equals signs as a word, and the first of equal keys', () => {
    const { words, named } = parseControlFields('7 EXTENDED $AAAA=x,$BB~y REASON=ONE REASON=TWO')
    expect(words).toEqual(['7', 'EXTENDED', '$AAAA=x,$BB~y'])
    expect(named.get('REASON')).toBe('ONE')
  })

  test('ends on any text, and bounds what it returns', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 300 }), (text) => {
        const { words, named } = parseControlFields(text)
        expect(words.length + named.size).toBeLessThanOrEqual(256)
      }),
    )
    expect(parseControlFields('a '.repeat(10_000)).words).toHaveLength(256)
  })
})

describe('quoteControlValue', () => {
  test('is undone by unquoteControlValue', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        const wellFormed = text.toWellFormed()
        const quoted = quoteControlValue(wellFormed)
        expect(quoted).toMatch(/^"[\x20-\x7e]*"$/)
        expect(unquoteControlValue(quoted)).toBe(wellFormed)
      }),
    )
  })
})
