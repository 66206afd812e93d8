/** The token of `CANDOR_API_TOKEN`: for whoever sets up a monitor by its environment alone. */
import { digest, type ApiToken } from '../api/access.ts'
import { ConfigError } from '../core/config-error.ts'
import { formatIsoTime } from '../core/clock.ts'
import type { CliContext } from './cli-context.ts'

const VARIABLE = 'CANDOR_API_TOKEN'
const CHARS_MIN = 16
const CHARS_MAX = 200

/** @returns The token, which may read and give orders; none when the variable is not set. @throws {ConfigError} */
export async function readEnvironmentToken({
  environment,
  clock,
}: Pick<CliContext, 'environment' | 'clock'>): Promise<readonly ApiToken[]> {
  const token = environment[VARIABLE] ?? ''
  if (token === '') return []
  // What no header can carry, and what can be guessed, would be found out by the first order.
  if (token.length < CHARS_MIN || token.length > CHARS_MAX || !/^[A-Za-z0-9+/_=.~-]+$/.test(token))
    throw new ConfigError(
      VARIABLE,
      `it is no token: ${CHARS_MIN} to ${CHARS_MAX} letters, digits and + / _ = . ~ -`,
      'head -c 24 /dev/urandom | base64',
    )
  const created = formatIsoTime(clock.wallNowMs())
  return [{ name: VARIABLE, scopes: ['read', 'write'], sha256: await digest(token), created_at: created }]
}
