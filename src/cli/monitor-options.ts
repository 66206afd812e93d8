/** Options that the commands of the monitor share. */
import { ConfigError } from '../core/config-error.ts'
import { parseDuration } from '../core/duration.ts'
import type { CliContext } from './cli-context.ts'

const VARIABLE = 'CANDOR_DATA_DIR'
const TIMEOUT_MAX_MS = 60_000

/** What `--timeout` is without it. */
export const MONITOR_TIMEOUT_DEFAULT = '5s'

/** The data directory: the flag, else `CANDOR_DATA_DIR`; `undefined` without either. */
export function findDataDirectory(flag: string | undefined, context: CliContext): string | undefined {
  const found = flag ?? context.environment[VARIABLE]
  return found === '' ? undefined : found
}

/** The data directory. @throws {ConfigError} When nothing names one. */
export function readDataDirectory(flag: string | undefined, context: CliContext, command: string): string {
  const found = findDataDirectory(flag, context)
  if (found !== undefined) return found
  throw new ConfigError('--data-dir', 'what was learned is kept there', `${command} --data-dir /var/lib/candor`)
}

/** Whether records are text. @throws {ConfigError} */
export function readMonitorFormat(format: string | undefined, context: CliContext): boolean {
  if (format === undefined) return context.stdout.isTerminal
  if (format === 'text' || format === 'jsonl') return format === 'text'
  throw new ConfigError(`--format ${format.slice(0, 40)}`, 'there are two formats', '--format text or --format jsonl')
}

/** Milliseconds. @throws {ConfigError} */
export function readMonitorTimeout(text: string): number {
  const timeoutMs = parseDuration(text)
  if (timeoutMs > 0 && timeoutMs <= TIMEOUT_MAX_MS) return timeoutMs
  throw new ConfigError(`--timeout ${text.slice(0, 40)}`, 'it is no duration up to 60s', '--timeout 5s')
}
