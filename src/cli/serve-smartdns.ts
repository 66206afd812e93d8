/** SmartDNS in the daemon: a child from the settings `[smartdns]`. */
import type { SmartDnsSettings } from '../config/smartdns-settings.ts'
import { joinPath } from '../core/files.ts'
import type { Sidecar } from '../model/sidecar.ts'
import { createSmartDns, type SmartDns } from '../sidecars/smartdns.ts'
import type { SmartDnsPlan } from '../sidecars/smartdns-plan.ts'
import type { CliContext } from './cli-context.ts'
import { planSmartDns, planWildcards } from './plan-smartdns.ts'
import type { ServeConfigSource } from './serve-config.ts'
import type { ServedDomains } from './serve-domains.ts'
import { createServedRuntimeSets } from './serve-runtime-sets.ts'

/** SmartDNS while a daemon runs. */
export interface ServedSmartDns extends AsyncDisposable {
  /** For API and pages; empty where it is not enabled. */
  readonly sidecars: readonly Sidecar[]
  begin(): Promise<void>
  /** Follows the settings that are in force now. @throws {ConfigError} What cannot be; the old configuration stays. */
  follow(): Promise<void>
  /** What is wrong, one sentence each. */
  problems(): readonly string[]
  stop(): Promise<void>
}

/**
 * Takes control of SmartDNS where the settings enable it; whether they do is looked at once, at the start.
 *
 * @throws {ConfigError} When the settings cannot be used.
 */
export async function openServedSmartDns(
  context: CliContext,
  dataDir: string,
  config: ServeConfigSource,
  domains: Pick<ServedDomains, 'wildcards' | 'observe'>,
): Promise<ServedSmartDns> {
  const settings = (): SmartDnsSettings => config.current().smartDns
  const plan = (): SmartDnsPlan => planSmartDns(settings(), config.current().sets, domains.wildcards())
  const child = settings().enabled ? await createChild(context, dataDir, config, domains) : undefined
  const stop = async (): Promise<void> => {
    await child?.[Symbol.asyncDispose]()
  }
  return {
    sidecars: child === undefined ? [] : [child],
    begin: async () => {
      await child?.configure(plan())
      await child?.start()
    },
    follow: async () => {
      if (child !== undefined && settings().enabled) await child.configure(plan())
    },
    problems: () => {
      const problem = child?.status().problem ?? null
      return problem === null ? [] : [`SmartDNS: ${problem}`]
    },
    stop,
    [Symbol.asyncDispose]: stop,
  }
}

async function createChild(
  context: CliContext,
  dataDir: string,
  config: ServeConfigSource,
  domains: Pick<ServedDomains, 'wildcards' | 'observe'>,
): Promise<SmartDns> {
  const { clock, files, processes, net, log } = context
  const runtimeSets = createServedRuntimeSets(
    context,
    dataDir,
    () => config.current().sets,
    () => new Set(planWildcards(config.current().smartDns, domains.wildcards())),
  )
  return createSmartDns({
    clock,
    files,
    processes,
    net,
    log,
    random: context.createRandom(context.newSeed()),
    directory: joinPath(await resolveDirectory(context, dataDir), 'smartdns'),
    program: config.current().smartDns.program,
    onObservations: async (observations) => {
      await domains.observe(observations)
      await runtimeSets.observe(observations)
    },
  })
}

/** SmartDNS wants whole paths. */
async function resolveDirectory({ files }: CliContext, dataDir: string): Promise<string> {
  await files.makeDirectory(dataDir, 0o700)
  return files.resolve(dataDir)
}
