import { describe, expect, test } from 'vitest'
import type { ExitAttempt, ExitErrorCode, ExitStatus } from '../model/exit-result.ts'
import {
  decideExitRelay,
  familiesToAsk,
  isDnsVerdict,
  needsAnotherCircuit,
  type ExitCircuitOutcome,
} from './exit-relay.ts'

const OPTIONS = { mode: 'wildcard', authorityAsked: false } as const
const CODES: Readonly<Record<string, ExitErrorCode>> = {
  wrong_ip: 'WRONG_ADDRESS',
  dns_fail: 'SERVFAIL_CLASS',
  timeout: 'RESOLVER_TIMEOUT',
  circuit_fail: 'EXIT_FAIL',
  error: 'STREAM_STALL',
  exception: 'EXCEPTION',
  not_tested: 'DEADLINE',
}

let count = 0
function attempt(status: ExitStatus, changes: Partial<ExitAttempt> = {}): ExitAttempt {
  count += 1
  return {
    attempt: count,
    circuit: 1,
    query_type: 'A',
    query_domain: `${count}.example`,
    timestamp: 1_700_000_000 + count,
    path: [`HOP${count}`, 'EXIT'],
    dns_rcode: status === 'success' ? 0 : 2,
    socks_reply: null,
    stream_reason: null,
    addresses: status === 'wrong_ip' ? ['203.0.113.9'] : [],
    ttl_seconds: null,
    latency_ms: 5,
    circuit_rtt_ms: 5,
    own_delay_ms: 0,
    status,
    error_code: CODES[status] ?? null,
    error: status === 'success' ? null : 'sentence',
    unsure: false,
    ...changes,
  }
}
const circuit = (...attempts: readonly ExitAttempt[]): ExitCircuitOutcome => ({ attempts })
const circuits = (...statuses: readonly ExitStatus[]): readonly ExitCircuitOutcome[] =>
  statuses.map((status) => circuit(attempt(status)))

