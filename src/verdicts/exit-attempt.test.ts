import { describe, expect, test } from 'vitest'
import { classifyExitAnswer, type ExitAnswer } from './exit-attempt.ts'

const T_MS = 2000

function answer(changes: Partial<ExitAnswer>): ExitAnswer {
  return {
    mode: 'wildcard',
    queryType: 'A',
    expected: ['192.0.2.1'],
    rcode: 0,
    addresses: ['192.0.2.1'],
    elapsedMs: 50,
    circuitRttMs: 40,
    ownDelayMs: 1,
    resolveTimeoutMs: T_MS,
    queryTimeoutMs: 10_000,
    isInternal: (address) => address.startsWith('10.') || address.startsWith('fd'),
    ...changes,
  }
}
const failed = (changes: Partial<ExitAnswer>): ExitAnswer => answer({ rcode: 2, addresses: [], ...changes })

describe('classifyExitAnswer', () => {
  test('finds the expected address right', () => {
    expect(classifyExitAnswer(answer({}))).toEqual({ status: 'success', errorCode: null, error: null, unsure: false })
  })

  test('allows a private address where it is the expected one', () => {
    const verdict = classifyExitAnswer(answer({ expected: ['10.0.0.1'], addresses: ['10.0.0.1'] }))
    expect(verdict.status).toBe('success')
  })

  test('compares IPv6 addresses in their canonical form', () => {
    const verdict = classifyExitAnswer(
      answer({ queryType: 'AAAA', expected: ['2001:db8::1'], addresses: ['2001:DB8:0:0::1'] }),
    )
    expect(verdict.status).toBe('success')
  })

  test('keeps an address that is no address text as it is, and calls it wrong', () => {
    expect(classifyExitAnswer(answer({ addresses: ['0177.0.0.1'] }))).toMatchObject({ status: 'wrong_ip' })
  })

  test('calls another address wrong, also beside the right one', () => {
    expect(classifyExitAnswer(answer({ addresses: ['192.0.2.1', '198.51.100.7'] }))).toEqual({
      status: 'wrong_ip',
      errorCode: 'WRONG_ADDRESS',
      error: 'Expected 192.0.2.1, got 192.0.2.1, 198.51.100.7',
      unsure: false,
    })
  })

  test('names an internal address that Tor did not hide', () => {
    expect(classifyExitAnswer(answer({ addresses: ['10.9.9.9'] }))).toMatchObject({
      status: 'wrong_ip',
      errorCode: 'INTERNAL_ADDRESS_SUSPECTED',
    })
  })

  test('shows at most four addresses of a long answer', () => {
    const addresses = Array.from({ length: 300 }, (_, i) => `198.51.${i >> 8}.${i & 255}`)
    const { error } = classifyExitAnswer(answer({ addresses, expected: [] }))
    expect(error).toBe('Expected nothing, got 198.51.0.0, 198.51.0.1, 198.51.0.2, 198.51.0.3 and 296 more')
  })

  test('does not take the AAAA of an IPv6 exit for a wrong A', () => {
    expect(classifyExitAnswer(answer({ addresses: ['2001:db8::1'] }))).toMatchObject({
      status: 'dns_fail',
      errorCode: 'NO_A_ANSWER',
      error: 'The exit answered without an A address',
    })
    expect(classifyExitAnswer(answer({ addresses: ['192.0.2.1', '2001:db8::1'] })).status).toBe('success')
  })

  test('calls any address rewritten where the name does not exist', () => {
    expect(classifyExitAnswer(answer({ mode: 'nxdomain', expected: [] }))).toMatchObject({
      status: 'wrong_ip',
      errorCode: 'NXDOMAIN_REWRITTEN',
    })
  })

  test('takes any address but an internal one for a well-known name', () => {
    expect(classifyExitAnswer(answer({ mode: 'stable', expected: [] })).status).toBe('success')
    expect(classifyExitAnswer(answer({ mode: 'stable', expected: [], addresses: ['10.1.1.1'] }))).toMatchObject({
      status: 'wrong_ip',
      errorCode: 'INTERNAL_ADDRESS_SUSPECTED',
    })
  })

  test.each([
    ['wildcard', 'dns_fail', 'PERMANENT'],
    ['stable', 'dns_fail', 'PERMANENT'],
    ['nxdomain', 'success', null],
  ] as const)('reads RCODE 3 in %s mode as %s', (mode, status, errorCode) => {
    expect(classifyExitAnswer(answer({ mode, rcode: 3, addresses: [] }))).toMatchObject({ status, errorCode })
  })

  test.each([
    [0, 'dns_fail', 'SERVFAIL_CLASS'],
    [899, 'dns_fail', 'SERVFAIL_CLASS'],
    [900, 'dns_fail', 'SERVFAIL_SLOW'],
    [1799, 'dns_fail', 'SERVFAIL_SLOW'],
    [1800, 'timeout', 'RESOLVER_TIMEOUT'],
    [2010, 'timeout', 'RESOLVER_TIMEOUT'],
  ] as const)('tells a failure %d ms after the round trip', (resolverMs, status, errorCode) => {
    const verdict = classifyExitAnswer(failed({ elapsedMs: 300 + resolverMs, circuitRttMs: 300 }))
    expect(verdict).toMatchObject({ status, errorCode, unsure: false })
  })

  test('reads an answer faster than the round trip as no time at the exit', () => {
    expect(classifyExitAnswer(failed({ elapsedMs: 10, circuitRttMs: 300 }))).toMatchObject({
      errorCode: 'SERVFAIL_CLASS',
      error: 'The resolver of the exit failed at once (RCODE 2 after 0 ms at the exit)',
    })
  })

  test.each([
    [{ circuitRttMs: 501 }, true],
    [{ circuitRttMs: 500 }, false],
    [{ ownDelayMs: 501 }, true],
    [{ ownDelayMs: 500 }, false],
    [{ circuitRttMs: null }, true],
  ])('is unsure from a quarter of T on: %j → %s', (changes, unsure) => {
    expect(classifyExitAnswer(answer(changes)).unsure).toBe(unsure)
    expect(classifyExitAnswer(answer({ ...changes, rcode: null })).unsure).toBe(unsure)
  })

  test('takes the slower class when unsure: nothing is taken off the time that we saw', () => {
    // A first hop delayed by 1.5 s before a resolver that fails at once.
    expect(classifyExitAnswer(failed({ elapsedMs: 1510, circuitRttMs: 1500 }))).toMatchObject({
      errorCode: 'SERVFAIL_SLOW',
      unsure: true,
    })
    expect(classifyExitAnswer(failed({ elapsedMs: 3500, circuitRttMs: 1500 }))).toMatchObject({
      status: 'timeout',
      unsure: true,
    })
    expect(classifyExitAnswer(failed({ elapsedMs: 1700, circuitRttMs: null }))).toMatchObject({
      errorCode: 'SERVFAIL_SLOW',
    })
    expect(classifyExitAnswer(failed({ elapsedMs: null, circuitRttMs: null }))).toMatchObject({ status: 'timeout' })
    expect(classifyExitAnswer(failed({ elapsedMs: 5000, circuitRttMs: null, ownDelayMs: 0 }))).toMatchObject({
      status: 'timeout',
    })
  })

  test('blames nobody when nothing came', () => {
    expect(classifyExitAnswer(answer({ rcode: null, addresses: [], elapsedMs: null }))).toEqual({
      status: 'error',
      errorCode: 'STREAM_STALL',
      error: 'No answer came through the circuit within 10000 ms',
      unsure: false,
    })
  })

  test('blames our own Tor for an RCODE that no exit can cause', () => {
    expect(classifyExitAnswer(answer({ rcode: 5, addresses: [] }))).toMatchObject({
      status: 'error',
      errorCode: 'CONTROL_DNSPORT_RCODE_5',
    })
  })

  test('refuses a mode that does not exist', () => {
    expect(() => classifyExitAnswer(answer({ mode: 'other' as 'stable' }))).toThrow('unexpected value')
  })
})
