/**
 * The exits of a run, one of them with its evidence, and one through all runs.
 */
import { z } from 'zod'
import type { ExitArchive } from '../model/exit-archive.ts'
import { countExitFacets, EXIT_GROUP_KEYS, groupExits } from './exit-groups.ts'
import { EXIT_PARAMETERS, parseExitQuery } from './exit-query.ts'
import { findRows, isForEver, pickExitRow, truthOfRun, type ExitRuns, type FoundRun } from './exit-runs.ts'
import {
  COUNT,
  EXIT_RESULT,
  EXIT_ROW_FIELDS,
  FINGERPRINT,
  LINK,
  PAGE_LINKS,
  RUN_ID,
  STANDING,
  STATUS,
} from './exit-schemas.ts'
import { exitStanding } from './exit-standing.ts'
import { integerParameter } from './integer-parameter.ts'
import { defineOperation, refuse, type DeepReadonly, type Operation } from './operation.ts'
import { compareWithTruth } from './run-summary.ts'
import { pageExits, selectExits, type ListedExit } from './select-exits.ts'

const PATH = '/api/v1/exits'
const GROUPS_MAX = 1_000
const POINTS_MAX = 500

const TRUTH = z
  .strictObject({
    fault: z.string(),
    description: z.string(),
    expected: z.array(z.strictObject({ status: z.string(), error_code: z.string().nullable() })),
    agreement: z.enum(['right', 'wrong', 'open']),
  })
  .meta({ id: 'ExitTruth' })

const FACET = z.strictObject({
  name: z.string(),
  values: z.array(z.strictObject({ value: z.string(), label: z.string(), count: COUNT })),
  more: COUNT,
})

const GROUP = z
  .strictObject({
    value: z.string(),
    label: z.string(),
    relays: COUNT,
    measured: COUNT,
    sound: COUNT,
    suspect: COUNT,
    failing: COUNT,
    unreachable: COUNT,
    share: z.number().min(0).max(1).nullable().describe('failing / measured'),
    interval: z.tuple([z.number(), z.number()]).nullable().describe('95 % interval of the share (Wilson)'),
    exits_url: LINK,
  })
  .meta({ id: 'ExitGroup' })

const POINT = z.strictObject({
  run_id: RUN_ID,
  timestamp: z.string(),
  status: STATUS.nullable().describe('null: the relay was no candidate of this run'),
  error_code: z.string().nullable(),
  latency_ms: z.number().nullable(),
})

const LISTED = z
  .strictObject({ ...EXIT_ROW_FIELDS, standing: STANDING, truth: TRUTH.nullable(), url: LINK })
  .meta({ id: 'ListedExit' })

const LIST = z.strictObject({
  run_id: RUN_ID,
  total: COUNT.describe('Exits of the selection, all pages together.'),
  from: COUNT.describe('Place of the first one on this page; 0 when there is none.'),
  exits: z.array(LISTED),
  facets: z.array(FACET).describe('For each filter, how many exits each of its values would leave.'),
  ...PAGE_LINKS,
})

const RUN_PARAMETER = {
  run: z
    .union([RUN_ID, z.literal('current')])
    .optional()
    .describe('Id of a run, or current for the one that goes on; the newest valid one without it.'),
}
const PATH_PARAMETERS = z.strictObject({ fingerprint: FINGERPRINT })

/** Makes the operations. Without an archive there is only the run at hand. */
export function createExitsResource(runs: ExitRuns, archive: ExitArchive | undefined): readonly Operation[] {
  const ofRuns = [listExits(runs), listGroups(runs), getExit(runs)]
  return archive === undefined ? ofRuns : [...ofRuns, listPoints(archive)]
}

function listExits(runs: ExitRuns): Operation {
  return defineOperation({
    id: 'listExits',
    method: 'GET',
    path: PATH,
    summary: 'The exits of a run, filtered and sorted, page by page',
    status: 200,
    problems: ['not-found'],
    queryParameters: z.strictObject(EXIT_PARAMETERS),
    answer: LIST,
    handle: async ({ parameters }) => {
      const { query } = parseExitQuery(parameters)
      const found = await findRows(runs, query.run)
      if ('problem' in found) return found
      const { run, rows } = found
      const truthOf = truthOfRun(run)
      const pinned = { ...query, run: query.run === 'current' ? 'current' : run.runId }
      const page = pageExits(selectExits(rows, query, truthOf), pinned)
      if (page.isCursorLost) return refuse('bad-parameter', 'The selection has no such cursor.')
      const link = (target: string | null): string | null => (target === null ? null : `${PATH}${target}`)
      return {
        isClosed: isForEver(run, query.run),
        body: {
          run_id: run.runId,
          total: page.total,
          from: page.from,
          exits: page.rows.map((row) => formatRow(run, row)),
          facets: countExitFacets(rows, query, truthOf),
          first: link(page.links.first),
          previous: link(page.links.previous),
          next: link(page.links.next),
          last: link(page.links.last),
        },
      }
    },
  })
}

