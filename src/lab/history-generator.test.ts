import { describe, expect, test } from 'vitest'
import { countFailures } from '../verdicts/failure-counters.ts'
import type { ExitVerdictPoint } from '../model/exit-history.ts'
import { generateHistory, type GeneratedHistory, type GeneratedRun } from './history-generator.ts'

const INTERVAL_MS = 6 * 3_600_000

function makeHistory(seed: string, runs = 300, relays = 120): GeneratedHistory {
  const endsAtMs = Date.UTC(2026, 10, 20, 18, 15)
  return generateHistory({ seed, runs, relays, endsAtMs, intervalMs: INTERVAL_MS, evidenceOf: () => 'failures' })
}

describe('generateHistory', () => {
  test('gives the same runs for the same seed, and others for another', () => {
    const text = (seed: string): string => JSON.stringify([...makeHistory(seed, 5, 40).runs])
    expect(text('a')).toBe(text('a'))
    expect(text('a')).not.toBe(text('b'))
  })

  test('ends at the moment given, six hours apart, with relays in order', () => {
    const runs = [...makeHistory('order').runs]
    expect(runs.at(-1)).toMatchObject({ runId: '20261120181500', index: 299, invalid: null, interrupted: false })
    expect(runs.length).toBeGreaterThan(290)
    for (const { results, runId } of runs) {
      const fingerprints = results.map((result) => result.exit_fingerprint)
      expect(fingerprints).toEqual([...new Set(fingerprints)].toSorted())
      expect(results.length).toBeGreaterThan(100)
      expect(new Set(results.map((result) => result.run_id))).toEqual(new Set([runId]))
    }
  })

  test('counts failures as the campaign does', () => {
    const runs = [...makeHistory('counters').runs]
    const points = new Map<string, ExitVerdictPoint[]>()
    for (const run of runs) {
      for (const result of run.results) {
        const own = points.get(result.exit_fingerprint) ?? []
        points.set(result.exit_fingerprint, own)
        const { status, status_ipv6: statusIpv6 } = result
        if (run.invalid === null) own.push({ runId: run.runId, timestamp: run.finishedAt, status, statusIpv6 })
        const counted = countFailures(own, 'ipv4')
        expect(result).toMatchObject({
          consecutive_failures: counted.consecutiveFailures,
          consecutive_failures_ipv6: countFailures(own, 'ipv6').consecutiveFailures,
          first_seen: counted.firstSeen,
          last_seen: counted.lastSeen,
        })
      }
    }
  })

  test('knows which relays really failed, of every kind of cause', () => {
    const history = makeHistory('truth', 700, 600)
    const runs = new Map<string, GeneratedRun>()
    for (const run of history.runs) runs.set(run.runId, run)
    const truth = history.truth()
    expect(new Set(truth.map(({ cause }) => cause))).toEqual(
      new Set(['chronic', 'flapping', 'episode', 'network_outage', 'rewriting']),
    )
    const statuses = truth
      .filter(({ cause }) => cause !== 'flapping')
      .flatMap((interval) =>
        [...runs.values()]
          .filter(({ runId, invalid }) => invalid === null && runId >= interval.firstRun && runId <= interval.lastRun)
          .flatMap(({ results }) => results.find((result) => result.exit_fingerprint === interval.fingerprint) ?? [])
          .map((result) => (result.status === interval.status ? 'as it is' : result.status)),
      )
    // A broken relay is found broken, or not reached: never sound.
    expect(new Set(statuses).has('success')).toBe(false)
    expect(statuses.filter((status) => status === 'as it is').length / statuses.length).toBeGreaterThan(0.85)
  })

  test('gives attempts to failures alone when asked to', () => {
    const results = [...makeHistory('evidence', 60).runs].flatMap((run) => run.results)
    const isFailure = (status: string): boolean => status !== 'success' && status !== 'not_tested'
    expect(results.filter((result) => result.attempts.length > 0).every(({ status }) => isFailure(status))).toBe(true)
    expect(results.filter(({ status }) => status === 'dns_fail').every(({ attempts }) => attempts.length === 6)).toBe(
      true,
    )
  })
})
