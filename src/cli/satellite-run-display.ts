/**
 * Shows a run over open resolvers while it goes on: one line that is rewritten on a terminal, a line now and then elsewhere,
 * and a file for programs.
 */
import { formatIsoTime, type Timer } from '../core/clock.ts'
import { FileError } from '../core/files.ts'
import type { CliContext } from './cli-context.ts'
import { formatDuration } from './progress.ts'

const INTERVAL_MS = 500
/** Elsewhere than on a terminal. */
const PLAIN_LINE_MS = 10_000
const STATUS_FILE_MODE = 0o644

/** A display. */
export interface RunDisplay {
  /** A stage begins, or a part of one, with so many steps of which some were made before. */
  enter(stage: string, total: number, done?: number): void
  /** A step was made. */
  advance(): void
  /** Shows the last state and ends. */
  stop(): Promise<void>
}

/** Shows a run until `stop` is called; with `--quiet` only the status file is written. */
export function startRunDisplay(context: CliContext, statusFile: string | null): RunDisplay {
  const { clock, stderr } = context
  let view = { stage: 'start', total: 0, done: 0, before: 0, startedAtMs: clock.nowMs() }
  let printedAtMs = clock.nowMs()
  let timer: Timer | undefined
  let running: Promise<void> | undefined

  const look = (): { readonly perSecond: number; readonly secondsLeft: number | null } => {
    const seconds = (clock.nowMs() - view.startedAtMs) / 1000
    const perSecond = seconds < 0.5 ? 0 : (view.done - view.before) / seconds
    return { perSecond, secondsLeft: perSecond === 0 ? null : (view.total - view.done) / perSecond }
  }
  const show = async (isLast: boolean): Promise<void> => {
    const { perSecond, secondsLeft } = look()
    const line = [
      view.stage,
      ...(view.total === 0 ? [] : [`${view.done}/${view.total} (${Math.floor((100 * view.done) / view.total)} %)`]),
      ...(perSecond === 0 ? [] : [`${perSecond.toFixed(perSecond < 10 ? 1 : 0)}/s`]),
      ...(secondsLeft === null || isLast ? [] : [`${formatDuration(secondsLeft)} left`]),
    ].join(' · ')
    if (context.isQuiet()) {
      // Only the file.
    } else if (stderr.isTerminal) {
      const fitting = line.length < stderr.columns ? line : `${line.slice(0, stderr.columns - 2)}…`
      await stderr.write(`\r\u001B[K${fitting}${isLast ? '\n' : ''}`)
    } else if (clock.nowMs() - printedAtMs >= PLAIN_LINE_MS) {
      printedAtMs = clock.nowMs()
      await stderr.write(`${line}\n`)
    }
    if (statusFile === null) return
    const status = {
      phase: isLast ? 'finished' : 'running',
      stage: view.stage,
      updated_at: formatIsoTime(clock.wallNowMs()),
      done: view.done,
      total: view.total,
      per_second: Number(perSecond.toFixed(2)),
      seconds_left: isLast ? 0 : secondsLeft === null ? null : Math.round(secondsLeft),
    }
    await writeStatus(context, statusFile, status)
  }
  const arm = (): void => {
    timer = clock.setTimer(INTERVAL_MS, () => {
      running = show(false).then(arm)
    })
  }
  arm()
  return {
    enter: (stage, total, done = 0) => {
      view = { stage, total, done, before: done, startedAtMs: clock.nowMs() }
    },
    advance: () => {
      view.done++
    },
    stop: async () => {
      timer?.cancel()
      await running
      timer?.cancel()
      await show(true)
    },
  }
}

/** A status file that cannot be written must not end a long run: it is logged. */
async function writeStatus(context: CliContext, path: string, status: object): Promise<void> {
  try {
    await context.files.writeAtomic(path, `${JSON.stringify(status)}\n`, STATUS_FILE_MODE)
  } catch (error) {
    if (!(error instanceof FileError)) throw error
    context.log.warn('cli.status_file.failed', { path, code: error.code })
  }
}
