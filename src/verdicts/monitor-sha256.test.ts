import { createHash } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { hashText } from './monitor-sha256.ts'

describe('hashText', () => {
  test.each([0, 1, 3, 55, 56, 57, 63, 64, 65, 119, 120, 1_000])(
    'gives what the platform gives for %i characters',
    (length) => {
      const text = 'a-é'.repeat(length).slice(0, length)
      expect(hashText(text)).toBe(createHash('sha256').update(text).digest('hex'))
    },
  )
})
