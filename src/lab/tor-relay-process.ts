/**
 * One relay as a process: started, frozen, thawed, killed.
 *
 * Invariant: a frozen process does not outlive the laboratory. Tor itself looks for its owner every few seconds, but a
 * stopped process cannot; so a watcher thaws it when the owner is gone.
 */
import { joinPath } from '../core/files.ts'
import type { ExitStatus, RunningProcess } from '../core/process-runner.ts'
import { startOwnerWatcher } from './owner-watcher.ts'
import type { TorNetworkMachine } from './tor-network-options.ts'
import type { RelayPlan } from './tor-relay-config.ts'

/** A relay's process. */
export interface TorRelayProcess {
  readonly plan: RelayPlan
  readonly pid: number
  /** How it ended; `undefined` while it runs. */
  readonly ended: ExitStatus | undefined
  /** The last line that it wrote. */
  readonly lastLine: string
  freeze(): Promise<void>
  thaw(): Promise<void>
  kill(): Promise<void>
}

/** Writes the configuration and starts the relay. @throws {ProcessError} */
export async function startTorRelay(
  { files, processes }: TorNetworkMachine,
  { tor, plan, torrc }: { readonly tor: string; readonly plan: RelayPlan; readonly torrc: string },
): Promise<TorRelayProcess> {
  const path = joinPath(plan.dataDirectory, 'torrc')
  const defaults = joinPath(plan.dataDirectory, 'torrc-defaults')
  await files.writeAtomic(path, torrc, 0o600)
  await files.writeAtomic(defaults, '', 0o600)
  let lastLine = 'it said nothing'
  let ended: ExitStatus | undefined
  let watcher: RunningProcess | undefined
  const child = await processes.start(tor, ['-f', path, '--defaults-torrc', defaults, '--hush'], {
    onLine: (line) => {
      lastLine = line
    },
  })
  void child.exited.then((status) => {
    ended = status
  })
  const thaw = async (): Promise<void> => {
    child.kill('SIGCONT')
    watcher?.kill('SIGKILL')
    await watcher?.exited
    watcher = undefined
  }
  return {
    plan,
    pid: child.pid,
    get ended() {
      return ended
    },
    get lastLine() {
      return lastLine
    },
    freeze: async () => {
      watcher ??= await startOwnerWatcher(processes, child.pid, 'CONT')
      child.kill('SIGSTOP')
    },
    thaw,
    kill: async () => {
      child.kill('SIGKILL')
      await thaw()
      await child.exited
    },
  }
}
