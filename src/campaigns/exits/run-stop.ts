/** Why and when a run stops before its end: an interruption lets what is in flight finish, everything else does not. */
import type { RunDependencies } from './run-setup.ts'
import type { StopReason } from './scan-relays.ts'

/** The stop of a run; dispose it at the end. */
export interface RunStop extends Disposable {
  /** Nothing new begins. */
  readonly start: AbortSignal
  /** What is in flight ends. */
  readonly all: AbortSignal
  reason(): StopReason | undefined
  stop(reason: StopReason): void
}

/** Connects the deadline and the person at the keyboard. */
export function createRunStop({ clock, endsAtMs, interrupted }: RunDependencies): RunStop {
  const start = new AbortController()
  const all = new AbortController()
  let reason: StopReason | undefined
  const stop = (why: StopReason): void => {
    reason ??= why
    start.abort()
    if (why !== 'interrupted') all.abort()
  }
  const onInterrupted = (): void => {
    stop('interrupted')
  }
  const deadline = clock.setTimer(Math.max(0, endsAtMs - clock.nowMs()), () => {
    stop('deadline')
  })
  interrupted.addEventListener('abort', onInterrupted)
  if (interrupted.aborted) onInterrupted()
  return {
    start: start.signal,
    all: all.signal,
    reason: () => reason,
    stop,
    [Symbol.dispose]: () => {
      deadline.cancel()
      interrupted.removeEventListener('abort', onInterrupted)
    },
  }
}
