/**
 * Server-Sent Events about runs: a `result` for each relay that is finished, `run` for where the run stands,
 * `incident` for trouble that began, lasts or is over, `schedule` for what is planned, `gap` where something cannot be told any more.
 *
 * Invariant: a slow reader costs one chunk of memory; what changes meanwhile waits in the runs themselves.
 *
 * Format: docs/formats/events.md
 *
 * Sources: WHATWG HTML section 9.2 (server-sent events).
 */
import type { Timer } from '../core/clock.ts'
import { createEventCursor } from './event-cursor.ts'
import { createEventHub, type EventHub, type EventSources } from './event-hub.ts'

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

/** Makes the streams of one server; at most `streamsMax` are open at once. */
export function createEventStreams(sources: EventSources, streamsMax: number): EventStreams {
  const hub = createEventHub(sources)
  let open = 0
  return {
    open: (lastEventId) => {
      if (open >= streamsMax) return undefined
      open += 1
      return createStream(hub, sources, lastEventId, () => {
        open -= 1
      })
    },
    count: () => open,
  }
}

function createStream(
  hub: EventHub,
  { clock }: EventSources,
  lastEventId: string | undefined,
  onEnd: () => void,
): ReadableStream<Uint8Array> {
  const cursor = createEventCursor(hub, lastEventId)
  const encoder = new TextEncoder()
  let hasEnded = false
  let version = 0
  let wake = (): void => {}
  const leave = hub.join(() => {
    version += 1
    wake()
  })
  /** Waits until something has changed since `seen`. @returns Whether it has; `false` when it is time for a comment. */
  const waitForChange = (seen: number): Promise<boolean> =>
    new Promise((resolve) => {
      if (hasEnded || version !== seen) {
        resolve(true)
        return
      }
      const timer: Timer = clock.setTimer(KEEP_ALIVE_MS, () => {
        wake = (): void => {}
        resolve(false)
      })
      wake = (): void => {
        wake = (): void => {}
        timer.cancel()
        resolve(true)
      }
    })
  const end = (): void => {
    if (hasEnded) return
    hasEnded = true
    leave()
    wake()
    onEnd()
  }
  return new ReadableStream<Uint8Array>(
    {
      pull: async (controller) => {
        try {
          for (;;) {
            const seen = version
            let text = await cursor.next()
            if (text === '' && !(await waitForChange(seen))) text = ': still here\n\n'
            if (hasEnded) return
            if (text === '') continue
            controller.enqueue(encoder.encode(text))
            return
          }
        } catch (error) {
          end()
          throw error
        }
      },
      cancel: end,
    },
    { highWaterMark: 1 },
  )
}
