/**
 * Runs one after the other as one: shows the newest run that has something to show.
 *
 * Invariant: a run that is finished stays on the page until the next one has begun to ask exits, or has failed. What has no
 * run gives way at once.
 */
import type { RunViewSource } from '../model/run-view.ts'

/** A source that goes from run to run. */
export interface LatestRun extends RunViewSource {
  /** Follows another run from now on. */
  follow(next: RunViewSource): void
}

/** Makes a source that shows `first`. */
export function createLatestRun(first: RunViewSource): LatestRun {
  const subscribers = new Set<() => void>()
  let shown = first
  let waiting: RunViewSource | undefined
  const notify = (): void => {
    for (const onChange of subscribers) onChange()
  }
  const onChange = (): void => {
    const phase = waiting?.view().phase
    const isEmpty = shown.view().runId === null
    if (waiting !== undefined && (isEmpty || phase === 'scanning' || phase === 'failed')) {
      unsubscribeShown()
      shown = waiting
      unsubscribeShown = unsubscribeWaiting
      unsubscribeWaiting = (): void => {}
      waiting = undefined
    }
    notify()
  }
  let unsubscribeShown = first.subscribe(onChange)
  let unsubscribeWaiting = (): void => {}
  return {
    view: () =>
      waiting === undefined ? shown.view() : { ...shown.view(), message: `Next scan: ${waiting.view().message}` },
    subscribe: (callback) => {
      const own = (): void => {
        callback()
      }
      subscribers.add(own)
      return () => {
        subscribers.delete(own)
      }
    },
    follow: (next) => {
      unsubscribeWaiting()
      waiting = next
      unsubscribeWaiting = next.subscribe(onChange)
      onChange()
    },
  }
}
