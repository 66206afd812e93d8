/** Equality of JSON values: objects without regard to the order of their fields. */
import { isFields } from './row-fields.ts'

/** Values nested deeper than this are unequal: nobody publishes such rows. */
const DEPTH_MAX = 64

/** Whether two values that came out of JSON are the same. */
export function isJsonEqual(a: unknown, b: unknown, depth = 0): boolean {
  if (a === b) return true
  if (depth > DEPTH_MAX) return false
  if (Array.isArray(a)) {
    return Array.isArray(b) && a.length === b.length && a.every((item, index) => isJsonEqual(item, b[index], depth + 1))
  }
  if (!isFields(a) || !isFields(b)) return false
  const names = Object.keys(a)
  return (
    names.length === Object.keys(b).length &&
    names.every((name) => Object.hasOwn(b, name) && isJsonEqual(a[name], b[name], depth + 1))
  )
}
