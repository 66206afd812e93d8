/** Messages as values. */
import { describe, expect, test } from 'vitest'
import { decodeMessage } from './decode-message.ts'
import { fullRcode } from './message.ts'

describe('fullRcode', () => {
  test.each([
    ['without OPT record', '0000 8005 0000 0000 0000 0000', 5],
    ['with an extension', '0000 8000 0000 0000 0000 0001 00 0029 04d0 01 00 0000 0000', 16],
    ['with everything set', '0000 800f 0000 0000 0000 0001 00 0029 04d0 ff 00 0000 0000', 4095],
  ])('is right %s', (_what, hex, rcode) => {
    const decoded = decodeMessage(Uint8Array.from(Buffer.from(hex.replaceAll(' ', ''), 'hex')))
    expect(decoded.kind === 'message' && fullRcode(decoded.message)).toBe(rcode)
  })
})
