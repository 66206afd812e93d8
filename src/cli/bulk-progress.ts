/**
 * Shows a bulk run while it goes on: rate, loss and time left; one line that is rewritten on a terminal, a line now and
 * then elsewhere, and a file for programs.
 */
import { formatIsoTime, type Timer } from '../core/clock.ts'
import { FileError } from '../core/files.ts'
import { readCounters, type BulkCounter } from '../measure/bulk/bulk-counters.ts'
import type { CliContext } from './cli-context.ts'
import { formatDuration } from './progress.ts'

const INTERVAL_MS = 500
/** Elsewhere than on a terminal. */
const PLAIN_LINE_MS = 10_000
const STATUS_FILE_MODE = 0o644

/** A moment of a run. */
export interface BulkView {
  readonly counters: Readonly<Record<BulkCounter, number>>
  /** Queries with a record per second, over the last moments. */
  readonly queriesPerSecond: number
  /** Share of the input that is read, 0 to 1; `null` when its length is not known. */
  readonly share: number | null
  readonly secondsLeft: number | null
  /** Share of datagrams that were sent in vain, 0 to 1. */
  readonly loss: number
}

/** A display that was started. */
export interface BulkDisplay {
  /** Shows the last state and ends. */
  stop(): Promise<void>
}

/**
 * Shows a run until `stop` is called.
 *
 * @param inputOctets - Length of the input; `null` when it is not known.
 */
export function startBulkDisplay(
  context: CliContext,
  counters: Float64Array,
  inputOctets: number | null,
  statusFile: string | null,
): BulkDisplay {
  const { clock, stderr } = context
  const startedAtMs = clock.nowMs()
  let before = { atMs: startedAtMs, finished: 0 }
  let rate = 0
  let printedAtMs = startedAtMs
  let timer: Timer | undefined
  let running: Promise<void> | undefined
  const look = (): BulkView => {
    const now = readCounters(counters)
    const atMs = clock.nowMs()
    const seconds = (atMs - before.atMs) / 1000
    if (seconds > 0.1) {
      const latest = (now.finished - before.finished) / seconds
      rate = rate === 0 ? latest : rate * 0.7 + latest * 0.3
      before = { atMs, finished: now.finished }
    }
    return viewOf(now, rate, (atMs - startedAtMs) / 1000, inputOctets)
  }
  const show = async (isLast: boolean): Promise<void> => {
    const view = look()
    const line = formatBulkProgress(view)
    if (!context.isQuiet() && stderr.isTerminal) {
      const fitting = line.length < stderr.columns ? line : `${line.slice(0, stderr.columns - 2)}…`
      await stderr.write(`\r\u001B[K${fitting}${isLast ? '\n' : ''}`)
    } else if (!context.isQuiet() && (isLast || clock.nowMs() - printedAtMs >= PLAIN_LINE_MS)) {
      printedAtMs = clock.nowMs()
      await stderr.write(`${line}\n`)
    }
    if (statusFile !== null) await writeStatus(context, statusFile, view, isLast)
  }
  const arm = (): void => {
    timer = clock.setTimer(INTERVAL_MS, () => {
      running = show(false).then(arm)
    })
  }
  arm()
  return {
    stop: async () => {
      await running
      timer?.cancel()
      await show(true)
    },
  }
}

function viewOf(
  counters: Readonly<Record<BulkCounter, number>>,
  rate: number,
  elapsedSeconds: number,
  inputOctets: number | null,
): BulkView {
  const sent = counters.first_sends + counters.retransmissions
  const share = inputOctets === null || inputOctets === 0 ? null : Math.min(1, counters.input_octets / inputOctets)
  return {
    counters,
    queriesPerSecond: rate,
    share,
    secondsLeft: share === null || share === 0 ? null : (elapsedSeconds * (1 - share)) / share,
    loss: sent === 0 ? 0 : (counters.retransmissions + counters.unanswered) / sent,
  }
}

/** Formats a moment of a run as one line. */
export function formatBulkProgress({ counters, queriesPerSecond, share, secondsLeft, loss }: BulkView): string {
  const oddities = (['wrong_id', 'wrong_source', 'wrong_question', 'malformed', 'late', 'duplicate'] as const).flatMap(
    (name) => (counters[name] === 0 ? [] : [`${counters[name]} ${name}`]),
  )
  return [
    `${counters.finished} done${share === null ? '' : ` (${Math.floor(share * 100)} % read)`}`,
    `${Math.round(queriesPerSecond)}/s`,
    ...(secondsLeft === null ? [] : [`${formatDuration(secondsLeft)} left`]),
    `${counters.in_flight} in flight`,
    `${(loss * 100).toFixed(1)} % lost`,
    `${counters.unanswered} unanswered`,
    ...oddities,
  ].join(' · ')
}

/** A status file that cannot be written must not end a long run: it is logged. */
async function writeStatus(context: CliContext, path: string, view: BulkView, isLast: boolean): Promise<void> {
  const { in_flight: inFlight, first_send_ended_ms: firstMs, finished_ms: lastMs, ...counters } = view.counters
  const status = {
    phase: isLast ? 'finished' : 'running',
    updated_at: formatIsoTime(context.clock.wallNowMs()),
    ...counters,
    in_flight: inFlight,
    queries_per_second: Math.round(view.queriesPerSecond),
    share_read: view.share,
    seconds_left: isLast ? 0 : view.secondsLeft,
    loss: Number(view.loss.toFixed(5)),
    tail_ms: lastMs > 0 ? Math.round(lastMs - firstMs) : null,
  }
  try {
    await context.files.writeAtomic(path, `${JSON.stringify(status)}\n`, STATUS_FILE_MODE)
  } catch (error) {
    if (!(error instanceof FileError)) throw error
    context.log.warn('cli.status_file.failed', { path, code: error.code })
  }
}
