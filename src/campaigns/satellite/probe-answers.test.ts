import { describe, expect, test } from 'vitest'
import { isRightAnswer, readProbeAnswer } from './probe-answers.ts'

const QUESTION = '0570726f6265076578616d706c65036e65740000010001'
const RECORD = 'c00c000100010000003c0004c6336407'
const answerWith = (flags: string): string => `0000${flags}0001000100000000${QUESTION}${RECORD}`
const expected = new Set(['198.51.100.7'])

describe('readProbeAnswer', () => {
  test.each([
    ['a recursive resolver', { saddr: '192.0.2.53', data: answerWith('8180') }, true],
    ['upper case', { saddr: '192.0.2.53', data: answerWith('8180').toUpperCase() }, true],
    ['one that does not recurse', { saddr: '192.0.2.53', data: answerWith('8100') }, false],
    ['an echo', { saddr: '192.0.2.53', data: answerWith('0180') }, false],
    ['octets that are no message', { saddr: '192.0.2.53', data: '00' }, false],
    [
      'decoded fields',
      { saddr: '192.0.2.53', dns_qr: 1, dns_ra: 1, dns_answers: [{ type_str: 'A', rdata: '198.51.100.7' }] },
      true,
    ],
    [
      'decoded fields below data',
      { saddr: '192.0.2.53', data: { dns_qr: 1, dns_ra: 1, dns_answers: [{ type: 1, rdata: '198.51.100.7' }] } },
      true,
    ],
    [
      'a wrong address',
      { saddr: '192.0.2.53', dns_qr: 1, dns_ra: 1, dns_answers: [{ type: 1, rdata: '198.51.100.8' }] },
      false,
    ],
  ])('judges %s', (_what, fields, isRight) => {
    const answer = readProbeAnswer(fields)
    expect(answer?.address).toBe('192.0.2.53')
    expect(answer !== undefined && isRightAnswer(answer, expected)).toBe(isRight)
  })

  test.each([{}, { saddr: 'x', data: '00' }, { saddr: '192.0.2.53', data: 'zz' }, { saddr: '192.0.2.53' }])(
    'refuses %j',
    (fields) => {
      expect(readProbeAnswer(fields)).toBeUndefined()
    },
  )
})
