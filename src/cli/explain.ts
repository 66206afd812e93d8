/** `candor explain`: how one detector, rule or code decides. */
import type { Command } from 'commander'
import { ConfigError } from '../core/config-error.ts'
import { findNearestName } from '../core/nearest-name.ts'
import type { CliContext } from './cli-context.ts'
import { explainDetector, listDetectors } from './detector-pages.ts'

/** Adds `candor explain`. */
export function registerExplain(program: Command, context: CliContext): void {
  program
    .command('explain')
    .description('how a detector, a rule or a code decides, and what it may get wrong')
    .argument('<id>', 'as candor list detectors has it, or a code of exits such as PERMANENT')
    .addHelpText('after', '\nExample:\n  candor explain injected-response')
    .action(async (id: string) => {
      const text = await explainDetector(context, id)
      if (text === undefined) {
        const known = (await listDetectors(context)).map((detector) => detector.id)
        const nearest = findNearestName(id, known)
        throw new ConfigError(
          id,
          'no detector, rule or code has this name',
          nearest === undefined ? 'candor list detectors' : `candor explain ${nearest}`,
        )
      }
      await context.stdout.write(text.endsWith('\n') ? text : `${text}\n`)
    })
}
