/**
 * Findings: the verdicts of a run that are no success, each with links to what it rests on.
 */
import { z } from 'zod'
import { EXIT_FLAGS, EXIT_PARAMETERS, parseExitQuery } from './exit-query.ts'
import { findRows, isForEver, truthOfRun, type ExitRuns } from './exit-runs.ts'
import { COUNT, LINK, PAGE_LINKS, RUN_ID, STANDING, STATUS } from './exit-schemas.ts'
import { exitStanding } from './exit-standing.ts'
import { defineOperation, refuse, type DeepReadonly, type Operation } from './operation.ts'
import { pageExits, selectExits, type ListedExit } from './select-exits.ts'

const PATH = '/api/v1/findings'

const FINDING = z
  .strictObject({
    id: z.string().describe('RUN.FINGERPRINT'),
    campaign: z.literal('exits'),
    run_id: RUN_ID,
    exit_fingerprint: z.string(),
    exit_nickname: z.string(),
    status: STATUS,
    error_code: z.string().nullable(),
    standing: STANDING,
    flags: z.array(z.enum(EXIT_FLAGS)),
    consecutive_failures: COUNT,
    evidence: z.strictObject({ observations_url: LINK, exit_url: LINK, how_url: LINK }),
  })
  .meta({ id: 'Finding' })

/** Makes the operations. */
export function createFindingsResource(runs: ExitRuns): readonly Operation[] {
  return [
    defineOperation({
      id: 'listFindings',
      method: 'GET',
      path: PATH,
      summary: 'The verdicts of a run that are no success, page by page',
      status: 200,
      problems: ['not-found'],
      queryParameters: z.strictObject(EXIT_PARAMETERS),
      answer: z.strictObject({ run_id: RUN_ID, total: COUNT, findings: z.array(FINDING), ...PAGE_LINKS }),
      handle: async ({ parameters }) => {
        const { query } = parseExitQuery(parameters)
        const found = await findRows(runs, query.run)
        if ('problem' in found) return found
        const { run, rows } = found
        const pinned = { ...query, run: query.run === 'current' ? 'current' : run.runId }
        const selected = selectExits(
          rows.filter(({ status }) => status !== 'success'),
          query,
          truthOfRun(run),
        )
        const page = pageExits(selected, pinned)
        if (page.isCursorLost) return refuse('bad-parameter', 'The selection has no such cursor.')
        const link = (target: string | null): string | null => (target === null ? null : `${PATH}${target}`)
        return {
          isClosed: isForEver(run, query.run),
          body: {
            run_id: run.runId,
            total: page.total,
            findings: page.rows.map((row) => formatFinding(run.runId, row)),
            first: link(page.links.first),
            previous: link(page.links.previous),
            next: link(page.links.next),
            last: link(page.links.last),
          },
        }
      },
    }),
  ]
}

function formatFinding(runId: string, row: ListedExit): DeepReadonly<z.output<typeof FINDING>> {
  const { exit_fingerprint: fingerprint, status, error_code: code } = row
  return {
    id: `${runId}.${fingerprint}`,
    campaign: 'exits',
    run_id: runId,
    exit_fingerprint: fingerprint,
    exit_nickname: row.exit_nickname,
    status,
    error_code: code,
    standing: exitStanding(row),
    flags: row.flags,
    consecutive_failures: row.consecutive_failures,
    evidence: {
      observations_url: `/api/v1/observations?run=${runId}&fingerprint=${fingerprint}`,
      exit_url: `/api/v1/exits/${fingerprint}?run=${runId}`,
      how_url: `/how/${(code ?? status).toLowerCase().replaceAll('_', '-')}`,
    },
  }
}
