/** A run whose view a test sets, step by step. */
import type { ExitRunView, RunViewSource } from '../../src/model/run-view.ts'

/** A source whose view a test sets. */
export interface SettableRun extends RunViewSource {
  set(view: ExitRunView): void
  /** Subscriptions that are open. */
  subscribers(): number
}

/** Makes a source that shows `first`. */
export function createSettableRun(first: ExitRunView): SettableRun {
  let view = first
  const callbacks = new Set<() => void>()
  return {
    view: () => view,
    subscribe: (onChange) => {
      const own = (): void => {
        onChange()
      }
      callbacks.add(own)
      return () => {
        callbacks.delete(own)
      }
    },
    set: (next) => {
      view = next
      for (const callback of callbacks) callback()
    },
    subscribers: () => callbacks.size,
  }
}
