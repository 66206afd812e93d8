/**
 * Vantages: from where questions are asked. Today the exits of a run, and this host itself.
 */
import { z } from 'zod'
import { EXIT_PARAMETERS, parseExitQuery } from './exit-query.ts'
import { findRows, isForEver, truthOfRun, type ExitRuns } from './exit-runs.ts'
import { COUNT, LINK, PAGE_LINKS, RUN_ID } from './exit-schemas.ts'
import { defineOperation, refuse, type Operation } from './operation.ts'
import { pageExits, selectExits } from './select-exits.ts'

const PATH = '/api/v1/vantages'

const VANTAGE = z
  .strictObject({
    id: z.string().describe('As --via takes it: tor:FINGERPRINT, or direct for this host.'),
    kind: z.enum(['host', 'tor_exit']),
    name: z.string(),
    address: z.string().nullable(),
    as: z.string().nullable(),
    country: z.string().nullable(),
    operator: z.string().nullable(),
    last_seen: z.string().nullable().describe('Last run with a verdict about DNS there.'),
    url: LINK.nullable(),
  })
  .meta({ id: 'Vantage' })

/** Makes the operations. */
export function createVantagesResource(runs: ExitRuns): readonly Operation[] {
  return [
    defineOperation({
      id: 'listVantages',
      method: 'GET',
      path: PATH,
      summary: 'The exits of a run as vantages, page by page, and this host',
      status: 200,
      problems: ['not-found'],
      queryParameters: z.strictObject(EXIT_PARAMETERS),
      answer: z.strictObject({
        run_id: RUN_ID,
        host: VANTAGE,
        total: COUNT.describe('Exits of the selection.'),
        vantages: z.array(VANTAGE),
        ...PAGE_LINKS,
      }),
      handle: async ({ parameters }) => {
        const { query } = parseExitQuery(parameters)
        const found = await findRows(runs, query.run)
        if ('problem' in found) return found
        const { run, rows } = found
        const pinned = { ...query, run: query.run === 'current' ? 'current' : run.runId }
        const page = pageExits(selectExits(rows, query, truthOfRun(run)), pinned)
        if (page.isCursorLost) return refuse('bad-parameter', 'The selection has no such cursor.')
        const link = (target: string | null): string | null => (target === null ? null : `${PATH}${target}`)
        return {
          isClosed: isForEver(run, query.run),
          body: {
            run_id: run.runId,
            host: HOST,
            total: page.total,
            vantages: page.rows.map((row) => ({
              id: `tor:${row.exit_fingerprint}`,
              kind: 'tor_exit' as const,
              name: row.exit_nickname,
              address: row.exit_address === '' ? null : row.exit_address,
              as: row.as,
              country: row.country,
              operator: row.operator,
              last_seen: row.last_seen,
              url: `/api/v1/exits/${row.exit_fingerprint}`,
            })),
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

const HOST = {
  id: 'direct',
  kind: 'host' as const,
  name: 'this host',
  address: null,
  as: null,
  country: null,
  operator: null,
  last_seen: null,
  url: null,
}
