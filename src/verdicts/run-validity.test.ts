import { describe, expect, test } from 'vitest'
import type { ExitStatus } from '../model/exit-result.ts'
import { INITIAL_RUN_VALIDITY, judgeRunValidity, type RunValidity, type RunValidityEvent } from './run-validity.ts'

const run = (events: readonly RunValidityEvent[], from: RunValidity = INITIAL_RUN_VALIDITY): RunValidity =>
  events.reduce(judgeRunValidity, from)
const control = (ok: boolean): RunValidityEvent => ({ kind: 'control', ok })
const verdicts = (count: number, status: ExitStatus, name: string = status): readonly RunValidityEvent[] =>
  Array.from({ length: count }, (_, i) => ({
    kind: 'verdict',
    fingerprint: `${name}${i}`,
    status,
    errorCode: status === 'success' ? null : 'PERMANENT',
  }))

describe('judgeRunValidity', () => {
  test('bears one failed control, not two in a row', () => {
    expect(run([control(false), control(true), control(false)]).invalid).toBeNull()
    expect(run([control(false), control(false)]).invalid).toContain('2 times in a row')
  })

  test('stays invalid', () => {
    const invalid = run([control(false), control(false)])
    expect(run([control(true), ...verdicts(5, 'success')], invalid)).toBe(invalid)
  })

  test('asks the second zone through three newest exits when half of 50 verdicts fail alike', () => {
    expect(run([...verdicts(25, 'success'), ...verdicts(24, 'timeout')]).probes).toEqual([])
    const state = run([...verdicts(25, 'success'), ...verdicts(25, 'timeout')])
    expect(state.probes).toEqual(['timeout22', 'timeout23', 'timeout24'])
    expect(state.invalid).toBeNull()
  })

  test('does not suspect before 50 verdicts, nor different failures', () => {
    expect(run(verdicts(49, 'timeout')).probes).toEqual([])
    expect(run([...verdicts(24, 'timeout'), ...verdicts(24, 'dns_fail'), ...verdicts(2, 'wrong_ip')]).probes).toEqual(
      [],
    )
  })

  test('looks at the last 50 only, and at DNS verdicts only', () => {
    const state = run([...verdicts(20, 'timeout'), ...verdicts(29, 'success'), ...verdicts(60, 'circuit_fail')])
    expect(state.window).toHaveLength(49)
    expect(run(verdicts(49, 'success', 'later'), state).probes).toEqual([])
    expect(run(verdicts(200, 'success')).window).toHaveLength(50)
  })

  test('is invalid when the second zone works through two of three', () => {
    const suspicious = run(verdicts(50, 'dns_fail'))
    const state = run([{ kind: 'probes', asked: 3, succeeded: 2 }], suspicious)
    expect(state.invalid).toContain('through 2 of 3')
    expect(state.probes).toEqual([])
  })

  test('stays valid when the exits fail in the second zone too, and asks again only 50 verdicts later', () => {
    const calm = run([{ kind: 'probes', asked: 3, succeeded: 1 }], run(verdicts(50, 'dns_fail')))
    expect(calm.invalid).toBeNull()
    expect(run(verdicts(49, 'dns_fail'), calm).probes).toEqual([])
    expect(run(verdicts(50, 'dns_fail'), calm).probes).toHaveLength(3)
  })

  test('keeps the exits it asked for while more verdicts come in', () => {
    const suspicious = run(verdicts(50, 'dns_fail'))
    expect(run(verdicts(5, 'dns_fail', 'later'), suspicious).probes).toEqual(suspicious.probes)
  })

  test('refuses an event that does not exist', () => {
    expect(() => run([{ kind: 'other' } as unknown as RunValidityEvent])).toThrow('unexpected value')
  })

  test('does not take probes for an answer that nobody asked for', () => {
    expect(run([{ kind: 'probes', asked: 3, succeeded: 3 }]).invalid).toBeNull()
  })
})
