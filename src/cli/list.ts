/** `candor list detectors`: everything that judges, and the question that it answers. */
import { Option, type Command } from 'commander'
import type { CliContext } from './cli-context.ts'
import { listDetectors } from './detector-pages.ts'
import { formatRecords } from './format-records.ts'

/** Adds `candor list`. */
export function registerList(program: Command, context: CliContext): void {
  const list = program.command('list').description('what there is')
  list
    .command('detectors')
    .description('every detector and rule, and the question that it answers')
    .addOption(new Option('--format <form>', 'default: table on a terminal, else jsonl').choices(['table', 'jsonl']))
    .addHelpText('after', '\nExample:\n  candor list detectors\n\ncandor explain ID shows one of them in full.')
    .action(async ({ format }: { readonly format?: 'table' | 'jsonl' }) => {
      const isTable = (format ?? (context.stdout.isTerminal ? 'table' : 'jsonl')) === 'table'
      const records = (await listDetectors(context)).map((detector) => ({ ...detector }))
      await context.stdout.write(formatRecords(records, isTable))
    })
}
