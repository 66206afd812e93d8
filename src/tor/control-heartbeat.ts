/**
 * Notices a Tor that lives and does not answer (stopped, swapped out, stuck): its session is as good as gone.
 *
 * Invariant: ends with the control connection.
 */
import type { Clock } from '../core/clock.ts'
import { ControlError, type ControlClient } from './control-client.ts'

/** How often Tor is asked for a sign of life. */
const INTERVAL_MS = 10_000
/** Tor answers within milliseconds; reading a consensus of the public network takes it a second or two. */
const SILENCE_MS_MAX = 30_000

/** How patient a heartbeat is. */
export interface HeartbeatOptions {
  readonly intervalMs: number
  readonly silenceMsMax: number
}

/** Asks from now on, and closes the connection when no answer comes. */
export function startHeartbeat(
  client: ControlClient,
  clock: Clock,
  { intervalMs, silenceMsMax }: HeartbeatOptions = { intervalMs: INTERVAL_MS, silenceMsMax: SILENCE_MS_MAX },
): void {
  const beat = (): void => {
    client.command('GETINFO version', { timeoutMs: silenceMsMax }).then(schedule, (error: unknown) => {
      if (!(error instanceof ControlError)) throw error
      client.close(`Tor has not answered for ${Math.round(silenceMsMax / 1_000)} s`)
    })
  }
  let timer = clock.setTimer(intervalMs, beat)
  const schedule = (): void => {
    if (!client.gone.aborted) timer = clock.setTimer(intervalMs, beat)
  }
  client.gone.addEventListener('abort', () => {
    timer.cancel()
  })
}
