/**
 * A watcher for a process that cannot look after itself: when the laboratory is gone, even by kill −9, it sends a signal.
 *
 * Invariant: the watcher ends when either of the two is gone.
 */
import type { ProcessRunner, RunningProcess } from '../core/process-runner.ts'

/** $1 is the owner, $2 the process, $3 the signal. A stopped process still exists, so `kill -0` sees it. */
const SCRIPT =
  'while kill -0 "$1" 2>/dev/null; do kill -0 "$2" 2>/dev/null || exit 0; sleep 1; done; kill -"$3" "$2" 2>/dev/null'

/** Starts a watcher over `pid`. @throws {ProcessError} */
export function startOwnerWatcher(
  processes: ProcessRunner,
  pid: number,
  signal: 'CONT' | 'TERM',
): Promise<RunningProcess> {
  return processes.start('sh', ['-c', SCRIPT, 'sh', String(processes.pid), String(pid), signal])
}
