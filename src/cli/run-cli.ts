/**
 * The command line as a function: arguments and capabilities in, exit status out.
 *
 * Each group of commands has a file with one `registerX(program, context)`, which `load-commands.ts` knows; this file knows
 * nothing about what they do.
 */
import { Command, CommanderError, Option } from 'commander'
import { BugError } from '../core/assert.ts'
import type { LogLevel } from '../core/log.ts'
import { createCliContext, type CliCapabilities, type CliContext } from './cli-context.ts'
import { OutputClosedError } from './cli-output.ts'
import { STATUS_DONE, STATUS_INTERRUPTED, STATUS_USAGE, type CliStatus } from './exit-status.ts'
import { loadCommands } from './load-commands.ts'
import { formatErrorParts, printError, type ErrorParts } from './print-error.ts'

/** Spellings of `--verbosity`; exitmap's `warning` and `critical` are understood too. */
const VERBOSITIES: Readonly<Record<string, LogLevel>> = {
  debug: 'debug',
  info: 'info',
  warn: 'warn',
  warning: 'warn',
  error: 'error',
  critical: 'error',
}

/**
 * Runs one command.
 *
 * @param argv - The arguments, without the program itself.
 * @returns The exit status. Never rejects: an unknown error is printed as a bug (70).
 */
export async function runCli(argv: readonly string[], capabilities: CliCapabilities): Promise<CliStatus> {
  const context = createCliContext(capabilities, runCli)
  const texts: string[] = []
  const program = await createProgram(argv, context, (text) => texts.push(text))
  try {
    await program.parseAsync(argv, { from: 'user' })
    return context.status()
  } catch (error) {
    try {
      if (error instanceof CommanderError) return await finishCommander(error, program, argv, texts, context)
      if (error instanceof OutputClosedError) return context.status()
      if (isAbort(error) && capabilities.interrupted.aborted) return STATUS_INTERRUPTED
      return await printError(error, context)
    } catch (closed) {
      if (closed instanceof OutputClosedError) return STATUS_DONE
      throw closed
    }
  }
}

/**
 * Builds the command tree: all of it, or the group of commands that the arguments name.
 *
 * @param onText - Receives what commander itself would print on stdout: help and version.
 */
export async function createProgram(
  argv: readonly string[],
  context: CliContext,
  onText: (text: string) => void,
): Promise<Command> {
  const program = new Command('candor')
    .description(
      'Asks the same DNS questions from many places, decides whether the answers are right, remembers, and tells people.',
    )
    .version(context.version, '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print this help')
    .option('-q, --quiet', 'print records and errors only')
    .addOption(
      new Option('-v, --verbosity <level>', 'how much the log says').choices(Object.keys(VERBOSITIES)).default('warn'),
    )
    .option('--config <file>', 'settings, in TOML (CANDOR_CONFIG)')
    .exitOverride()
    .configureOutput({
      writeOut: onText,
      writeErr: onText,
      outputError: () => {},
      getOutHelpWidth: () => context.stdout.columns,
      getErrHelpWidth: () => context.stdout.columns,
      getOutHasColors: () => context.usesColor(context.stdout),
      getErrHasColors: () => context.usesColor(context.stderr),
    })
    .hook('preAction', (_program, command) => {
      const options: { verbosity?: string; quiet?: boolean } = command.optsWithGlobals()
      context.setVerbosity(VERBOSITIES[options.verbosity ?? ''] ?? 'warn', options.quiet === true)
    })
  for (const register of await loadCommands(argv)) register(program, context)
  return program
}

/** Help and version are what was asked for; everything else that commander throws is a mistake in the command. */
async function finishCommander(
  error: CommanderError,
  program: Command,
  argv: readonly string[],
  texts: readonly string[],
  context: CliContext,
): Promise<CliStatus> {
  if (error.exitCode === 0) {
    await context.stdout.write(texts.join(''))
    return STATUS_DONE
  }
  const command = findCommand(program, argv)
  const path = commandPath(command)
  if (error.code === 'commander.help') {
    await context.stderr.write(texts.join(''))
    return STATUS_USAGE
  }
  const [first = '', ...rest] = error.message.replace(/^error: /, '').split('\n')
  const suggestion = /\(Did you mean (?:one of )?(.+?)\?\)/.exec(rest.join('\n'))?.[1]
  const parts: ErrorParts = {
    what: first,
    why: USAGE_REASONS[error.code] ?? '',
    fix: suggestion === undefined ? `\`${path} --help\` shows what there is` : `${path} ${suggestion}`,
    status: STATUS_USAGE,
  }
  await context.stderr.write(formatErrorParts(parts, context.usesColor(context.stderr)))
  return STATUS_USAGE
}

/** Why commander refuses, by its codes; an invalid argument explains itself in its first line. */
const USAGE_REASONS: Readonly<Record<string, string>> = {
  'commander.unknownOption': 'this command has no option of that name',
  'commander.unknownCommand': 'there is no command of that name',
  'commander.excessArguments': 'this command takes fewer arguments',
  'commander.missingArgument': 'this command cannot do without it',
  'commander.missingMandatoryOptionValue': 'this command cannot do without it',
  'commander.optionMissingArgument': 'the option needs a value',
  'commander.conflictingOption': 'the two contradict each other',
}

/** The command that the arguments name, as far as they can be followed. */
function findCommand(program: Command, argv: readonly string[]): Command {
  let command = program
  for (const argument of argv) {
    const next = command.commands.find((candidate) => candidate.name() === argument)
    if (next === undefined && !argument.startsWith('-')) break
    command = next ?? command
  }
  return command
}

function commandPath(command: Command): string {
  const names: string[] = []
  for (let at: Command | null = command; at !== null; at = at.parent) names.unshift(at.name())
  return names.join(' ')
}

function isAbort(error: unknown): boolean {
  return error instanceof Error && error.name === 'AbortError' && !(error instanceof BugError)
}
