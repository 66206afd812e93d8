/** Shows a run on stderr while it goes on, and writes the status file for programs. */
import type { ExitResult } from '../model/exit-result.ts'
import type { ExitRunView, RunViewSource } from '../model/run-view.ts'
import type { CliContext } from './cli-context.ts'

/** Without a terminal, so often a line is printed. */
const LINE_PERIOD_MS = 30_000

/** A display that is running. */
export interface ShownProgress {
  /** Ends it and leaves the cursor on a line of its own. */
  close(): Promise<void>
}

/** Shows progress: one line that is drawn again on a terminal, a line now and then elsewhere. */
export function showProgress(context: CliContext, source: RunViewSource, statusFile: string | null): ShownProgress {
  const { clock, stderr } = context
  const redraws = stderr.isTerminal && !context.isQuiet()
  let lastPhase = ''
  let lastLineMs = -Infinity
  let writing: Promise<void> = Promise.resolve()
  const queue = (step: () => Promise<void>): void => {
    writing = writing.then(step).catch((error: unknown) => {
      context.log.warn('cli.progress.failed', { message: error instanceof Error ? error.message : String(error) })
    })
  }
  const draw = (): void => {
    const view = source.view()
    if (redraws) queue(() => stderr.write(`\r\u001B[K${formatLine(view).slice(0, stderr.columns - 1)}`))
    else if (view.phase !== lastPhase || clock.nowMs() - lastLineMs >= LINE_PERIOD_MS) {
      lastPhase = view.phase
      lastLineMs = clock.nowMs()
      queue(() => context.say(formatLine(view)))
    }
    if (statusFile !== null) {
      queue(() => context.files.writeAtomic(statusFile, `${JSON.stringify(statusOf(view))}\n`, 0o644))
    }
  }
  const unsubscribe = source.subscribe(draw)
  return {
    close: async () => {
      unsubscribe()
      draw()
      if (redraws) queue(() => stderr.write('\r\u001B[K'))
      await writing
    },
  }
}

function formatLine(view: ExitRunView): string {
  if (view.phase !== 'scanning' || view.candidates === 0) return view.message
  const left = view.secondsLeft === null ? '' : `, ${Math.ceil(view.secondsLeft)} s left`
  const rate = `${view.relaysPerSecond.toFixed(1)}/s${left}`
  return `${view.done}/${view.candidates} relays, ${view.inFlight} in flight, ${rate} · ${formatFound(view.results)}`
}

/** What was found so far, gravest first. */
function formatFound(results: readonly ExitResult[]): string {
  const groups = Map.groupBy(results, ({ status }) => status)
  const parts = (['wrong_ip', 'dns_fail', 'timeout', 'circuit_fail', 'error', 'exception', 'success'] as const).flatMap(
    (status) => {
      const count = groups.get(status)?.length ?? 0
      return count === 0 ? [] : [`${count} ${status}`]
    },
  )
  return parts.join(', ')
}

/** The status file: one JSON object, replaced as a whole. */
function statusOf(view: ExitRunView): Readonly<Record<string, unknown>> {
  const groups = Map.groupBy(view.results, ({ status }) => status)
  return {
    phase: view.phase,
    message: view.message,
    run_id: view.runId,
    started_at: view.startedAt,
    candidates: view.candidates,
    done: view.done,
    in_flight: view.inFlight,
    relays_per_second: Math.round(view.relaysPerSecond * 100) / 100,
    seconds_left: view.secondsLeft === null ? null : Math.round(view.secondsLeft),
    statuses: Object.fromEntries([...groups].map(([status, all]) => [status, all.length])),
  }
}
