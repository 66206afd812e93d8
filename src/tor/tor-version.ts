/** Which Tor is new enough. */
import { RunError } from '../core/config-error.ts'

/** The oldest with everything asked for here (`GETINFO md/all`, both consensus flavours, `CLIENT_PROTOCOL`). */
const VERSION_MIN: readonly number[] = [0, 4, 7]

/**
 * Refuses a Tor that is too old.
 *
 * @param version - As Tor says it, `0.4.9.11` or `0.4.9.1-alpha`.
 * @param hint - What can be done about it.
 * @throws {RunError}
 */
export function requireTorVersion(version: string, hint: string): void {
  const parts = version.split('.', 3).map(Number)
  const difference = VERSION_MIN.map((part, i) => (parts[i] ?? Number.NaN) - part).find((d) => d !== 0) ?? 0
  if (difference >= 0) return
  throw new RunError(
    `this Tor is ${version === '' ? 'of unknown version' : version}; needed is ${VERSION_MIN.join('.')} or newer`,
    hint,
  )
}
