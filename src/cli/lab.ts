/** The group `candor lab`: a part of the Internet with known faults, on loopback. Its commands are files of their own. */
import type { Command } from 'commander'
import type { CliContext } from './cli-context.ts'
import { registerLabAlerts } from './lab-alerts.ts'
import { registerLabDown } from './lab-down.ts'
import { registerLabHistory } from './lab-history.ts'
import { registerLabRun } from './lab-run.ts'
import { registerLabStatus } from './lab-status.ts'
import { registerLabStore } from './lab-store.ts'
import { registerLabUp } from './lab-up.ts'

/** Adds `candor lab` with its commands. */
export function registerLab(program: Command, context: CliContext): void {
  const lab = program
    .command('lab')
    .description('a private Tor network and other worlds with known faults, to see the scanner judge')
  registerLabUp(lab, context)
  registerLabRun(lab, context)
  registerLabStatus(lab, context)
  registerLabDown(lab, context)
  registerLabHistory(lab, context)
  registerLabAlerts(lab, context)
  registerLabStore(lab, context)
}
