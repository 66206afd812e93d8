import { describe, expect, test } from 'vitest'
import { readRow } from '../campaigns/satellite/read-row.ts'
import type { SatelliteFinding, SatelliteRule, SatelliteWeights } from '../model/satellite-finding.ts'
import type { FetchFacts } from './satellite-fetch-facts.ts'
import { judgeFindings } from './satellite-judgement.ts'
import { tellOutcome } from './satellite-outcome.ts'
import { tellSeverity } from './satellite-severity.ts'

const WEIGHTS: Partial<Record<SatelliteRule, Partial<SatelliteWeights>>> = {
  'answer-in-control': { ok: 0.9 },
  'answer-as-in-control': { ok: 0.5 },
  'tls-valid-for-domain': { ok: 0.95 },
  'injected-response': { interference: 0.9 },
  'bogon-answer': { interference: 0.8, down: 0.1 },
  'nxdomain-against-control': { interference: 0.45, down: 0.43 },
  'failure-against-control': { interference: 0.23, down: 0.7 },
  blockpage: { interference: 0.95 },
  'as-of-many': { interference: 0.7 },
  'cdn-by-as-number': { ok: 0.3 },
  'resolver-unreliable': { down: 0.9 },
}

function make(...rules: readonly SatelliteRule[]): readonly SatelliteFinding[] {
  return rules.map((rule) => ({
    rule,
    version: 1,
    evidence: {},
    weights: { interference: 0, down: 0, ok: 0, ...WEIGHTS[rule] },
  }))
}

describe('judgeFindings', () => {
  test.each([
    ['ok', ['answer-in-control']],
    ['ok', ['answer-as-in-control']],
    ['unconfirmed', []],
    ['unconfirmed', ['cdn-by-as-number']],
    ['interference', ['bogon-answer']],
    ['interference', ['nxdomain-against-control']],
    ['down', ['failure-against-control']],
    ['interference', ['answer-as-in-control', 'blockpage']],
    ['ok', ['tls-valid-for-domain', 'as-of-many', 'blockpage']],
    ['interference', ['tls-valid-for-domain', 'injected-response']],
    ['interference', ['answer-in-control', 'injected-response']],
    ['no_vote', ['blockpage', 'resolver-unreliable']],
  ] as const)('gives %s for %j', (judgement, rules) => {
    expect(judgeFindings(make(...rules))).toBe(judgement)
  })
})

describe('tellSeverity', () => {
  test('is that of the gravest finding, and none without interference', () => {
    expect(tellSeverity('interference', make('bogon-answer', 'blockpage'))).toBe('high')
    expect(tellSeverity('interference', make('bogon-answer'))).toBe('medium')
    expect(tellSeverity('interference', make('failure-against-control'))).toBe('low')
    expect(tellSeverity('ok', make('blockpage'))).toBeUndefined()
    expect(tellSeverity('no_vote', make('blockpage'))).toBeUndefined()
  })
})

describe('tellOutcome', () => {
  const row = (answers: readonly string[], rcode = 0): Parameters<typeof tellOutcome>[0] =>
    readRow(
      {
        vp: '8.8.8.8',
        test_url: 'a.example',
        passed_liveness: true,
        response: [{ url: 'a.example', has_type_a: answers.length > 0, response: answers, error: 'null', rcode }],
      },
      'response',
    )
  const certificate = (isChainValid: boolean, isNameValid: boolean): FetchFacts => ({
    certificate: { sha256: 'aa', isChainValid, isNameValid, reason: null },
    tlsError: null,
    page: null,
  })
  const FAILED: FetchFacts = { certificate: null, tlsError: 'connection_reset', page: null }
  test.each([
    ['error', row([], -1), [], undefined],
    ['rcode', row([], 3), make('nxdomain-against-control'), undefined],
    ['no_answer', row([]), make('failure-against-control'), undefined],
    ['bogus_address', row(['10.0.0.1']), make('answer-in-control', 'bogon-answer'), undefined],
    ['control_address', row(['8.8.0.1']), make('answer-in-control'), certificate(false, false)],
    ['valid_certificate', row(['8.8.0.1']), make('blockpage'), certificate(true, true)],
    ['untrusted_certificate', row(['8.8.0.1']), make('blockpage'), certificate(false, true)],
    ['wrong_certificate', row(['8.8.0.1']), make('blockpage'), certificate(true, false)],
    ['block_page', row(['8.8.0.1']), make('answer-as-in-control', 'blockpage'), FAILED],
    ['control_as', row(['8.8.0.1']), make('answer-as-in-control'), FAILED],
    ['tls_failure', row(['8.8.0.1']), [], FAILED],
    ['unconfirmed', row(['8.8.0.1']), [], undefined],
  ] as const)('is %s', (outcome, pair, findings, fetch) => {
    expect(tellOutcome(pair, findings, () => fetch)).toBe(outcome)
  })
})
