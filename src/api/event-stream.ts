/**
 * Server-Sent Events about a run: one `result` for each relay that is finished, and `run` for where the run stands.
 *
 * The id of an event is `RUN.INDEX`, the place of the result in the run. A client that comes back with its last id gets
 * every result after it and none twice.
 *
 * Invariant: a slow reader costs one chunk of memory; what changes meanwhile waits in the run itself.
 *
 * Sources: WHATWG HTML section 9.2 (server-sent events).
 */
import type { Clock, Timer } from '../core/clock.ts'
import type { ExitRunView, RunViewSource } from '../model/run-view.ts'
import { summarizeRun } from './run-summary.ts'

/** Results in one chunk: the rest follows when the reader has taken these. */
const RESULTS_PER_CHUNK_MAX = 200
/** A comment this often keeps proxies from closing a quiet stream, in milliseconds. */
const KEEP_ALIVE_MS = 15_000

/** Streams of one server. */
export interface EventStreams {
  /**
   * Opens a stream.
   *
   * @param lastEventId - What the client has seen; `undefined` starts at the present.
   * @returns `undefined` when all streams are taken.
   */
  open(lastEventId: string | undefined): ReadableStream<Uint8Array> | undefined
  /** Streams that are open. */
  count(): number
}

/** Makes the streams of one source; at most `streamsMax` are open at once. */
export function createEventStreams(source: RunViewSource, clock: Clock, streamsMax: number): EventStreams {
  let open = 0
  return {
    open: (lastEventId) => {
      if (open >= streamsMax) return undefined
      open += 1
      return createStream(source, clock, lastEventId, () => {
        open -= 1
      })
    },
    count: () => open,
  }
}

function createStream(
  source: RunViewSource,
  clock: Clock,
  lastEventId: string | undefined,
  onEnd: () => void,
): ReadableStream<Uint8Array> {
  const cursor = createCursor(source.view(), lastEventId)
  const encoder = new TextEncoder()
  let changed = true
  let unsubscribe = (): void => {}
  let keepAlive: Timer | undefined
  const flush = (controller: ReadableStreamDefaultController<Uint8Array>): void => {
    if (!changed || (controller.desiredSize ?? 0) <= 0) return
    const { text, more } = cursor.take(source.view())
    changed = more
    controller.enqueue(encoder.encode(text))
  }
  const stayAlive = (controller: ReadableStreamDefaultController<Uint8Array>): void => {
    keepAlive = clock.setTimer(KEEP_ALIVE_MS, () => {
      if ((controller.desiredSize ?? 0) > 0) controller.enqueue(encoder.encode(': still here\n\n'))
      stayAlive(controller)
    })
  }
  return new ReadableStream<Uint8Array>(
    {
      start: (controller) => {
        unsubscribe = source.subscribe(() => {
          changed = true
          flush(controller)
        })
        stayAlive(controller)
      },
      pull: flush,
      cancel: () => {
        unsubscribe()
        keepAlive?.cancel()
        onEnd()
      },
    },
    { highWaterMark: 1 },
  )
}

/** What one reader has seen. */
interface Cursor {
  /** Events that are new to the reader; `more` when results are left for another chunk. */
  take(view: ExitRunView): { readonly text: string; readonly more: boolean }
}

function createCursor(first: ExitRunView, lastEventId: string | undefined): Cursor {
  let runId = first.runId
  const seen = /^(\d{14})\.(\d{1,7})$/.exec(lastEventId ?? '')
  let index = first.results.length
  if (seen !== null) index = seen[1] === runId ? Math.min(Number(seen[2]), index) : 0
  return {
    take: (view) => {
      if (view.runId !== runId) {
        runId = view.runId
        index = 0
      }
      const results = view.results.slice(index, index + RESULTS_PER_CHUNK_MAX)
      const lines = results.map((result, offset) =>
        formatEvent('result', `${runId ?? ''}.${index + offset + 1}`, {
          exit_fingerprint: result.exit_fingerprint,
          status: result.status,
          error_code: result.error_code,
        }),
      )
      index += results.length
      const more = index < view.results.length
      if (!more) lines.push(formatEvent('run', `${runId ?? ''}.${index}`, formatProgress(view)))
      return { text: lines.join(''), more }
    },
  }
}

function formatProgress(view: ExitRunView): unknown {
  const { candidates, finished, counts } = summarizeRun(view)
  return { run_id: view.runId, phase: view.phase, message: view.message, candidates, finished, counts }
}

/** JSON has no line feeds outside strings and escapes those inside, so the data is always one line. */
function formatEvent(event: string, id: string, data: unknown): string {
  return `event: ${event}\nid: ${id}\ndata: ${JSON.stringify(data)}\n\n`
}
