/**
 * Runs: those that were kept, the one that goes on, and orders to begin or end one.
 */
import { z } from 'zod'
import type { DaemonControl } from '../model/daemon-control.ts'
import type { ExitArchive, ExitRunSummary } from '../model/exit-archive.ts'
import type { ExitRunView, RunViewSource } from '../model/run-view.ts'
import { isFinal, isForEver, type ExitRuns, type FoundRun } from './exit-runs.ts'
import { COUNT, EXIT_METADATA, FINGERPRINT, LINK, RUN_ID } from './exit-schemas.ts'
import { integerParameter } from './integer-parameter.ts'
import { defineOperation, refuse, type DeepReadonly, type Operation } from './operation.ts'
import { summarizeRun } from './run-summary.ts'

const PATH = '/api/v1/runs'
const RUNS_PER_PAGE = 50
const RUNS_PER_PAGE_MAX = 500
const FINGERPRINTS_MAX = 1_000

const RUN = z
  .strictObject({
    run_id: RUN_ID,
    campaign: z.literal('exits'),
    state: z.enum(['running', 'closed', 'interrupted', 'failed']),
    metadata: EXIT_METADATA.nullable().describe('null while the run goes on'),
    evidence: z.enum(['all', 'failures', 'none']).describe('Of which relays the attempts are still kept.'),
    has_rows: z.boolean().describe('Whether more than the numbers of the run is kept.'),
    url: LINK,
    exits_url: LINK,
    findings_url: LINK,
  })
  .meta({ id: 'Run' })

const CURRENT_RUN = z
  .strictObject({
    run_id: RUN_ID.nullable(),
    phase: z.enum(['building_laboratory', 'starting_tor', 'preflight', 'scanning', 'writing', 'done', 'failed']),
    message: z.string(),
    started_at: z.string().nullable(),
    candidates: COUNT,
    finished: COUNT,
    in_flight: COUNT,
    relays_per_second: z.number(),
    seconds_left: z.number().nullable(),
    counts: z.record(z.string(), COUNT).describe('Status → relays.'),
    dns_tested: COUNT,
    sound: COUNT,
    suspect: COUNT,
    failing: COUNT,
    truth: z.strictObject({ agreeing: COUNT, disagreeing: COUNT, open: COUNT }).nullable(),
    metadata: EXIT_METADATA.nullable(),
    exits_url: LINK,
  })
  .meta({ id: 'CurrentRun' })

const ORDER = z.strictObject({
  campaign: z.enum(['exits', 'satellite']).default('exits'),
  fingerprints: z.array(FINGERPRINT).max(FINGERPRINTS_MAX).default([]).describe('Only these relays; empty for all.'),
  countries: z
    .array(z.string().regex(/^[A-Z]{2}$/))
    .max(300)
    .default([])
    .describe('Only exits in these countries; empty for all.'),
})

/** What the operations work on. */
export interface RunsParts {
  readonly atHand: RunViewSource
  readonly runs: ExitRuns
  readonly archive: ExitArchive | undefined
  readonly control: DaemonControl | undefined
}

/** Makes the operations. Without a daemon there are no orders, without an archive no list. */
export function createRunsResource({ atHand, runs, archive, control }: RunsParts): readonly Operation[] {
  return [
    ...(archive === undefined ? [] : [listRuns(archive)]),
    getCurrentRun(atHand),
    getRun(runs),
    ...(control === undefined ? [] : [startRun(control), stopRun(control)]),
  ]
}

function listRuns(archive: ExitArchive): Operation {
  return defineOperation({
    id: 'listRuns',
    method: 'GET',
    path: PATH,
    summary: 'The runs that were kept, newest first',
    status: 200,
    queryParameters: z.strictObject({
      cursor: RUN_ID.optional().describe('From the link to the next page.'),
      limit: integerParameter(1, RUNS_PER_PAGE_MAX).optional(),
    }),
    answer: z.strictObject({ runs: z.array(RUN), first: LINK.nullable(), next: LINK.nullable() }),
    handle: async ({ query: { cursor, limit = RUNS_PER_PAGE } }) => {
      const found = await archive.runs(cursor ?? null, limit + 1)
      const last = found.length > limit ? found[limit - 1] : undefined
      const link = (parameters: Readonly<Record<string, string>>): string =>
        `${PATH}?${new URLSearchParams({ ...parameters, limit: String(limit) }).toString()}`
      return {
        body: {
          runs: found.slice(0, limit).map((run) => formatRun(toFoundRun(run))),
          first: cursor === undefined ? null : link({}),
          next: last === undefined ? null : link({ cursor: last.runId }),
        },
      }
    },
  })
}