describe('decideExitRelay', () => {
  test.each([
    [['success'], 'success', []],
    [['circuit_fail', 'success'], 'success', []],
    [['wrong_ip', 'wrong_ip'], 'wrong_ip', []],
    [['wrong_ip'], 'wrong_ip', ['unconfirmed']],
    [['success', 'dns_fail', 'wrong_ip'], 'wrong_ip', ['inconsistent']],
    [['dns_fail', 'dns_fail'], 'dns_fail', []],
    [['dns_fail', 'success', 'dns_fail'], 'dns_fail', ['inconsistent']],
    [['dns_fail', 'success', 'success'], 'success', []],
    [['dns_fail', 'success'], 'success', ['inconsistent']],
    [['timeout', 'circuit_fail', 'success'], 'success', ['inconsistent']],
    [['dns_fail', 'timeout', 'timeout'], 'timeout', []],
    [['dns_fail', 'timeout'], 'timeout', ['inconsistent']],
    [['dns_fail', 'timeout', 'success'], 'success', ['inconsistent']],
    [['dns_fail', 'circuit_fail', 'error'], 'dns_fail', ['unconfirmed']],
    [['timeout'], 'timeout', ['unconfirmed']],
    [['circuit_fail', 'error'], 'circuit_fail', []],
    [['error', 'circuit_fail', 'circuit_fail'], 'error', []],
    [['exception'], 'exception', []],
    [['not_tested'], 'not_tested', []],
  ] as const)('%j → %s %j', (statuses, status, flags) => {
    const decision = decideExitRelay(circuits(...statuses), OPTIONS)
    expect(decision).toMatchObject({ status, flags, ipv6: null })
    expect(decision.deciding.status).toBe(status)
    expect(decision.errorCode).toBe(decision.deciding.error_code)
    expect(decision.error).toBe(decision.deciding.error)
  })

  test('lets a later attempt on the same circuit answer for an earlier one', () => {
    expect(decideExitRelay([circuit(attempt('timeout'), attempt('success'))], OPTIONS)).toMatchObject({
      status: 'success',
      flags: [],
    })
  })

  test('keeps a wrong address also when the next attempt on the circuit was right', () => {
    expect(decideExitRelay([circuit(attempt('wrong_ip'), attempt('success'))], OPTIONS)).toMatchObject({
      status: 'wrong_ip',
      flags: ['unconfirmed', 'inconsistent'],
    })
  })

  test('prefers the attempt that was timed well', () => {
    const sure = attempt('dns_fail')
    const unsure = attempt('timeout', { unsure: true })
    expect(decideExitRelay([circuit(sure, unsure)], OPTIONS).deciding).toBe(sure)
    expect(decideExitRelay([circuit(unsure)], OPTIONS)).toMatchObject({
      status: 'timeout',
      flags: ['unconfirmed', 'unsure'],
    })
    const slow = attempt('dns_fail', { unsure: true, error_code: 'SERVFAIL_SLOW' })
    expect(decideExitRelay([circuit(slow), circuit(sure)], OPTIONS)).toMatchObject({ deciding: sure, flags: [] })
  })

  test('does not call a verdict unsure that no time decided', () => {
    expect(decideExitRelay([circuit(attempt('success', { unsure: true }))], OPTIONS).flags).toEqual([])
  })

  test('prefers the proved code, then the frequent one', () => {
    const suspected = attempt('wrong_ip', { error_code: 'INTERNAL_ADDRESS_SUSPECTED', addresses: [] })
    const wrong = attempt('wrong_ip')
    expect(decideExitRelay([circuit(suspected), circuit(suspected), circuit(wrong)], OPTIONS).deciding).toBe(wrong)
    const slow = attempt('dns_fail', { error_code: 'SERVFAIL_SLOW' })
    const quick = attempt('dns_fail')
    expect(decideExitRelay([circuit(slow), circuit(quick), circuit(quick)], OPTIONS).deciding).toBe(quick)
  })

  test('lets a suspicion stand only where nothing speaks against it', () => {
    const suspected = attempt('wrong_ip', { error_code: 'INTERNAL_ADDRESS_SUSPECTED', addresses: [] })
    const [right, failed] = [attempt('success'), attempt('dns_fail')]
    const decide = (...attempts: readonly ExitAttempt[]): unknown[] => {
      const { status, flags } = decideExitRelay(
        attempts.map((one) => circuit(one)),
        OPTIONS,
      )
      return [status, ...flags]
    }
    const again = { ...suspected, path: ['ANOTHER', 'EXIT'] }
    expect(decide(suspected, again)).toEqual(['wrong_ip'])
    expect(decide(suspected)).toEqual(['wrong_ip', 'unconfirmed'])
    expect(decide(suspected, right, again)).toEqual(['wrong_ip', 'inconsistent'])
    expect(decide(suspected, right)).toEqual(['success', 'inconsistent'])
    expect(decide(suspected, failed)).toEqual(['dns_fail', 'inconsistent'])
    expect(decideExitRelay([circuit(suspected, right)], OPTIONS)).toMatchObject({ status: 'success', flags: [] })
    expect(needsAnotherCircuit([circuit(suspected), circuit(right)])).toBe(true)
  })

  test('says when both circuits went over the same first hop', () => {
    const path = ['HOP', 'EXIT']
    const same = [circuit(attempt('dns_fail', { path })), circuit(attempt('dns_fail', { path }))]
    expect(decideExitRelay(same, OPTIONS).flags).toEqual(['confirmed_same_hop'])
    expect(decideExitRelay(same.slice(0, 1), OPTIONS).flags).toEqual(['unconfirmed'])
  })

  test('marks failures in stable mode as suspected, successes not', () => {
    expect(decideExitRelay(circuits('dns_fail', 'dns_fail'), { ...OPTIONS, mode: 'stable' }).flags).toEqual([
      'suspected',
    ])
    expect(decideExitRelay(circuits('success'), { ...OPTIONS, mode: 'stable' }).flags).toEqual([])
  })

  test('calls a name that does not exist weak evidence unless our authority was asked', () => {
    const nxdomain = { mode: 'nxdomain', authorityAsked: false } as const
    expect(decideExitRelay(circuits('success'), nxdomain).flags).toEqual(['weak_evidence'])
    expect(decideExitRelay(circuits('success'), { ...nxdomain, authorityAsked: true }).flags).toEqual([])
  })

  test('says that a relay left, whatever failed before', () => {
    const left = attempt('circuit_fail', { error_code: 'LEFT_CONSENSUS' })
    expect(decideExitRelay([...circuits('error'), circuit(left)], OPTIONS).errorCode).toBe('LEFT_CONSENSUS')
  })

  test('judges AAAA apart', () => {
    const v6 = (status: ExitStatus): ExitAttempt => attempt(status, { query_type: 'AAAA' })
    const decision = decideExitRelay(
      [circuit(attempt('success'), v6('dns_fail')), circuit(v6('circuit_fail')), circuit(v6('dns_fail'))],
      OPTIONS,
    )
    expect(decision).toMatchObject({ status: 'success', flags: [], ipv6: { status: 'dns_fail', flags: [] } })
    expect(decision.ipv6?.deciding.query_type).toBe('AAAA')
  })

  test('refuses to decide about nothing', () => {
    expect(() => decideExitRelay([], OPTIONS)).toThrow('needs an attempt')
  })
})

