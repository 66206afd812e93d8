/** `candor lab down`: ends a laboratory that stands. */
import type { Command } from 'commander'
import { sleep } from '../core/clock.ts'
import { RunError } from '../core/config-error.ts'
import type { CliContext } from './cli-context.ts'
import { findLaboratory, laboratoryDirectoryOption } from './lab-directory.ts'

/** Forty relays end in a second; a busy machine needs more. */
const END_TIMEOUT_MS = 30_000
const POLL_MS = 100

/** Adds `candor lab down`. */
export function registerLabDown(lab: Command, context: CliContext): void {
  const down = lab.command('down').description('end a laboratory').addOption(laboratoryDirectoryOption())
  down.action(async () => {
    const { directory } = down.opts<{ directory: string }>()
    const { pid } = await findLaboratory(context, directory)
    context.processes.kill(pid, 'SIGTERM')
    const deadlineMs = context.clock.nowMs() + END_TIMEOUT_MS
    while ((await context.processes.commandLine(pid)) !== undefined) {
      if (context.clock.nowMs() > deadlineMs) {
        throw new RunError(`process ${pid} has not ended after ${END_TIMEOUT_MS / 1000} s`, `kill -9 ${pid}`)
      }
      await sleep(context.clock, POLL_MS)
    }
    await context.say('The laboratory is gone.')
  })
}
