/**
 * Campaigns: what is measured, when next, and how the last time ended.
 */
import { z } from 'zod'
import type { CampaignState, DaemonControl } from '../model/daemon-control.ts'
import type { RunViewSource } from '../model/run-view.ts'
import { LINK, RUN_ID } from './exit-schemas.ts'
import { defineOperation, refuse, type DeepReadonly, type Operation } from './operation.ts'
import { isRunning } from './run-summary.ts'

const PATH = '/api/v1/campaigns'

const CAMPAIGN = z
  .strictObject({
    campaign: z.enum(['exits', 'satellite']),
    schedule: z.string().nullable().describe('Cron expression, UTC; null when it runs only when asked.'),
    next_run_at: z.string().nullable(),
    running_id: RUN_ID.nullable(),
    last: z
      .strictObject({
        run_id: RUN_ID,
        outcome: z.enum(['complete', 'interrupted', 'invalid', 'failed']),
        message: z.string().nullable(),
      })
      .nullable(),
    url: LINK,
    runs_url: LINK,
  })
  .meta({ id: 'Campaign' })

/** Makes the operations. Without a daemon the run at hand says what there is. */
export function createCampaignsResource(
  atHand: RunViewSource,
  control: DaemonControl | undefined,
): readonly Operation[] {
  const states = (): readonly CampaignState[] => control?.campaigns() ?? [describeRunAtHand(atHand)]
  return [
    defineOperation({
      id: 'listCampaigns',
      method: 'GET',
      path: PATH,
      summary: 'The campaigns that exist',
      status: 200,
      answer: z.strictObject({ campaigns: z.array(CAMPAIGN) }),
      handle: () => ({ body: { campaigns: states().map(formatCampaign) } }),
    }),
    defineOperation({
      id: 'getCampaign',
      method: 'GET',
      path: `${PATH}/{campaign}`,
      summary: 'One campaign',
      status: 200,
      pathParameters: z.strictObject({ campaign: z.string().max(60) }),
      answer: CAMPAIGN,
      handle: ({ path }) => {
        const state = states().find(({ campaign }) => campaign === path.campaign)
        return state === undefined ? refuse('not-found', 'There is no such campaign.') : { body: formatCampaign(state) }
      },
    }),
  ]
}

function describeRunAtHand(atHand: RunViewSource): CampaignState {
  const view = atHand.view()
  const { runId, metadata } = view
  const outcome = metadata?.interrupted === true ? 'interrupted' : metadata?.invalid === null ? 'complete' : 'invalid'
  return {
    campaign: 'exits',
    schedule: null,
    nextRunAt: null,
    runningId: isRunning(view) ? runId : null,
    last:
      runId === null || isRunning(view)
        ? null
        : metadata === null
          ? { runId, outcome: 'failed', message: view.message }
          : { runId, outcome, message: metadata.invalid },
  }
}

function formatCampaign({
  campaign,
  schedule,
  nextRunAt,
  runningId,
  last,
}: CampaignState): DeepReadonly<z.output<typeof CAMPAIGN>> {
  return {
    campaign,
    schedule,
    next_run_at: nextRunAt,
    running_id: runningId,
    last: last === null ? null : { run_id: last.runId, outcome: last.outcome, message: last.message },
    url: `${PATH}/${campaign}`,
    runs_url: campaign === 'satellite' ? '/api/v1/satellite/runs' : '/api/v1/runs',
  }
}
