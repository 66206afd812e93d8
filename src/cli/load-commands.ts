/**
 * The commands, each in a file of its own that is loaded when the arguments name it: what a command does not need costs it
 * nothing at its start.
 *
 * Invariant: help, a mistyped command and whatever else is not clear load all of them, so that they show what there is.
 */
import type { Command } from 'commander'
import type { CliContext } from './cli-context.ts'
import { COMMAND_NAMES, isCommandName, type CommandName } from './command-names.ts'

/** Adds one group of commands to the program. */
type RegisterCommand = (program: Command, context: CliContext) => void

/** Name of each group → its file. */
const COMMANDS: Readonly<Record<CommandName, () => Promise<RegisterCommand>>> = {
  start: async () => (await import('./start.ts')).registerStart,
  serve: async () => (await import('./serve.ts')).registerServe,
  status: async () => (await import('./status.ts')).registerStatus,
  tokens: async () => (await import('./tokens.ts')).registerTokens,
  monitor: async () => (await import('./monitor.ts')).registerMonitor,
  query: async () => (await import('./query.ts')).registerQuery,
  exits: async () => (await import('./exits.ts')).registerExits,
  satellite: async () => (await import('./satellite.ts')).registerSatellite,
  domains: async () => (await import('./domains.ts')).registerDomains,
  resolvers: async () => (await import('./resolvers.ts')).registerResolvers,
  authority: async () => (await import('./authority.ts')).registerAuthorityCommand,
  alerts: async () => (await import('./alerts.ts')).registerAlerts,
  bulk: async () => (await import('./bulk.ts')).registerBulk,
  publish: async () => (await import('./publish.ts')).registerPublish,
  store: async () => (await import('./store.ts')).registerStore,
  config: async () => (await import('./config.ts')).registerConfig,
  list: async () => (await import('./list.ts')).registerList,
  explain: async () => (await import('./explain.ts')).registerExplain,
  lab: async () => (await import('./lab.ts')).registerLab,
  'tor-watchdog': async () => (await import('./tor-watchdog.ts')).registerTorWatchdog,
}

/** Options of the program itself, before the name of a command; and whether a value follows. */
const GLOBAL_OPTIONS: ReadonlyMap<string, boolean> = new Map([
  ['-q', false],
  ['--quiet', false],
  ['-v', true],
  ['--verbosity', true],
  ['--config', true],
])

/** Loads the group of commands that the arguments name; all of them when they name none. */
export async function loadCommands(argv: readonly string[]): Promise<readonly RegisterCommand[]> {
  const name = findCommandName(argv)
  return Promise.all((isCommandName(name) ? [name] : COMMAND_NAMES).map((each) => COMMANDS[each]()))
}

/** The first argument that is no option of the program and no value of one. */
function findCommandName(argv: readonly string[]): string | undefined {
  let at = 0
  for (; at < argv.length; at++) {
    const hasValue = GLOBAL_OPTIONS.get(argv[at] ?? '')
    if (hasValue === undefined) break
    if (hasValue) at++
  }
  return argv[at]
}