describe('decideExitRelay, without a DNS verdict', () => {
  test('does not blame the exit for a first hop, where another circuit got further', () => {
    const hop = circuit(attempt('circuit_fail', { error_code: 'HOP1_FAIL' }))
    const exit = circuit(attempt('circuit_fail', { error_code: 'NOT_EXITING' }))
    expect(decideExitRelay([hop, exit, exit], OPTIONS).errorCode).toBe('NOT_EXITING')
    expect(decideExitRelay([hop, hop], OPTIONS).errorCode).toBe('HOP1_FAIL')
  })
})

describe('needsAnotherCircuit', () => {
  test.each([
    [[], true],
    [['success'], false],
    [['dns_fail'], true],
    [['wrong_ip'], true],
    [['circuit_fail'], true],
    [['error'], true],
    [['not_tested'], false],
    [['dns_fail', 'dns_fail'], false],
    [['dns_fail', 'success'], true],
    [['dns_fail', 'timeout'], true],
    [['dns_fail', 'circuit_fail'], true],
    [['circuit_fail', 'success'], false],
    [['circuit_fail', 'circuit_fail'], true],
    [['wrong_ip', 'success'], false],
    [['wrong_ip', 'circuit_fail'], true],
    [['dns_fail', 'timeout', 'circuit_fail'], false],
    [['dns_fail', 'not_tested'], false],
  ] as const)('%j → %s', (statuses, needed) => {
    expect(needsAnotherCircuit(circuits(...statuses))).toBe(needed)
  })

  test('does not let two verdicts settle it that our own delay may have made', () => {
    const unsure = circuit(attempt('dns_fail', { unsure: true }))
    expect(needsAnotherCircuit([unsure, circuit(attempt('dns_fail', { unsure: true }))])).toBe(true)
    expect(needsAnotherCircuit([unsure, circuit(attempt('dns_fail'))])).toBe(false)
    const permanent = { unsure: true, dns_rcode: 3, error_code: 'PERMANENT' } as const
    expect(
      needsAnotherCircuit([circuit(attempt('dns_fail', permanent)), circuit(attempt('dns_fail', permanent))]),
    ).toBe(false)
  })

  test('does not count first hops that did not answer as circuits to the exit', () => {
    const hop = circuit(attempt('circuit_fail', { error_code: 'HOP1_FAIL' }))
    const exit = circuit(attempt('circuit_fail', { error_code: 'EXIT_FAIL' }))
    expect(needsAnotherCircuit([hop, hop, hop])).toBe(true)
    expect(needsAnotherCircuit([hop, exit, exit])).toBe(true)
    expect(needsAnotherCircuit([hop, exit, exit, exit])).toBe(false)
  })

  test('stops when the relay left the consensus', () => {
    expect(needsAnotherCircuit([circuit(attempt('circuit_fail', { error_code: 'LEFT_CONSENSUS' }))])).toBe(false)
  })
})

describe('familiesToAsk', () => {
  test('asks only what is open', () => {
    const v6 = (status: ExitStatus): ExitAttempt => attempt(status, { query_type: 'AAAA' })
    expect(familiesToAsk([])).toEqual(['A'])
    expect(familiesToAsk([circuit(attempt('success'), v6('dns_fail'))])).toEqual(['AAAA'])
    expect(familiesToAsk([circuit(attempt('dns_fail'), v6('success'))])).toEqual(['A'])
    expect(familiesToAsk([circuit(attempt('dns_fail'), v6('error'))])).toEqual(['A', 'AAAA'])
  })
})

describe('isDnsVerdict', () => {
  test('separates what counts for DNS health from what does not', () => {
    const statuses = ['success', 'wrong_ip', 'dns_fail', 'timeout', 'circuit_fail', 'error', 'exception', 'not_tested']
    expect(statuses.filter((status) => isDnsVerdict(status as ExitStatus))).toEqual(statuses.slice(0, 4))
  })
})
