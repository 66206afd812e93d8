/**
 * Satellite: finished runs over resolvers, their countries, what groups show of a name, and single pairs with evidence.
 *
 * Format: docs/formats/satellite.md
 */
import { z } from 'zod'
import type { SatelliteArchive, SatelliteRunSummary } from '../model/satellite-archive.ts'
import { COUNT, LINK, RUN_ID } from './exit-schemas.ts'
import { integerParameter } from './integer-parameter.ts'
import { defineOperation, refuse, type Operation, type Refusal } from './operation.ts'
import * as schemas from './satellite-schemas.ts'

const PATH = schemas.SATELLITE_PATH
const LIMIT_DEFAULT = 500
const LIMIT_MAX = 10_000

const RUN = RUN_ID.optional().describe('The newest without it.')
const DOMAIN = z.string().min(1).max(253)
const ADDRESS = z.string().min(2).max(45)
const LIMIT = integerParameter(1, LIMIT_MAX).optional().describe('500 without it.')
const CURSOR = z.string().max(600).optional().describe('From the link to the next page.')

/** Makes the operations. */
export function createSatelliteResource(archive: SatelliteArchive): readonly Operation[] {
  return [listRuns(archive), getRun(archive), listCountries(archive), listCells(archive), ...pairOperations(archive)]
}

function listRuns(archive: SatelliteArchive): Operation {
  return defineOperation({
    id: 'listSatelliteRuns',
    method: 'GET',
    path: `${PATH}/runs`,
    summary: 'The finished runs over resolvers, newest first',
    status: 200,
    queryParameters: z.strictObject({
      cursor: RUN_ID.optional().describe('From the link to the next page.'),
      limit: LIMIT,
    }),
    answer: z.strictObject({ runs: z.array(schemas.SATELLITE_RUN), next: LINK.nullable() }),
    handle: async ({ query: { cursor, limit = LIMIT_DEFAULT } }) => {
      const found = await archive.runs(cursor ?? null, limit + 1)
      const last = found.length > limit ? found[limit - 1] : undefined
      const next = last === undefined ? null : `${PATH}/runs?cursor=${last.runId}&limit=${limit}`
      return { body: { runs: found.slice(0, limit).map((run) => schemas.formatSatelliteRun(run)), next } }
    },
  })
}

function getRun(archive: SatelliteArchive): Operation {
  return defineOperation({
    id: 'getSatelliteRun',
    method: 'GET',
    path: `${PATH}/runs/{run_id}`,
    summary: 'One run over resolvers in numbers',
    status: 200,
    problems: ['not-found'],
    pathParameters: z.strictObject({ run_id: RUN_ID }),
    answer: schemas.SATELLITE_RUN,
    handle: async ({ path: { run_id: runId } }) => {
      const run = await findRun(archive, runId)
      return 'problem' in run ? run : { isClosed: true, body: schemas.formatSatelliteRun(run) }
    },
  })
}

function listCountries(archive: SatelliteArchive): Operation {
  const country = z
    .strictObject({
      country: z.string(),
      resolvers: COUNT,
      domains: COUNT,
      tested: COUNT.describe('Names with five resolvers or more.'),
      interfered: COUNT.describe('Names for which interference is shown.'),
      highest_share: z.number().nullable(),
      cells_url: LINK,
    })
    .meta({ id: 'SatelliteCountry' })
  return defineOperation({
    id: 'listSatelliteCountries',
    method: 'GET',
    path: `${PATH}/countries`,
    summary: 'The countries of a run, by code',
    status: 200,
    problems: ['not-found'],
    queryParameters: z.strictObject({ run: RUN }),
    answer: z.strictObject({ run_id: RUN_ID, countries: z.array(country) }),
    handle: async ({ query }) => {
      const run = await findRun(archive, query.run)
      if ('problem' in run) return run
      const countries = (await archive.countries(run.runId)).map(({ highestShare, ...each }) => ({
        ...each,
        highest_share: highestShare,
        cells_url: `${PATH}/cells?run=${run.runId}&group=${encodeURIComponent(each.country)}`,
      }))
      return { isClosed: query.run !== undefined, body: { run_id: run.runId, countries } }
    },
  })
}

