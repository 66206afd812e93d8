/** What every invocation of the Worker works with, whoever asked for it. */
import type { Clock } from '../core/clock.ts'
import type { Log } from '../core/log.ts'
import type { MonitorPlan } from '../model/monitor-name.ts'
import type { AlertChannel } from '../alerts/channel.ts'
import type { FetchAsker } from './ask-over-fetch.ts'
import type { Subrequests } from './subrequests.ts'
import type { WorkerLimits } from './worker-limits.ts'
import type { WorkerMemory } from './worker-memory.ts'

/** What an invocation works with. */
export interface InvocationParts {
  readonly plan: MonitorPlan
  readonly limits: WorkerLimits
  /** `null` where nobody is to be told. */
  readonly channel: AlertChannel | null
  readonly memory: WorkerMemory
  readonly subrequests: Subrequests
  readonly asker: FetchAsker
  readonly clock: Clock
  readonly log: Log
}
