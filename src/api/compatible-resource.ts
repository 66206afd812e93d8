/**
 * The addresses that readers of exit DNS health have always used, with the fields of `latest.json`.
 *
 * Format: docs/formats/compatibility.md
 */
import { z } from 'zod'
import type { RunViewSource } from '../model/run-view.ts'
import { findRows, pickExitRow, type ExitRuns } from './exit-runs.ts'
import { COUNT, EXIT_METADATA, EXIT_RESULT, EXIT_ROW_FIELDS, FINGERPRINT, RUN_ID } from './exit-schemas.ts'
import { defineOperation, refuse, type Operation } from './operation.ts'
import { isRunning } from './run-summary.ts'
import { isFailing } from './select-exits.ts'

const ROW = z.strictObject(EXIT_ROW_FIELDS).meta({ id: 'ExitRow' })
const NO_RUN = refuse('not-found', 'There is no run yet.')

/** Makes the operations. */
export function createCompatibleResource(atHand: RunViewSource, runs: ExitRuns): readonly Operation[] {
  return [
    defineOperation({
      id: 'getCompatibleStatus',
      method: 'GET',
      path: '/api/status',
      summary: 'Whether a run goes on, and which was the last valid one',
      status: 200,
      answer: z.strictObject({
        status: z.literal('ok'),
        running: z.boolean(),
        run_id: RUN_ID.nullable(),
        timestamp: z.string().nullable(),
      }),
      handle: async () => {
        const latest = await runs.find(undefined)
        return {
          body: {
            status: 'ok' as const,
            running: isRunning(atHand.view()) && atHand.view().runId !== null,
            run_id: latest?.runId ?? null,
            timestamp: latest?.metadata?.timestamp ?? null,
          },
        }
      },
    }),
    defineOperation({
      id: 'getCompatibleStats',
      method: 'GET',
      path: '/api/stats',
      summary: 'The metadata of latest.json: the newest valid run in numbers',
      status: 200,
      problems: ['not-found'],
      answer: EXIT_METADATA,
      handle: async () => {
        const metadata = (await runs.find(undefined))?.metadata ?? null
        return metadata === null ? NO_RUN : { body: metadata }
      },
    }),
    listCompatible(runs, 'failures', 'The exits of the newest valid run whose DNS fails'),
    listCompatible(runs, 'relays', 'All exits of the newest valid run'),
    defineOperation({
      id: 'getCompatibleExit',
      method: 'GET',
      path: '/latest/{fingerprint}',
      summary: 'The result of one exit in the newest valid run, as in latest.json',
      status: 200,
      pathParameters: z.strictObject({ fingerprint: FINGERPRINT }),
      answer: EXIT_RESULT,
      handle: async ({ path: { fingerprint } }) => {
        const run = await runs.find(undefined)
        const record = run === undefined ? undefined : await runs.record(run, fingerprint)
        return record === undefined ? refuse('not-found', 'The run has no such relay.') : { body: record.result }
      },
    }),
  ]
}

function listCompatible(runs: ExitRuns, name: 'failures' | 'relays', summary: string): Operation {
  return defineOperation({
    id: name === 'failures' ? 'listCompatibleFailures' : 'listCompatibleRelays',
    method: 'GET',
    path: `/api/${name}`,
    summary,
    status: 200,
    problems: ['not-found'],
    answer: z.strictObject({ run_id: RUN_ID, total: COUNT, results: z.array(ROW) }),
    handle: async () => {
      const found = await findRows(runs, undefined)
      if ('problem' in found) return found
      const rows = name === 'relays' ? found.rows : found.rows.filter(({ status }) => isFailing(status))
      return { body: { run_id: found.run.runId, total: rows.length, results: rows.map(pickExitRow) } }
    },
  })
}
