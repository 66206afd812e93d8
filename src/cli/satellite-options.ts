/** Options that the commands of `candor satellite` share. */
import { Option, type Command } from 'commander'
import type { OutputFormat } from '../campaigns/satellite/convert-row.ts'
import type { CliContext } from './cli-context.ts'

/** Adds `--records`: how the summary is written on stdout. */
export function addRecordsOption(command: Command): void {
  command.addOption(
    new Option('--records <form>', 'the summary on stdout (default: table on a terminal, else jsonl)').choices([
      'table',
      'jsonl',
    ]),
  )
}

/** What was asked for, or what fits stdout. */
export function chooseRecords(context: CliContext, given: 'table' | 'jsonl' | undefined): 'table' | 'jsonl' {
  return given ?? (context.stdout.isTerminal ? 'table' : 'jsonl')
}

/** Adds `--format`, the flavour that is written. */
export function addFlavourOption(command: Command, extra: readonly OutputFormat[], initial: OutputFormat): void {
  command.addOption(
    new Option('--format <flavour>', 'the flavour that is written')
      .choices(['v1', 'v2.0', 'v2.1', 'v2.2', ...extra])
      .default(initial),
  )
}
