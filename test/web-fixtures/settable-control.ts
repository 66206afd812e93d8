/** A daemon whose state a test sets, and that notes what it is asked to do. */
import type {
  CampaignState,
  DaemonControl,
  DaemonStatus,
  Measurement,
  MeasurementRequest,
  RunRequest,
  RunStart,
} from '../../src/model/daemon-control.ts'
import type { RunViewSource } from '../../src/model/run-view.ts'

/** A daemon that a test sets. */
export interface SettableControl extends DaemonControl {
  /** What was asked for, in order. */
  readonly asked: (RunRequest | MeasurementRequest | string)[]
  set(change: {
    readonly campaigns?: readonly CampaignState[]
    readonly start?: RunStart
    readonly problems?: readonly string[]
    readonly isFull?: boolean
  }): void
}

const IDLE: CampaignState = {
  campaign: 'exits',
  schedule: '15 */6 * * *',
  nextRunAt: '2026-11-21T00:15:00.000Z',
  runningId: null,
  last: { runId: '20261120221806', outcome: 'complete', message: null },
}

/** Makes a daemon that is idle and takes every order. */
export function createSettableControl(live: RunViewSource): SettableControl {
  const asked: (RunRequest | MeasurementRequest | string)[] = []
  const measurements = new Map<string, Measurement>()
  let campaigns: readonly CampaignState[] = [IDLE]
  let start: RunStart = { started: true, runId: '20261121001500' }
  let problems: readonly string[] = []
  let isFull = false
  const status = (): DaemonStatus => ({
    version: '1.0.0',
    startedAt: '2026-11-20T22:00:00.000Z',
    configuration: { loadedAt: '2026-11-20T22:00:00.000Z', refused: null, restartNeeded: [] },
    stores: [{ name: 'r2', syncedAt: '2026-11-20T22:15:00.000Z', failure: null }],
    archive: { usedOctets: 52_428_800, budgetOctets: 5_368_709_120, retainedAt: null },
    pendingSteps: [],
    problems,
  })
  return {
    asked,
    set: (change) => {
      campaigns = change.campaigns ?? campaigns
      start = change.start ?? start
      problems = change.problems ?? problems
      isFull = change.isFull ?? isFull
    },
    status,
    campaigns: () => campaigns,
    startRun: (request) => {
      asked.push(request)
      return Promise.resolve(start)
    },
    stopRun: (runId) => {
      asked.push(runId)
      return campaigns.some((campaign) => campaign.runningId === runId)
    },
    live,
    measure: (request) => {
      if (isFull) return undefined
      asked.push(request)
      const id = `m${asked.length}`
      const requestedAt = '2026-11-21T00:00:00.000Z'
      const measurement: Measurement = { id, state: 'waiting', request, requestedAt, record: null, message: null }
      measurements.set(id, measurement)
      return measurement
    },
    measurement: (id) => measurements.get(id),
  }
}
