/**
 * Which names the commands of the monitor are about: from `--config FILE`, else `dns-monitor.toml` in the working
 * directory, else the list in `DNS_MONITOR_CONFIG`.
 */
import { parseMonitorFile, parseMonitorJson } from '../config/monitor-file.ts'
import { ConfigError } from '../core/config-error.ts'
import { findNearestName } from '../core/nearest-name.ts'
import type { MonitoredName, MonitorPlan } from '../model/monitor-name.ts'
import type { CliContext } from './cli-context.ts'
import { readNamedFile } from './load-settings.ts'

const FILE_DEFAULT = 'dns-monitor.toml'
const VARIABLE = 'DNS_MONITOR_CONFIG'

/** Reads the plan. @throws {ConfigError} With file, line and the right form. */
export async function readMonitorPlan(context: CliContext, path: string | undefined): Promise<MonitorPlan> {
  if (path !== undefined) return parseMonitorFile(path, await readNamedFile(context.files, '--config', path))
  if ((await context.files.info(FILE_DEFAULT)) !== undefined)
    return parseMonitorFile(FILE_DEFAULT, await readNamedFile(context.files, '--config', FILE_DEFAULT))
  const json = context.environment[VARIABLE]
  if (json !== undefined && json.trim() !== '') return parseMonitorJson(VARIABLE, json)
  throw new ConfigError(
    '--config',
    `nothing says which names to watch: there is no ${FILE_DEFAULT} here, and ${VARIABLE} is not set`,
    'candor monitor check --config dns-monitor.toml',
  )
}

/** The names that a word means: what alerts show, or a domain; all without one. @throws {ConfigError} For none. */
export function selectNames(plan: MonitorPlan, word: string | undefined): readonly MonitoredName[] {
  if (word === undefined) return plan.names
  const wanted = word.toLowerCase().replace(/\.$/, '')
  const found = plan.names.filter(({ name, domain }) => domain === wanted || name.toLowerCase() === wanted)
  if (found.length > 0) return found
  const near = findNearestName(word, [...new Set(plan.names.flatMap(({ name, domain }) => [name, domain]))])
  throw new ConfigError(
    word,
    'nothing of this name is watched',
    near ??
      `one of: ${plan.names
        .slice(0, 5)
        .map(({ domain }) => domain)
        .join(', ')}`,
  )
}