function listGroups(runs: ExitRuns): Operation {
  return defineOperation({
    id: 'groupExits',
    method: 'GET',
    path: `${PATH}/groups`,
    summary: 'The exits of a run counted by what they share, most failing ones first',
    status: 200,
    problems: ['not-found'],
    queryParameters: z.strictObject({
      ...EXIT_PARAMETERS,
      by: z.enum(EXIT_GROUP_KEYS).optional().describe('What they share; address without it.'),
    }),
    answer: z.strictObject({
      run_id: RUN_ID,
      by: z.enum(EXIT_GROUP_KEYS),
      total: COUNT.describe('Groups, of which at most 1,000 are given.'),
      groups: z.array(GROUP),
    }),
    handle: async ({ query: { by = 'address' }, parameters }) => {
      const { query } = parseExitQuery(parameters)
      const found = await findRows(runs, query.run)
      if ('problem' in found) return found
      const { run, rows } = found
      const groups = groupExits(selectExits(rows, query, truthOfRun(run)), by)
      return {
        isClosed: isForEver(run, query.run),
        body: {
          run_id: run.runId,
          by,
          total: groups.length,
          groups: groups.slice(0, GROUPS_MAX).map((group) => ({
            ...group,
            interval: group.interval === null ? null : [...group.interval],
            exits_url: `${PATH}?${new URLSearchParams({ run: run.runId, [by]: group.value }).toString()}`,
          })),
        },
      }
    },
  })
}

function getExit(runs: ExitRuns): Operation {
  return defineOperation({
    id: 'getExit',
    method: 'GET',
    path: `${PATH}/{fingerprint}`,
    summary: 'One exit in one run, with its attempts',
    status: 200,
    pathParameters: PATH_PARAMETERS,
    queryParameters: z.strictObject(RUN_PARAMETER),
    answer: z.strictObject({
      run_id: RUN_ID,
      result: EXIT_RESULT,
      standing: STANDING,
      has_evidence: z.boolean().describe('Whether the attempts are still kept.'),
      truth: TRUTH.nullable(),
      observations_url: LINK,
      points_url: LINK,
    }),
    handle: async ({ path: { fingerprint }, query: { run: wanted } }) => {
      const run = await runs.find(wanted)
      const record = run === undefined ? undefined : await runs.record(run, fingerprint)
      if (run === undefined || record === undefined) return refuse('not-found', 'The run has no such relay (yet).')
      return {
        isClosed: isForEver(run, wanted),
        body: {
          run_id: run.runId,
          result: record.result,
          standing: exitStanding(record.result),
          has_evidence: record.hasEvidence,
          truth: formatTruth(run, record.result),
          observations_url: `/api/v1/observations?run=${run.runId}&fingerprint=${fingerprint}`,
          points_url: `${PATH}/${fingerprint}/points`,
        },
      }
    },
  })
}

function listPoints(archive: ExitArchive): Operation {
  return defineOperation({
    id: 'listExitPoints',
    method: 'GET',
    path: `${PATH}/{fingerprint}/points`,
    summary: 'The verdict about one exit in each of the last runs, newest first',
    status: 200,
    pathParameters: PATH_PARAMETERS,
    queryParameters: z.strictObject({ limit: integerParameter(1, POINTS_MAX).optional() }),
    answer: z.strictObject({ exit_fingerprint: z.string(), points: z.array(POINT) }),
    handle: async ({ path: { fingerprint }, query: { limit } }) => {
      const points = await archive.points(fingerprint, limit ?? 50)
      if (points.every(({ status }) => status === null) && (await archive.newest(fingerprint)) === undefined) {
        return refuse('not-found', 'No run had such a relay.')
      }
      return {
        body: {
          exit_fingerprint: fingerprint,
          points: points.map(({ runId, timestamp, status, errorCode, latencyMs }) => ({
            run_id: runId,
            timestamp,
            status,
            error_code: errorCode,
            latency_ms: latencyMs,
          })),
        },
      }
    },
  })
}

function formatRow(run: FoundRun, row: ListedExit): DeepReadonly<z.output<typeof LISTED>> {
  return {
    ...pickExitRow(row),
    standing: exitStanding(row),
    truth: formatTruth(run, row),
    url: `${PATH}/${row.exit_fingerprint}?run=${run.runId}`,
  }
}

function formatTruth({ view }: FoundRun, row: ListedExit): DeepReadonly<z.output<typeof TRUTH>> | null {
  const truth = view?.truth.get(row.exit_fingerprint)
  if (view === undefined || truth === undefined) return null
  return {
    fault: truth.fault,
    description: truth.description,
    expected: truth.expected.map(({ status, errorCode }) => ({ status, error_code: errorCode })),
    agreement: compareWithTruth(view, row, truth),
  }
}
