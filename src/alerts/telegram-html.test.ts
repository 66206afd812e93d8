import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { parseTelegramHtml } from '../lab/telegram-server.ts'
import type { AlertMessage } from '../model/alert.ts'
import { escapeHtml, formatTelegramHtml, splitTelegramHtml } from './telegram-html.ts'

const message = (changes: Partial<AlertMessage>): AlertMessage => ({
  id: 'test',
  event: 'new',
  severity: 'high',
  campaign: 'exits',
  createdAt: '2026-01-31T12:00:00.000Z',
  title: 'title',
  lines: [],
  items: [],
  tags: [],
  contacts: [],
  ...changes,
})
const anyText = fc.string({ unit: fc.oneof(fc.constantFrom('<', '>', '&', '"', '\n', '😀', '́', 'a', ' ', '\uD800')) })

describe('escapeHtml', () => {
  test('gives text that Telegram reads as it was', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        expect(parseTelegramHtml(escapeHtml(text))).toBe(text)
      }),
    )
  })
})

describe('formatTelegramHtml', () => {
  test('lets nothing that a stranger wrote become markup', () => {
    fc.assert(
      fc.property(anyText, anyText, anyText, (title, line, text) => {
        const item = { text, url: 'https://metrics.example/rs.html#details/A&B"', data: {} }
        const html = formatTelegramHtml(message({ title, lines: [line], items: [item] }))
        expect(html.replaceAll(/<\/?b>|<a href="[^"]*">|<\/a>/g, '')).not.toMatch(/[<>]/)
        expect(parseTelegramHtml(html)).toBeDefined()
      }),
    )
  })

  test('makes a heading and a list', () => {
    const item = { text: 'exit1: timeout', url: 'https://a.example/?x=1&y=2', data: {} }
    expect(formatTelegramHtml(message({ lines: ['One sentence.'], items: [item] }))).toBe(
      '<b>New (high): title</b>\nOne sentence.\n• <a href="https://a.example/?x=1&amp;y=2">exit1: timeout</a>',
    )
  })

  test('leaves out a link that has no room', () => {
    const url = `https://a.example/${'x'.repeat(5_000)}`
    expect(formatTelegramHtml(message({ items: [{ text: 'exit1', url, data: {} }] }))).toContain('• exit1')
    expect(formatTelegramHtml(message({ items: [{ text: 'exit1', url, data: {} }] }))).not.toContain('xxx')
  })

  test('counts what is too much', () => {
    const items = Array.from({ length: 300 }, (_, index) => ({ text: `exit${index}`, url: null, data: {} }))
    const html = formatTelegramHtml(message({ items }))
    expect(html).toContain('• exit199\n… and 100 more')
  })
})

describe('splitTelegramHtml', () => {
  const piece = fc.oneof(
    fc.constantFrom('a', ' ', '\n', '&amp;', '&lt;', '😀', 'word'),
    fc.constantFrom('a', '\n', '&quot;', '😀').map((text) => `<b>${text.repeat(9)}</b>`),
    fc.constantFrom('a&amp;b', '😀😀', 'x\ny').map((text) => `<a href="https://a.example/">${text}<i>${text}</i></a>`),
  )

  test('loses nothing, cuts nothing in two and keeps to the limit', () => {
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 200 }), fc.integer({ min: 80, max: 400 }), (pieces, charsMax) => {
        const html = pieces.join('')
        const parts = splitTelegramHtml(html, charsMax)
        for (const part of parts) expect(part.length).toBeLessThanOrEqual(charsMax)
        const texts = parts.map((part) => parseTelegramHtml(part))
        expect(texts).not.toContain(undefined)
        expect(texts.join('')).toBe(parseTelegramHtml(html))
        expect(parts.join('').isWellFormed()).toBe(true)
      }),
    )
  })

  test('leaves what fits in one piece', () => {
    expect(splitTelegramHtml('<b>short</b>', 4096)).toEqual(['<b>short</b>'])
    expect(splitTelegramHtml('', 4096)).toEqual([''])
  })

  test('cuts at the end of a line', () => {
    const line = `${'x'.repeat(79)}\n`
    expect(splitTelegramHtml(line.repeat(4), 180)).toEqual([line.repeat(2), line.repeat(2)])
  })

  test('makes no part without text', () => {
    const parts = splitTelegramHtml(`${'x'.repeat(90)}<b>${'y'.repeat(200)}</b>`, 100)
    for (const part of parts) expect(parseTelegramHtml(part)).not.toBe('')
  })
})
