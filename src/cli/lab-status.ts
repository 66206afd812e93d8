/** `candor lab status`: what stands in a laboratory. */
import type { Command } from 'commander'
import type { LaboratoryDescription } from '../lab/laboratory-description.ts'
import type { CliContext } from './cli-context.ts'
import { formatRecords } from './format-records.ts'
import { findLaboratory, laboratoryDirectoryOption } from './lab-directory.ts'

/** Adds `candor lab status`. */
export function registerLabStatus(lab: Command, context: CliContext): void {
  const status = lab
    .command('status')
    .description('which worlds a laboratory has')
    .addOption(laboratoryDirectoryOption())
  status.action(async () => {
    const { directory } = status.opts<{ directory: string }>()
    const laboratory = await findLaboratory(context, directory)
    await context.say(
      `Process ${laboratory.pid} holds it; seed ${laboratory.seed}, ${laboratory.routes.length} routes.`,
    )
    await context.stdout.write(formatRecords(listWorlds(laboratory), context.stdout.isTerminal))
  })
}

/** One record for each world: its name, what it is, and the command that shows it. */
function listWorlds({ tor, worlds }: LaboratoryDescription): readonly Readonly<Record<string, string>>[] {
  const text = (value: unknown): string => (typeof value === 'string' ? value : '')
  return [
    ...(tor === null
      ? []
      : [{ world: 'tor', summary: `${Object.keys(tor.truth).length} exits with known faults`, command: 'exits run' }]),
    ...Object.entries(worlds).map(([world, { summary, command }]) => ({
      world,
      summary: text(summary),
      command: text(command),
    })),
  ]
}
