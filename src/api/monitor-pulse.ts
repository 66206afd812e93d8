/**
 * How watched names stand, as one text that changes when something did: for readers of events.
 *
 * Invariant: looks every few seconds and only while somebody reads; times of rounds, which change all the time, are no
 * part of it.
 */
import type { Clock, Timer } from '../core/clock.ts'
import type { MonitorSource } from '../model/monitor-view.ts'

/** How often it is looked, in milliseconds: nobody tells when names change. */
const POLL_MS = 5_000

/** The pulse. */
export interface MonitorPulse {
  /** Names by standing, and the incidents that are open, as JSON. */
  describe(): string
  /** Looks again and again from now on. @returns A function that ends it. */
  start(onChange: () => void): () => void
}

/** Makes a pulse that is not started. */
export function createMonitorPulse(monitor: Pick<MonitorSource, 'names'>, clock: Clock): MonitorPulse {
  const describe = (): string => {
    const names = monitor.names()
    const standings = Object.fromEntries(
      [...Map.groupBy(names, ({ standing }) => standing)].map(([standing, group]) => [standing, group.length]),
    )
    const open = names.flatMap(({ key, open: incidents }) =>
      incidents.map(({ subject, severity, acknowledgement }) => ({
        name: key,
        subject,
        severity,
        acknowledged: acknowledgement !== null,
      })),
    )
    return JSON.stringify({ names: names.length, standings, open })
  }
  return {
    describe,
    start: (onChange) => {
      let seen = describe()
      let timer: Timer
      const look = (): void => {
        const now = describe()
        if (now !== seen) onChange()
        seen = now
        timer = clock.setTimer(POLL_MS, look)
      }
      timer = clock.setTimer(POLL_MS, look)
      return () => {
        timer.cancel()
      }
    },
  }
}
