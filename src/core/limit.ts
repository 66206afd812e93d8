/** Limits as data: every bound has a default, a range, a unit and a reason (the form is NLnet Labs' DefMinMax). */
import { ConfigError } from './config-error.ts'

/** One bound of the program. */
export interface Limit {
  readonly default: number
  readonly min: number
  readonly max: number
  /** `ms`, `octets`, `queries/s`, … */
  readonly unit: string
  /** Why the default is what it is. */
  readonly why: string
}

/**
 * Checks a value against its limit.
 *
 * @param path - The option or key that the value came from, for the error.
 * @throws {ConfigError} When the value is not a number or out of range.
 */
export function checkLimit(limit: Limit, value: number, path: string): number {
  if (Number.isFinite(value) && value >= limit.min && value <= limit.max) return value
  throw new ConfigError(
    path,
    `${path} is ${value}, outside ${limit.min} to ${limit.max} ${limit.unit}`,
    `${path} ${limit.default} is the default (${limit.why})`,
  )
}
