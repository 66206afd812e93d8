/**
 * Shows a run while it goes on: one line that is rewritten on a terminal, a line now and then elsewhere, and a file for
 * programs. Everything goes to stderr; stdout belongs to records.
 */
import { formatIsoTime, type Timer } from '../core/clock.ts'
import { FileError } from '../core/files.ts'
import type { ExitStatus } from '../model/exit-result.ts'
import type { ExitRunView, RunViewSource } from '../model/run-view.ts'
import type { CliContext } from './cli-context.ts'

/** Five times a second is smooth to the eye and nothing to the machine. */
const TERMINAL_INTERVAL_MS = 200
/** Elsewhere, a change of phase is seen this soon… */
const PLAIN_INTERVAL_MS = 1000
/** … and within a phase a line now and then shows that the run lives. */
const PLAIN_LINE_MS = 30_000
const STATUS_FILE_INTERVAL_MS = 1000
const STATUS_FILE_MODE = 0o644

/** Gravest first. */
const STATUSES: readonly ExitStatus[] = [
  'wrong_ip',
  'dns_fail',
  'timeout',
  'circuit_fail',
  'error',
  'exception',
  'not_tested',
  'success',
]

/** A display that was started. */
export interface Progress {
  /** Shows the last state and ends. Call it always. */
  stop(): Promise<void>
}

/** How many relays have each status. */
export interface StatusCounter {
  count(view: ExitRunView): ReadonlyMap<ExitStatus, number>
}

/**
 * Shows a run until `stop` is called. With `--quiet` only the status file is written.
 *
 * @param statusFile - Path of a JSON file that is replaced once a second; `null` for none.
 * @param counter - Counts statuses where the view has no results; without it they are counted as results arrive.
 */
export function startProgress(
  source: Pick<RunViewSource, 'view'>,
  context: CliContext,
  statusFile: string | null,
  counter: StatusCounter = createCounter(),
): Progress {
  const timers = new Map<string, Timer>()
  const running = new Map<string, Promise<void>>()
  const every = (name: string, intervalMs: number, action: () => Promise<void>): void => {
    const arm = (): void => {
      const timer = context.clock.setTimer(intervalMs, () => {
        const done = action().then(() => {
          if (timers.has(name)) arm()
        })
        running.set(name, done)
      })
      timers.set(name, timer)
    }
    arm()
  }
  const show = context.isQuiet() ? (): Promise<void> => Promise.resolve() : createDisplay(source, context, counter)
  const write = (): Promise<void> => writeStatusFile(source, context, counter, statusFile)
  every('display', context.stderr.isTerminal ? TERMINAL_INTERVAL_MS : PLAIN_INTERVAL_MS, () => show(false))
  every('file', STATUS_FILE_INTERVAL_MS, write)
  return {
    stop: async () => {
      for (const timer of timers.values()) timer.cancel()
      timers.clear()
      // What is being written now must not replace the last state.
      await Promise.all(running.values())
      await show(true)
      await write()
    },
  }
}

function createDisplay(
  source: Pick<RunViewSource, 'view'>,
  context: CliContext,
  counter: StatusCounter,
): (isLast: boolean) => Promise<void> {
  const { clock, stderr } = context
  let before = { line: '', phase: '', atMs: -PLAIN_LINE_MS }
  return async (isLast) => {
    const view = source.view()
    const line = formatProgress(view, counter.count(view))
    if (stderr.isTerminal) {
      const fitting = line.length < stderr.columns ? line : `${line.slice(0, stderr.columns - 2)}…`
      await stderr.write(`\r\u001B[K${fitting}${isLast ? '\n' : ''}`)
    } else if (line !== before.line) {
      if (!isLast && view.phase === before.phase && clock.nowMs() - before.atMs < PLAIN_LINE_MS) return
      before = { line, phase: view.phase, atMs: clock.nowMs() }
      await stderr.write(`${line}\n`)
    }
  }
}

/** Formats where a run stands as one line: phase, relays, rate, time left, and what was found so far. */
export function formatProgress(view: ExitRunView, counts: ReadonlyMap<ExitStatus, number>): string {
  if (view.candidates === 0) return view.message
  const percent = Math.floor((100 * view.done) / view.candidates)
  const found = STATUSES.flatMap((status) => {
    const count = counts.get(status) ?? 0
    return count === 0 ? [] : [`${count} ${status}`]
  }).join(', ')
  return [
    `${view.done}/${view.candidates} relays (${percent} %)`,
    `${view.relaysPerSecond.toFixed(1)}/s`,
    ...(view.secondsLeft === null ? [] : [`${formatDuration(view.secondsLeft)} left`]),
    `${view.inFlight} in flight`,
    ...(found === '' ? [] : [found]),
    ...(view.phase === 'scanning' ? [] : [view.message]),
  ].join(' · ')
}

/** Formats seconds as `0:07`, `12:30` or `1:02:03`. */
export function formatDuration(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds))
  const [hours, minutes, rest] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60]
  const two = (value: number): string => String(value).padStart(2, '0')
  return hours > 0 ? `${hours}:${two(minutes)}:${two(rest)}` : `${minutes}:${two(rest)}`
}

/** A status file that cannot be written must not end a run of hours: it is logged, once a time. */
async function writeStatusFile(
  source: Pick<RunViewSource, 'view'>,
  context: CliContext,
  counter: StatusCounter,
  path: string | null,
): Promise<void> {
  if (path === null) return
  const view = source.view()
  const status = {
    phase: view.phase,
    message: view.message,
    run_id: view.runId,
    started_at: view.startedAt,
    updated_at: formatIsoTime(context.clock.wallNowMs()),
    candidates: view.candidates,
    done: view.done,
    in_flight: view.inFlight,
    relays_per_second: Number(view.relaysPerSecond.toFixed(2)),
    seconds_left: view.secondsLeft,
    counts: Object.fromEntries(counter.count(view)),
  }
  try {
    await context.files.writeAtomic(path, `${JSON.stringify(status)}\n`, STATUS_FILE_MODE)
  } catch (error) {
    if (!(error instanceof FileError)) throw error
    context.log.warn('cli.status_file.failed', { path, code: error.code })
  }
}

/** While a run goes on results only ever grow, so each is looked at once; the finished ones may have changed. */
function createCounter(): StatusCounter {
  const counts = new Map<ExitStatus, number>()
  let seen = 0
  return {
    count: ({ results, metadata }) => {
      if (metadata !== null) {
        seen = 0
        counts.clear()
      }
      for (; seen < results.length; seen++) {
        const status = results[seen]?.status
        if (status !== undefined) counts.set(status, (counts.get(status) ?? 0) + 1)
      }
      return counts
    },
  }
}
