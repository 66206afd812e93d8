/**
 * Cron expressions in UTC: five fields, minute to day of the week.
 *
 * Sources: crontab(5); https://croner.56k.guru/usage/pattern/
 */
import { Cron } from 'croner'
import { formatIsoTime } from './clock.ts'

/** A cron expression that was understood. */
export interface CronExpression {
  /** As it was given. */
  readonly text: string
  /** @returns The first time after `wallMs`, both Unix milliseconds; `undefined` when there is none any more. */
  nextAfterMs(wallMs: number): number | undefined
}

/** Reads an expression. @returns `undefined` when it is none, or has no time at all (February 30th). */
export function parseCronExpression(text: string): CronExpression | undefined {
  try {
    const cron = new Cron(text, { mode: '5-part', timezone: 'UTC', paused: true })
    const nextAfterMs = (wallMs: number): number | undefined => cron.nextRun(formatIsoTime(wallMs))?.getTime()
    return nextAfterMs(0) === undefined ? undefined : { text, nextAfterMs }
  } catch {
    return undefined
  }
}
