/** What a run over exits takes from the machine where the settings leave it open: tables of addresses, a resolver. */
import type { GeneralSettings } from '../config/general-settings.ts'
import { createIpTables } from '../enrich/ip-tables.node.ts'
import type { ExitRunOptions } from '../model/exit-options.ts'
import type { CliContext } from './cli-context.ts'
import { readSystemResolvers } from './system-resolver.ts'

/** The user's own tables of AS and country take the place of those that the address plan has. */
export function withTables(context: CliContext, { asnTable, countryTable }: GeneralSettings): CliContext {
  if (asnTable === null && countryTable === null) return context
  const tables = createIpTables({
    ...(asnTable === null ? {} : { asnMmdb: asnTable }),
    ...(countryTable === null ? {} : { countryMmdb: countryTable }),
  })
  return { ...context, addressPlan: { ...context.addressPlan, ...tables } }
}

/** Without a server of the zone's own, the system's resolver asks it directly. */
export async function withDirectResolver(context: CliContext, options: ExitRunOptions): Promise<ExitRunOptions> {
  if (options.directResolver !== null) return options
  const [resolver] = await readSystemResolvers(context)
  return { ...options, directResolver: resolver ?? null }
}
