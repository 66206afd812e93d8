import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { AlertMessage } from '../model/alert.ts'
import { cleanLine, formatPlainText, splitPlainText } from './plain-text.ts'

const anyText = fc.string({ unit: 'binary', maxLength: 200 })

describe('cleanLine', () => {
  test('makes one line without control characters of any text', () => {
    fc.assert(
      fc.property(anyText, (text) => {
        const line = cleanLine(text)
        expect(line).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u)
        expect(line.isWellFormed()).toBe(true)
        expect(line.length).toBeLessThanOrEqual(500)
      }),
    )
  })

  test('leaves what is harmless as it is', () => {
    expect(cleanLine('exit1 of müller.example: 5 times')).toBe('exit1 of müller.example: 5 times')
  })

  test('cuts what is too long', () => {
    expect(cleanLine('😀'.repeat(300))).toMatch(/^😀{249}…$|^😀{249}\uFFFD?…$/u)
  })
})

describe('splitPlainText', () => {
  test('loses nothing and keeps to the limit', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: fc.constantFrom('a', '\n', '😀', ' ') }),
        fc.integer({ min: 2, max: 40 }),
        (text, max) => {
          const parts = splitPlainText(text, max)
          expect(parts.join('')).toBe(text)
          for (const part of parts) {
            expect(part.length).toBeLessThanOrEqual(max)
            expect(part.isWellFormed()).toBe(true)
          }
        },
      ),
    )
  })
})

describe('formatPlainText', () => {
  test('has heading, sentences and items with their addresses', () => {
    const message: AlertMessage = {
      id: 'm',
      event: 'ongoing',
      severity: 'info',
      campaign: null,
      createdAt: '2026-01-31T12:00:00.000Z',
      title: 'two\nlines',
      lines: ['A sentence.'],
      items: [
        { text: 'exit1', url: 'https://a.example/', data: {} },
        { text: 'exit2', url: null, data: {} },
      ],
      tags: [],
      contacts: [],
    }
    expect(formatPlainText(message)).toBe(
      'Ongoing (information): two lines\n\nA sentence.\n\n- exit1\n  https://a.example/\n- exit2',
    )
  })
})
