/**
 * Observations: what was asked through a relay and what came back.
 *
 * Invariant: facts only. What was concluded stands with the exit and with the findings.
 */
import { z } from 'zod'
import type { ExitAttempt } from '../model/exit-result.ts'
import { isForEver, type ExitRuns } from './exit-runs.ts'
import { COUNT, FINGERPRINT, LINK, RUN_ID } from './exit-schemas.ts'
import { defineOperation, refuse, type DeepReadonly, type Operation } from './operation.ts'

const OBSERVATION = z
  .strictObject({
    id: z.string().describe('RUN.FINGERPRINT.ATTEMPT'),
    attempt: COUNT,
    circuit: COUNT,
    query_type: z.enum(['A', 'AAAA']),
    query_domain: z.string().nullable(),
    timestamp: z.number().describe('Unix seconds with fraction.'),
    path: z.array(z.string()).describe('Fingerprints, first hop first, exit last.'),
    dns_rcode: COUNT.nullable(),
    socks_reply: COUNT.nullable(),
    stream_reason: z.string().nullable(),
    addresses: z.array(z.string()),
    ttl_seconds: COUNT.nullable(),
    latency_ms: z.number().nullable(),
    circuit_rtt_ms: z.number().nullable(),
    own_delay_ms: z.number(),
  })
  .meta({ id: 'Observation' })

/** Makes the operations. */
export function createObservationsResource(runs: ExitRuns): readonly Operation[] {
  return [
    defineOperation({
      id: 'listObservations',
      method: 'GET',
      path: '/api/v1/observations',
      summary: 'What was asked through one relay in one run, and what came back',
      status: 200,
      problems: ['not-found'],
      queryParameters: z.strictObject({
        run: z.union([RUN_ID, z.literal('current')]).optional(),
        fingerprint: FINGERPRINT,
      }),
      answer: z.strictObject({
        run_id: RUN_ID,
        exit_fingerprint: z.string(),
        is_kept: z.boolean().describe('false when the observations were given up; the list is empty then.'),
        observations: z.array(OBSERVATION),
        exit_url: LINK,
      }),
      handle: async ({ query: { run: wanted, fingerprint } }) => {
        const run = await runs.find(wanted)
        const record = run === undefined ? undefined : await runs.record(run, fingerprint)
        if (run === undefined || record === undefined) return refuse('not-found', 'The run has no such relay (yet).')
        return {
          isClosed: isForEver(run, wanted),
          body: {
            run_id: run.runId,
            exit_fingerprint: fingerprint,
            is_kept: record.hasEvidence,
            observations: record.result.attempts.map((attempt) => formatFacts(run.runId, fingerprint, attempt)),
            exit_url: `/api/v1/exits/${fingerprint}?run=${run.runId}`,
          },
        }
      },
    }),
  ]
}

function formatFacts(
  runId: string,
  fingerprint: string,
  attempt: ExitAttempt,
): DeepReadonly<z.output<typeof OBSERVATION>> {
  const { status: _status, error_code: _code, error: _error, unsure: _unsure, ...facts } = attempt
  return { id: `${runId}.${fingerprint}.${attempt.attempt}`, ...facts }
}
