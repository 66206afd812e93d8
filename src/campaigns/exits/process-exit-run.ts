/**
 * From the report of a valid run to incidents and messages, once for each run.
 *
 * **Invariant**: processing the same run again changes nothing and tells nobody; incidents and messages of a run are kept
 * together or not at all.
 */
import type { ExitMetadata, ExitReport } from '../../model/exit-result.ts'
import type { IncidentStore } from '../../model/incident.ts'
import { composeExitMessages } from '../../verdicts/exit-alert-messages.ts'
import { judgeExitRun, type ExitIncidentPolicy } from '../../verdicts/exit-incidents.ts'

/** What became of a run. */
export interface ProcessedExitRun {
  /** `invalid` runs accuse nobody; `late` ones came after a newer run. */
  readonly outcome: 'processed' | 'known' | 'late' | 'invalid'
  readonly opened: number
  readonly reminded: number
  readonly recovered: number
  readonly messages: number
}

/** When people are told. */
export interface ExitRunPolicy extends ExitIncidentPolicy {
  /** Whether incidents are kept and nobody is told: for reports from before alerts were switched on. */
  readonly isSilent?: boolean
}

/** Where incidents are kept. */
export interface ExitRunStores {
  readonly incidents: IncidentStore
}

/**
 * Processes a run. What is to be told is in the outbox when this returns; nothing is sent here.
 *
 * @param nowMs - Unix milliseconds.
 * @throws {RunError} When the stores cannot be used.
 */
export async function processExitRun(
  report: Pick<ExitReport, 'results'> & { readonly metadata: Pick<ExitMetadata, RunField> },
  { incidents }: ExitRunStores,
  policy: ExitRunPolicy,
  nowMs: number,
): Promise<ProcessedExitRun> {
  const { run_id: runId, shard, timestamp, invalid } = report.metadata
  if (invalid !== null) return nothing('invalid')
  const admission = await incidents.admit(runId, shard, nowMs)
  if (admission !== 'new') return nothing(admission === 'late' ? 'late' : 'known')
  const book = { states: await incidents.exitStates(), open: await incidents.openExits() }
  const change = judgeExitRun(book, { runId, timestamp, results: report.results }, policy, nowMs)
  const messages = policy.isSilent === true ? [] : composeExitMessages(runId, change.events, nowMs)
  const isKept = await incidents.commit({
    runId,
    shard,
    states: change.states,
    incidents: change.incidents,
    messages,
  })
  if (!isKept) return nothing('known')
  const count = (event: string): number => change.events.filter((each) => each.event === event).length
  return {
    outcome: 'processed',
    opened: count('new'),
    reminded: count('ongoing'),
    recovered: count('recovered'),
    messages: messages.length,
  }
}

type RunField = 'run_id' | 'shard' | 'timestamp' | 'invalid'

function nothing(outcome: ProcessedExitRun['outcome']): ProcessedExitRun {
  return { outcome, opened: 0, reminded: 0, recovered: 0, messages: 0 }
}