function getCurrentRun(atHand: RunViewSource): Operation {
  return defineOperation({
    id: 'getCurrentRun',
    method: 'GET',
    path: `${PATH}/current`,
    summary: 'The run that goes on, or the last one',
    status: 200,
    answer: CURRENT_RUN,
    handle: () => ({ body: formatCurrentRun(atHand.view()) }),
  })
}

function getRun(runs: ExitRuns): Operation {
  return defineOperation({
    id: 'getRun',
    method: 'GET',
    path: `${PATH}/{run_id}`,
    summary: 'One run in numbers',
    status: 200,
    pathParameters: z.strictObject({ run_id: RUN_ID }),
    answer: RUN,
    handle: async ({ path: { run_id: runId } }) => {
      const run = await runs.find(runId)
      if (run === undefined) return refuse('not-found', 'There is no such run.')
      return { isClosed: isForEver(run, runId), body: formatRun(run) }
    },
  })
}

function startRun(control: DaemonControl): Operation {
  return defineOperation({
    id: 'startRun',
    method: 'POST',
    path: PATH,
    summary: 'Begins a run now',
    status: 202,
    problems: ['busy', 'unavailable'],
    body: ORDER,
    answer: z.strictObject({ run_id: RUN_ID, url: LINK }),
    handle: async ({ body }) => {
      const { campaign, fingerprints, countries } = body
      if (campaign !== 'exits' && fingerprints.length + countries.length > 0)
        return refuse('bad-body', `fingerprints and countries choose exits; a run of ${campaign} has none.`)
      const start = await control.startRun(body)
      if (!start.started) return refuse(start.reason === 'busy' ? 'busy' : 'unavailable', start.message)
      const url = campaign === 'exits' ? `${PATH}/${start.runId}` : `/api/v1/${campaign}/runs/${start.runId}`
      return { location: url, body: { run_id: start.runId, url } }
    },
  })
}

function stopRun(control: DaemonControl): Operation {
  return defineOperation({
    id: 'stopRun',
    method: 'POST',
    path: `${PATH}/{run_id}/stop`,
    summary: 'Ends a run: what is in flight is finished and written',
    status: 202,
    problems: ['busy'],
    pathParameters: z.strictObject({ run_id: RUN_ID }),
    answer: z.strictObject({ run_id: RUN_ID, url: LINK }),
    handle: ({ path: { run_id: runId } }) => {
      if (!control.stopRun(runId)) return refuse('busy', 'This run does not go on.')
      const url = `${PATH}/${runId}`
      return { location: url, body: { run_id: runId, url } }
    },
  })
}

function toFoundRun({ runId, metadata, evidence, hasRows }: ExitRunSummary): FoundRun {
  return { runId, isClosed: isFinal(metadata), metadata, evidence, hasRows, view: undefined }
}

function formatRun({ runId, metadata, evidence, hasRows, view }: FoundRun): DeepReadonly<z.output<typeof RUN>> {
  return {
    run_id: runId,
    campaign: 'exits',
    state:
      metadata === null
        ? view?.phase === 'failed'
          ? 'failed'
          : 'running'
        : metadata.interrupted
          ? 'interrupted'
          : 'closed',
    metadata,
    evidence,
    has_rows: hasRows,
    url: `${PATH}/${runId}`,
    exits_url: `/api/v1/exits?run=${runId}`,
    findings_url: `/api/v1/findings?run=${runId}`,
  }
}

function formatCurrentRun(view: ExitRunView): DeepReadonly<z.output<typeof CURRENT_RUN>> {
  const summary = summarizeRun(view)
  return {
    run_id: view.runId,
    phase: view.phase,
    message: view.message,
    started_at: view.startedAt,
    candidates: summary.candidates,
    finished: summary.finished,
    in_flight: view.inFlight,
    relays_per_second: view.relaysPerSecond,
    seconds_left: view.secondsLeft,
    counts: summary.counts,
    dns_tested: summary.measured,
    sound: summary.sound,
    suspect: summary.suspect,
    failing: summary.failing,
    truth: summary.truth,
    metadata: view.metadata,
    exits_url: '/api/v1/exits?run=current',
  }
}
