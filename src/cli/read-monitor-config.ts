/** Which names the daemon watches: a file that `[monitor]` includes, or the tables beside it. */
import { dirname, isAbsolute, join } from 'node:path'
import type { LoadedGroup } from '../config/load-config.ts'
import { collectSettings } from '../config/load-config.ts'
import { parseMonitorFile, parseMonitorTables } from '../config/monitor-file.ts'
import { MONITOR_SETTINGS, type MonitorSettings } from '../config/monitor-settings.ts'
import { ConfigError } from '../core/config-error.ts'
import type { ChannelSettings } from '../model/channel-settings.ts'
import type { MonitorPlan } from '../model/monitor-name.ts'
import type { CliContext } from './cli-context.ts'
import { readNamedFile } from './load-settings.ts'
import type { MonitorConfig } from './serve-monitor.ts'

/**
 * Reads it.
 *
 * @param configPath - The configuration file; `null` without one.
 * @throws {ConfigError} With file, line and the right form.
 */
export async function readMonitorConfig(
  context: CliContext,
  configPath: string | null,
  group: LoadedGroup,
  channels: readonly Pick<ChannelSettings, 'name'>[],
): Promise<MonitorConfig> {
  const settings = collectSettings<MonitorSettings>(MONITOR_SETTINGS, group)
  const names = channels.map(({ name }) => name)
  const plan = await readPlan(context, configPath, settings, names)
  if (plan === null) return { plan, settings }
  return { plan: { ...plan, sinkholes: [...new Set([...plan.sinkholes, ...settings.sinkholes])] }, settings }
}

async function readPlan(
  context: CliContext,
  configPath: string | null,
  { include, domains, resolvers }: MonitorSettings,
  channels: readonly string[],
): Promise<MonitorPlan | null> {
  const hasTables = domains.length + resolvers.length > 0
  if (include !== null && hasTables)
    throw new ConfigError(
      'monitor.include',
      'the names stand in a file and in [[monitor.domains]] or [[monitor.resolvers]] at once',
      'one of both',
    )
  if (include !== null) {
    const path = isAbsolute(include) || configPath === null ? include : join(dirname(configPath), include)
    return parseMonitorFile(path, await readNamedFile(context.files, 'monitor.include', path), channels)
  }
  if (!hasTables || configPath === null) return null
  const text = await readNamedFile(context.files, '--config', configPath)
  return parseMonitorTables(configPath, text, channels) ?? null
}
