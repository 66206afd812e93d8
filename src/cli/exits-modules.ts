/** The modules of the exits campaign: those that are built in, and those that a user wrote. */
import { pathToFileURL } from 'node:url'
import { resolve } from 'node:path'
import type { Command } from 'commander'
import type { ExitModule } from '../campaigns/exits/exit-module.ts'
import { createDnspoison } from '../campaigns/exits/modules/dnspoison.ts'
import { createDnsresolution } from '../campaigns/exits/modules/dnsresolution.ts'
import { createDnssec } from '../campaigns/exits/modules/dnssec.ts'
import { ConfigError } from '../core/config-error.ts'
import type { CliContext } from './cli-context.ts'

const BUILT_IN: Readonly<Record<string, () => ExitModule>> = {
  dnsresolution: createDnsresolution,
  dnspoison: createDnspoison,
  dnssec: createDnssec,
}

/** `dnshealth` is the campaign itself, with confirmation and verdicts; it takes no part in the module interface. */
const DNSHEALTH = 'unique names under a zone of yours through every exit, with verdicts (the default)'

/** Adds `candor exits modules`. */
export function registerExitsModules(exits: Command, context: CliContext): void {
  exits
    .command('modules')
    .description('list the modules that `candor exits run` knows')
    .action(async () => {
      const modules = Object.values(BUILT_IN).map((create) => create())
      const lines = modules.map(({ name, description }) => `${name.padEnd(15)} ${description ?? ''}`)
      await context.stdout.write(`${['dnshealth'.padEnd(15) + ` ${DNSHEALTH}`, ...lines].join('\n')}\n`)
    })
}

/**
 * Makes the modules of a run.
 *
 * @param names - Built-in ones by name; `dnshealth` is passed over.
 * @param paths - Files of the user's own.
 * @throws {ConfigError} When there is no such module, or a file is none.
 */
export async function loadModules(names: readonly string[], paths: readonly string[]): Promise<readonly ExitModule[]> {
  const modules: ExitModule[] = []
  for (const name of names) {
    if (name === 'dnshealth') continue
    const create = Object.hasOwn(BUILT_IN, name) ? BUILT_IN[name] : undefined
    if (create === undefined) {
      throw new ConfigError(
        name,
        `there is no module ${JSON.stringify(name)}`,
        `one of dnshealth, ${Object.keys(BUILT_IN).join(', ')}; a file of your own: --module FILE`,
      )
    }
    modules.push(create())
  }
  for (const path of paths) modules.push(await loadModuleFile(path))
  const twice = modules.find((module, index) => modules.findIndex(({ name }) => name === module.name) !== index)
  if (twice === undefined) return modules
  throw new ConfigError('--module', `two modules are called ${twice.name}`, 'give the module in your file another name')
}

async function loadModuleFile(path: string): Promise<ExitModule> {
  const refuse = (message: string, cause?: unknown): ConfigError =>
    new ConfigError(
      `--module ${path}`,
      message,
      "export const module = { name: 'mine', async *probe(exit, { dialer }) { yield await dialer.resolve('example.net') } }",
      { cause },
    )
  let loaded: { readonly module?: unknown }
  try {
    loaded = (await import(pathToFileURL(resolve(path)).href)) as { readonly module?: unknown }
  } catch (error) {
    throw refuse(`the file cannot be loaded: ${error instanceof Error ? error.message : String(error)}`, error)
  }
  const { module } = loaded
  if (!isModule(module)) throw refuse('the file exports no `module` with a name and a probe')
  if (
    !/^[a-z][a-z\d-]{0,40}$/.test(module.name) ||
    Object.hasOwn(BUILT_IN, module.name) ||
    module.name === 'dnshealth'
  ) {
    throw refuse(`the name ${JSON.stringify(module.name)} is taken or has other characters than a-z, 0-9 and -`)
  }
  return module
}

function isModule(value: unknown): value is ExitModule {
  return (
    typeof value === 'object' &&
    value !== null &&
    'name' in value &&
    typeof value.name === 'string' &&
    'probe' in value &&
    typeof value.probe === 'function'
  )
}