function listCells(archive: SatelliteArchive): Operation {
  return defineOperation({
    id: 'listSatelliteCells',
    method: 'GET',
    path: `${PATH}/cells`,
    summary: 'What countries, or autonomous systems, show of names',
    status: 200,
    problems: ['not-found'],
    queryParameters: z.strictObject({
      run: RUN,
      kind: z.enum(['country', 'as']).optional().describe('country without it.'),
      group: z.string().max(20).optional().describe('Code of a country, or number of a system.'),
      domain: DOMAIN.optional(),
      verdict: z.enum(schemas.VERDICTS).optional(),
      cursor: CURSOR,
      limit: LIMIT,
    }),
    answer: z.strictObject({ run_id: RUN_ID, cells: z.array(schemas.SATELLITE_CELL), next: LINK.nullable() }),
    handle: async ({ query, parameters }) => {
      const run = await findRun(archive, query.run)
      if ('problem' in run) return run
      const { kind = 'country', group, domain, verdict, cursor, limit = LIMIT_DEFAULT } = query
      const [afterGroup, afterDomain] = readCursor(cursor)
      const after =
        afterGroup === undefined || afterDomain === undefined ? undefined : { group: afterGroup, domain: afterDomain }
      const found = await archive.cells(run.runId, { kind, group, domain, verdict, after, limit: limit + 1 })
      const last = found.length > limit ? found[limit - 1] : undefined
      const next = last === undefined ? null : linkNext(`${PATH}/cells`, parameters, run, [last.group, last.domain])
      return {
        isClosed: query.run !== undefined,
        body: {
          run_id: run.runId,
          cells: found.slice(0, limit).map((cell) => schemas.formatSatelliteCell(cell)),
          next,
        },
      }
    },
  })
}

function pairOperations(archive: SatelliteArchive): readonly Operation[] {
  return [
    defineOperation({
      id: 'listSatellitePairs',
      method: 'GET',
      path: `${PATH}/pairs`,
      summary: 'Pairs of a resolver and a name',
      status: 200,
      problems: ['not-found'],
      queryParameters: z.strictObject({
        run: RUN,
        country: z.string().max(20).optional(),
        domain: DOMAIN.optional(),
        judgement: z.enum(schemas.JUDGEMENTS).optional(),
        cursor: CURSOR,
        limit: LIMIT,
      }),
      answer: z.strictObject({ run_id: RUN_ID, pairs: z.array(schemas.SATELLITE_PAIR), next: LINK.nullable() }),
      handle: async ({ query, parameters }) => {
        const run = await findRun(archive, query.run)
        if ('problem' in run) return run
        const { country, domain, judgement, cursor, limit = LIMIT_DEFAULT } = query
        const [afterDomain, resolver] = readCursor(cursor)
        const after =
          afterDomain === undefined || resolver === undefined ? undefined : { domain: afterDomain, resolver }
        const found = await archive.pairs(run.runId, { country, domain, judgement, after, limit: limit + 1 })
        const last = found.length > limit ? found[limit - 1] : undefined
        const next =
          last === undefined ? null : linkNext(`${PATH}/pairs`, parameters, run, [last.domain, last.resolver])
        const pairs = found.slice(0, limit).map((pair) => schemas.formatSatellitePair(run.runId, pair))
        return { isClosed: query.run !== undefined, body: { run_id: run.runId, pairs, next } }
      },
    }),
    defineOperation({
      id: 'getSatellitePair',
      method: 'GET',
      path: `${PATH}/pair`,
      summary: 'One pair of a resolver and a name, with its evidence and the control',
      status: 200,
      problems: ['not-found'],
      queryParameters: z.strictObject({ run: RUN, vp: ADDRESS, domain: DOMAIN }),
      answer: z.strictObject({
        run_id: RUN_ID,
        pair: schemas.SATELLITE_PAIR,
        control: schemas.SATELLITE_CONTROL.nullable(),
      }),
      handle: async ({ query }) => {
        const run = await findRun(archive, query.run)
        if ('problem' in run) return run
        const pair = await archive.pair(run.runId, query.vp, query.domain)
        if (pair === undefined) return refuse('not-found', 'The run has no such pair.')
        const control = await archive.control(run.runId, query.domain)
        return {
          isClosed: query.run !== undefined,
          body: {
            run_id: run.runId,
            pair: schemas.formatSatellitePair(run.runId, pair),
            control: control === undefined ? null : schemas.formatSatelliteControl(control),
          },
        }
      },
    }),
  ]
}

async function findRun(archive: SatelliteArchive, runId: string | undefined): Promise<SatelliteRunSummary | Refusal> {
  return (await archive.run(runId)) ?? refuse('not-found', 'There is no such run over resolvers.')
}

/** Two texts with a space between them: neither codes nor names nor addresses have one. */
function readCursor(cursor: string | undefined): readonly (string | undefined)[] {
  return cursor?.split(' ', 2) ?? []
}

function linkNext(
  path: string,
  parameters: URLSearchParams,
  { runId }: SatelliteRunSummary,
  after: readonly [string, string],
): string {
  const next = new URLSearchParams(parameters)
  next.set('run', runId)
  next.set('cursor', after.join(' '))
  return `${path}?${next.toString()}`
}
