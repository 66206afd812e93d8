/**
 * What an error looks like, and the exit status it stands for: what happened, why, and the corrected command or line.
 *
 * The form is wrangler's. A bug names its place, because the person who reads it is asked to report it.
 */
import { ConfigError, RunError } from '../core/config-error.ts'
import { FileError } from '../core/files.ts'
import { ProcessError } from '../core/process-runner.ts'
import type { CliContext } from './cli-context.ts'
import { STATUS_BUG, STATUS_FAILED, STATUS_USAGE, type CliStatus } from './exit-status.ts'

/** An error in three parts; `why` and `fix` are empty where there is nothing to say. */
export interface ErrorParts {
  readonly what: string
  readonly why: string
  readonly fix: string
  readonly status: CliStatus
}

/** What people can do about codes of the operating system. */
const FILE_FIXES: Readonly<Record<string, string>> = {
  ENOENT: 'check the spelling of the path',
  EACCES: 'give yourself access, or name another path',
  EPERM: 'give yourself access, or name another path',
  ENOSPC: 'free some space; what was written so far stays valid, and --resume continues a run',
  EROFS: 'name a path on a disk that can be written to',
  TOO_LARGE: 'name a smaller file',
}

/** Puts an error into words. Whatever is not known is a bug. */
export function describeError(error: unknown): ErrorParts {
  if (error instanceof ConfigError) {
    return { what: `cannot use ${error.path}`, why: error.message, fix: error.hint, status: STATUS_USAGE }
  }
  if (error instanceof RunError) {
    const cause = error.cause instanceof Error ? error.cause.message : ''
    const why = error.message.includes(cause) ? '' : cause
    return { what: error.message, why, fix: error.hint, status: STATUS_FAILED }
  }
  if (error instanceof FileError) {
    const fix = FILE_FIXES[error.code] ?? ''
    return { what: `cannot use the file ${error.path}`, why: error.code, fix, status: STATUS_FAILED }
  }
  if (error instanceof ProcessError) {
    const fix = error.code === 'ENOENT' ? `install ${error.command}, or put it into the PATH` : ''
    return { what: `cannot start ${error.command}`, why: error.code, fix, status: STATUS_FAILED }
  }
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error)
  return {
    what: 'this is a bug in Candor',
    why: text,
    fix: 'report it with the lines above; a journal that was written stays valid, and --resume continues a run',
    status: STATUS_BUG,
  }
}

/** Formats the three parts, one under the other. */
export function formatErrorParts({ what, why, fix }: ErrorParts, color: boolean): string {
  const paint = (code: number, text: string): string => (color ? `\u001B[${code}m${text}\u001B[0m` : text)
  return [
    `${paint(31, 'error')}: ${what}`,
    ...(why === '' ? [] : [`  why: ${indent(why)}`]),
    ...(fix === '' ? [] : [`  ${paint(32, 'fix')}: ${indent(fix)}`]),
    '',
  ].join('\n')
}

/** Prints an error on stderr. @returns The exit status it stands for. */
export async function printError(error: unknown, context: CliContext): Promise<CliStatus> {
  const parts = describeError(error)
  await context.stderr.write(formatErrorParts(parts, context.usesColor(context.stderr)))
  return parts.status
}

function indent(text: string): string {
  return text.trimEnd().replaceAll('\n', '\n       ')
}
