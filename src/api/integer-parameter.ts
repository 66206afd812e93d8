/** A whole number in a query string. */
import { z } from 'zod'

/** Takes digits only, so that `1e3`, `0x10` and blanks are no numbers. */
export function integerParameter(min: number, max: number): z.ZodType<number> {
  return z.preprocess(
    (value) => (typeof value === 'string' && /^\d{1,9}$/.test(value) ? Number(value) : value),
    z.int().min(min).max(max),
  )
}
