/** Why a run of the daemon did not end as it should, in the words of its report. */
import { ConfigError, RunError } from '../core/config-error.ts'
import { FileError } from '../core/files.ts'
import { ProcessError } from '../core/process-runner.ts'
import type { RunJob, RunReport } from '../daemon/campaign-work.ts'

/** SQLITE_FULL: https://sqlite.org/rescode.html#full */
const SQLITE_FULL = 13

/** @param early - What is said of a run that was ended before it did anything. @throws Whatever is no trouble of the operator's, the network's or the disk's: a bug. */
export function explainRunFailure(error: unknown, { signal }: RunJob, early: string): RunReport {
  const ended = { kind: 'ended', outcome: 'failed', hasReport: false } as const
  if (isDiskFull(error)) return { kind: 'suspended', message: 'the disk is full' }
  if (signal.aborted && error instanceof Error && error.name === 'AbortError')
    return { ...ended, outcome: 'interrupted', message: early }
  if (error instanceof ConfigError) return { ...ended, message: `${error.path}: ${error.message} (${error.hint})` }
  if (error instanceof RunError) return { ...ended, message: `${error.message} ${error.hint}`.trim() }
  if (error instanceof FileError || error instanceof ProcessError) return { ...ended, message: error.message }
  throw error
}

function isDiskFull(error: unknown): boolean {
  if (!(error instanceof Error)) return false
  const code = error instanceof FileError ? error.code : ''
  const isSqlite = 'errcode' in error && error.errcode === SQLITE_FULL
  return code === 'ENOSPC' || code === 'EDQUOT' || isSqlite || isDiskFull(error.cause)
}
