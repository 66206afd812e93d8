/** The words after `candor` that name a group of commands, in the order in which help shows them. */

/** Every group of commands; each has its file in `load-commands.ts`. */
export const COMMAND_NAMES = [
  'start',
  'serve',
  'status',
  'tokens',
  'query',
  'monitor',
  'exits',
  'satellite',
  'domains',
  'resolvers',
  'authority',
  'alerts',
  'bulk',
  'publish',
  'store',
  'config',
  'list',
  'explain',
  'lab',
  'tor-watchdog',
] as const

/** One of them. */
export type CommandName = (typeof COMMAND_NAMES)[number]

/** Tells our own commands from other programs. */
export function isCommandName(word: string | undefined): word is CommandName {
  return COMMAND_NAMES.some((name) => name === word)
}
