import { describe, expect, test } from 'vitest'
import type { ExitTruth } from '../model/run-view.ts'
import { compareWithTruth, type JudgedExit } from './confusion-matrix.ts'

function truth(fault: string, ...expected: readonly (readonly [string, string | null])[]): ExitTruth {
  return { fault, description: '', expected: expected.map(([status, errorCode]) => ({ status, errorCode })) }
}

function judged(exit_fingerprint: string, status: string, error_code: string | null): JudgedExit {
  return { exit_fingerprint, exit_nickname: `exit-${exit_fingerprint}`, status, error_code }
}

const TRUTH = new Map([
  ['A', truth('right', ['success', null])],
  ['B', truth('right', ['success', null])],
  ['C', truth('servfail', ['dns_fail', 'SERVFAIL_CLASS'])],
  ['D', truth('hijack', ['wrong_ip', 'WRONG_ADDRESS'], ['absent', null])],
])

describe('compareWithTruth', () => {
  test('counts a relay right when status and code are expected, also for one that is absent by right', () => {
    const matrix = compareWithTruth(TRUTH, [
      judged('A', 'success', null),
      judged('B', 'success', null),
      judged('C', 'dns_fail', 'SERVFAIL_CLASS'),
    ])
    expect(matrix).toMatchObject({ exits: 4, right: 4, misclassified: [] })
    expect(matrix.text).toMatchInlineSnapshot(`
      "truth     success  dns_fail  absent
      hijack          ·         ·       1
      right           2         ·       ·
      servfail        ·         1       ·
      4 of 4 exits judged rightly"
    `)
  })

  test('names a wrong code, a wrong status and a missing result', () => {
    const matrix = compareWithTruth(TRUTH, [
      judged('A', 'wrong_ip', 'WRONG_ADDRESS'),
      judged('C', 'dns_fail', 'PERMANENT'),
      judged('D', 'wrong_ip', 'WRONG_ADDRESS'),
    ])
    expect(matrix.misclassified.map((it) => [it.fingerprint, it.verdict, it.expected])).toEqual([
      ['A', 'wrong_ip/WRONG_ADDRESS', ['success']],
      ['B', 'absent', ['success']],
      ['C', 'dns_fail/PERMANENT', ['dns_fail/SERVFAIL_CLASS']],
    ])
    expect(matrix.text).toContain('1 of 4 exits judged rightly; misclassified (!):')
    expect(matrix.text).toMatch(/^right\s+1!\s+·\s+1!$/m)
  })

  test('counts a failure of another class apart when the run says that it is unsure, but never an accusation', () => {
    const flags = ['unsure']
    const matrix = compareWithTruth(TRUTH, [
      { ...judged('A', 'wrong_ip', 'WRONG_ADDRESS'), flags },
      { ...judged('B', 'timeout', 'RESOLVER_TIMEOUT'), flags },
      { ...judged('C', 'timeout', 'RESOLVER_TIMEOUT'), flags },
    ])
    expect(matrix).toMatchObject({ right: 1, unsure: 1 })
    expect(matrix.misclassified.map((it) => it.fingerprint)).toEqual(['A', 'B'])
    expect(matrix.text).toContain('1 of 4 exits judged rightly; 1 unsure; misclassified (!):')
  })
})
