/**
 * SIGINT and SIGTERM: the first asks for an orderly end, the second ends the process at once. The journal of a run is
 * valid at every moment, so the second loses nothing that was acknowledged.
 */
import { STATUS_INTERRUPTED } from './exit-status.ts'

/** The part of `process` that signals need; a test supplies its own. */
export interface SignalSource {
  on(signal: 'SIGINT' | 'SIGTERM' | 'SIGHUP', listener: () => void): unknown
  off(signal: 'SIGINT' | 'SIGTERM' | 'SIGHUP', listener: () => void): unknown
  /** Ends the process now. */
  exit(status: number): void
}

/** What is left of the signals for the commands. */
export interface SignalWatch {
  /** Aborts at the first SIGINT or SIGTERM. */
  readonly interrupted: AbortSignal
  /** Calls back at each SIGHUP. @returns A function that ends the subscription. */
  readonly onHangup: (callback: () => void) => () => void
}

/**
 * Listens to the signals from now on.
 *
 * @param onFirst - Called at the first SIGINT or SIGTERM, to tell the person what happens and that a second one ends it.
 */
export function watchSignals(source: SignalSource, onFirst: () => void): SignalWatch {
  const controller = new AbortController()
  const onInterrupt = (): void => {
    if (controller.signal.aborted) {
      source.exit(STATUS_INTERRUPTED)
      return
    }
    controller.abort()
    onFirst()
  }
  source.on('SIGINT', onInterrupt)
  source.on('SIGTERM', onInterrupt)
  return {
    interrupted: controller.signal,
    onHangup: (callback) => {
      source.on('SIGHUP', callback)
      return () => {
        source.off('SIGHUP', callback)
      }
    },
  }
}
