/** Response codes. */
import { describe, expect, test } from 'vitest'
import { formatRcode } from './rcode.ts'

describe('formatRcode', () => {
  test('prints mnemonics, and numbers without one', () => {
    expect([0, 1, 2, 3, 4, 5, 16, 23, 12, 4095].map(formatRcode)).toEqual([
      'NOERROR',
      'FORMERR',
      'SERVFAIL',
      'NXDOMAIN',
      'NOTIMP',
      'REFUSED',
      'BADVERS',
      'BADCOOKIE',
      'RCODE12',
      'RCODE4095',
    ])
  })
})
