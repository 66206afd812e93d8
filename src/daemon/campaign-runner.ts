/**
 * Runs of one campaign: at most one at a time, each known to the state before it begins, and resumed after a kill.
 *
 * A run ends by itself, by a person (`stop`), or with the daemon (`shutDown`). Only in the last case, after a kill and when
 * the disk was full it stays unfinished, and the next chance resumes it from its journal.
 *
 * Invariant: whatever a run does, it does not end the daemon.
 */
import { createRunProgress } from '../campaigns/exits/run-progress.ts'
import { formatCompactTime, formatIsoTime, type Timer } from '../core/clock.ts'
import type { RunRequest, RunStart } from '../model/daemon-control.ts'
import type { CampaignRuns, RunDependencies, RunJob, RunReport } from './campaign-work.ts'

/** After a disk was full, the first wait; each further one is twice as long. */
const RESUME_FIRST_MS = 30_000
const RESUME_MAX_MS = 900_000
/** Ids are seconds; so many in a row are never taken. */
const IDS_TRIED_MAX = 120

/** A run that goes on. */
interface Current {
  readonly runId: string
  readonly controller: AbortController
  readonly ended: Promise<void>
}

type EndedReport = Extract<RunReport, { kind: 'ended' }>

/** Makes the runs of a campaign. Nothing begins before {@link CampaignRuns.resume}, or a first start. */
export function createCampaignRunner(dependencies: RunDependencies): CampaignRuns {
  return new CampaignRunner(dependencies)
}

class CampaignRunner implements CampaignRuns {
  readonly #dependencies: RunDependencies
  #current: Current | undefined
  #starting = false
  #stopping = false
  #resumeTimer: Timer | undefined
  #resumeDelayMs = RESUME_FIRST_MS
  #problem: string | null = null

  constructor(dependencies: RunDependencies) {
    this.#dependencies = dependencies
  }

  async start(request: RunRequest): Promise<RunStart> {
    if (this.#stopping) return refuse('stopping', 'The daemon is about to end.')
    if (this.#current !== undefined) return refuse('busy', `Run ${this.#current.runId} goes on; one runs at a time.`)
    if (this.#starting) return refuse('busy', 'A run is about to begin; one runs at a time.')
    if (this.#resumeTimer !== undefined) return refuse('busy', this.#problem ?? 'A run waits to be resumed.')
    const reason = this.#dependencies.work.notConfigured()
    if (reason !== null) return refuse('not_configured', reason)
    this.#starting = true
    try {
      const runId = await claimId(this.#dependencies, request)
      this.#launch(runId, request, false)
      return { started: true, runId }
    } finally {
      this.#starting = false
    }
  }

  resume(): void {
    if (this.#stopping || this.#starting || this.#current !== undefined) return
    try {
      const [next] = this.#dependencies.state.unfinishedRuns(this.#dependencies.campaign)
      if (next !== undefined) this.#launch(next.runId, next.request, true)
    } catch (error) {
      this.#resumeLater('', `What an earlier process left could not be read: ${messageOf(error)}`)
    }
  }

  runningId(): string | null {
    return this.#current?.runId ?? null
  }

  problem(): string | null {
    return this.#problem
  }

  stop(runId: string): boolean {
    if (this.#current?.runId !== runId) return false
    this.#current.controller.abort()
    return true
  }

  async shutDown(): Promise<void> {
    this.#stopping = true
    this.#resumeTimer?.cancel()
    this.#current?.controller.abort()
    await this.#current?.ended
  }

  #launch(runId: string, request: RunRequest, isResumed: boolean): void {
    const { campaign, clock, live, log } = this.#dependencies
    const controller = new AbortController()
    const progress = createRunProgress(clock)
    live?.follow(progress)
    log.info(isResumed ? 'daemon.run.resumed' : 'daemon.run.started', { run_id: runId, campaign })
    const ended = this.#perform({ runId, request, isResumed, progress, signal: controller.signal })
    this.#current = { runId, controller, ended }
  }

  async #perform(job: RunJob): Promise<void> {
    const { runId, progress } = job
    const report = await runSafely(this.#dependencies, job)
    this.#current = undefined
    if (report.kind === 'suspended') {
      progress.phase('failed', `The run waits to be resumed: ${report.message}`)
      this.#resumeLater(runId, `Run ${runId} waits to be resumed: ${report.message}`)
      return
    }
    if (report.outcome === 'failed') progress.phase('failed', report.message ?? 'The run failed')
    // What ends with the daemon is gone on with by the next process.
    if (this.#stopping && report.outcome === 'interrupted') return
    this.#end(runId, report)
  }

  #end(runId: string, { outcome, message, hasReport }: EndedReport): void {
    const { clock, log, state, steps, onEnded } = this.#dependencies
    try {
      state.endRun({ runId, outcome, message }, formatIsoTime(clock.wallNowMs()), hasReport ? steps : [])
    } catch (error) {
      // In the state it has not ended: resuming it finds everything done, and ends it again.
      this.#resumeLater(runId, `The end of run ${runId} could not be noted: ${messageOf(error)}`)
      return
    }
    this.#problem = null
    this.#resumeDelayMs = RESUME_FIRST_MS
    log[outcome === 'complete' ? 'info' : 'warn']('daemon.run.ended', { run_id: runId, outcome, message })
    onEnded(runId)
    this.resume()
  }

  #resumeLater(runId: string, problem: string): void {
    this.#problem = problem
    this.#dependencies.log.error('daemon.run.suspended', { run_id: runId, message: problem })
    if (this.#stopping) return
    this.#resumeTimer = this.#dependencies.clock.setTimer(this.#resumeDelayMs, () => {
      this.#resumeTimer = undefined
      this.resume()
    })
    this.#resumeDelayMs = Math.min(RESUME_MAX_MS, this.#resumeDelayMs * 2)
  }
}

function refuse(reason: 'busy' | 'stopping' | 'not_configured', message: string): RunStart {
  return { started: false, reason, message }
}

async function claimId({ clock, state, work }: RunDependencies, request: RunRequest): Promise<string> {
  const nowMs = clock.wallNowMs()
  for (let second = 0; second < IDS_TRIED_MAX; second++) {
    const runId = formatCompactTime(nowMs + second * 1000)
    if (!(await work.isTaken(runId)) && state.beginRun(runId, request, formatIsoTime(nowMs))) return runId
  }
  throw new Error('two minutes of run ids are taken')
}

async function runSafely({ work, log }: RunDependencies, job: RunJob): Promise<RunReport> {
  try {
    // The caller first notes that this run goes on.
    await Promise.resolve()
    return await work.run(job)
  } catch (error) {
    const text = error instanceof Error ? (error.stack ?? error.message) : String(error)
    log.error('daemon.run.bug', { run_id: job.runId, error: text })
    return {
      kind: 'ended',
      outcome: 'failed',
      message: `A bug of Candor ended the run: ${messageOf(error)}`,
      hasReport: false,
    }
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
