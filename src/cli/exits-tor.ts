/** Opens the Tor that a run's options ask for: one of our own, or one that already runs. */
import { resolve } from 'node:path'
import type { RunProgress } from '../campaigns/exits/run-progress.ts'
import type { OpenTor } from '../campaigns/exits/tor-supervisor.ts'
import { isInternalAddress } from '../campaigns/exits/internal-address.ts'
import type { ExitRunExtras } from '../config/exit-run-extras.ts'
import { joinPath } from '../core/files.ts'
import type { ExitRunOptions } from '../model/exit-options.ts'
import { openOwnTor } from '../tor/own-tor.ts'
import { openSharedTor } from '../tor/shared-tor.ts'
import { checkAppendedLines } from '../tor/torrc.ts'
import type { CliContext } from './cli-context.ts'

/** On the public network a first bootstrap takes a minute or two, with all descriptors. */
const BOOTSTRAP_TIMEOUT_MS = 600_000

/**
 * How the Tor of a run is opened, the first time and after it died.
 *
 * @param stateDir - Where Tor's own directory and the record of changed options go.
 * @throws {ConfigError} When a line of `--torrc-append` may not be appended.
 */
export function openTorFor(
  context: CliContext,
  options: ExitRunOptions,
  extras: ExitRunExtras,
  stateDir: string,
  progress: RunProgress,
): OpenTor {
  const { clock, files, net, processes, log } = context
  const machine = { clock, files, net, processes, log }
  // A zone of our own may have a private address; Tor then has to let such answers through.
  const rejectInternalAddresses = ![...options.expect, ...options.secondExpect].some(isInternalAddress)
  const { control } = extras
  if (control !== null) {
    return () =>
      openSharedTor(machine, {
        control,
        password: extras.controlPassword,
        stateDirectory: resolve(joinPath(stateDir, 'shared-tor')),
        rejectInternalAddresses,
        watchdogCommand: [joinPath(context.home, 'bin/candor'), 'tor-watchdog'],
      })
  }
  const appendedLines = checkAppendedLines(extras.torrcAppend, '--torrc-append')
  return () =>
    openOwnTor(machine, {
      // Tor takes a relative socket path for a mistake.
      directory: resolve(extras.torDir ?? joinPath(stateDir, 'tor')),
      torPath: null,
      rejectInternalAddresses,
      appendedLines,
      bootstrapTimeoutMs: BOOTSTRAP_TIMEOUT_MS,
      onProgress: ({ percent, summary }) => {
        progress.phase('starting_tor', `Tor: ${percent} % (${summary})`)
      },
      signal: context.interrupted,
    })
}
