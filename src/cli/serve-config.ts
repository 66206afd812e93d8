/**
 * The configuration of a daemon: read at its start and at each SIGHUP. A bad one changes nothing: the one before stays in
 * force, and what is wrong with the new one is shown.
 */
import type { Command } from 'commander'
import type { NftSets } from '../campaigns/domains/format-nft-sets.ts'
import { ALERT_SETTINGS, type AlertSettings } from '../config/alert-settings.ts'
import { DOMAIN_SETTINGS, type DomainSettings } from '../config/domain-settings.ts'
import { GENERAL_SETTING_GROUP, GENERAL_SETTINGS, type GeneralSettings } from '../config/general-settings.ts'
import { collectSettings, type LoadedGroup } from '../config/load-config.ts'
import { PUBLISH_SETTINGS, type PublishSettings } from '../config/publish-settings.ts'
import { RETENTION_SETTINGS, type RetentionSettings } from '../config/retention-settings.ts'
import {
  SCHEDULE_SETTINGS,
  SERVE_SETTING_GROUP,
  SERVE_SETTINGS,
  type ScheduleSettings,
  type ServeSettings,
} from '../config/serve-settings.ts'
import { SATELLITE_SETTINGS, type SatelliteSettings } from '../config/satellite-settings.ts'
import type { SettingGroup } from '../config/setting.ts'
import type { SmartDnsSettings } from '../config/smartdns-settings.ts'
import { formatIsoTime } from '../core/clock.ts'
import { ConfigError, RunError } from '../core/config-error.ts'
import { FileError } from '../core/files.ts'
import type { DaemonStatus } from '../model/daemon-control.ts'
import type { RetentionPolicy } from '../model/retention.ts'
import { setUpChannels } from './alert-service.ts'
import type { CliContext } from './cli-context.ts'
import { checkDomains } from './domain-parts.ts'
import { readSets } from './domains-apply-sets.ts'
import { finishExitRun } from './exit-run-options.ts'
import { findConfigPath, loadSettings } from './load-settings.ts'
import { openStores } from './open-stores.ts'
import { checkSmartDns, readSmartDnsSettings } from './plan-smartdns.ts'
import { readMonitorConfig } from './read-monitor-config.ts'
import type { DomainConfig } from './serve-domains.ts'
import type { MonitorConfig } from './serve-monitor.ts'
import { toRetentionPolicy } from './store-options.ts'

/** The groups whose settings are flags of `candor serve`. */
export const SERVE_GROUPS: readonly SettingGroup[] = [GENERAL_SETTING_GROUP, SERVE_SETTING_GROUP]

/** One reading of the configuration, checked. */
export interface ServeConfig {
  /** All groups, by table. */
  readonly groups: ReadonlyMap<string, LoadedGroup>
  readonly general: GeneralSettings
  readonly serve: ServeSettings
  readonly schedule: ScheduleSettings
  readonly alerts: AlertSettings
  readonly publish: PublishSettings
  readonly satellite: SatelliteSettings
  /** How long the archive keeps what. */
  readonly retention: RetentionPolicy
  readonly smartDns: SmartDnsSettings
  /** Names of the address sets. */
  readonly sets: NftSets
  /** Where reports are written. */
  readonly analysisDir: string
  /** Why no run over exits can be made, one sentence; `null` when one can. */
  readonly exitsNotConfigured: string | null
  /** Which names are watched. */
  readonly monitor: MonitorConfig
  readonly domains: DomainConfig
}

/** The configuration that is in force. */
export interface ServeConfigSource {
  current(): ServeConfig
  /** How it stands, for people. */
  status(): DaemonStatus['configuration']
  /** Reads it again. @returns Whether the new one is in force now. */
  reload(): Promise<boolean>
}

/** Reads the configuration. @throws {ConfigError} When something in it cannot be used. */
export async function openServeConfig(command: Command, context: CliContext): Promise<ServeConfigSource> {
  const { clock, log } = context
  const first = await read(command, context)
  let current = first
  let status: DaemonStatus['configuration'] = {
    loadedAt: formatIsoTime(clock.wallNowMs()),
    refused: null,
    restartNeeded: [],
  }
  return {
    current: () => current,
    status: () => status,
    reload: async () => {
      try {
        current = await read(command, context)
      } catch (error) {
        const refused = explainRefusal(error)
        status = { ...status, refused }
        log.error('daemon.configuration.refused', refused)
        return false
      }
      const restartNeeded = listFixed(first, current)
      status = { loadedAt: formatIsoTime(clock.wallNowMs()), refused: null, restartNeeded }
      log.info('daemon.configuration.loaded', { restart_needed: restartNeeded })
      return true
    },
  }
}

async function read(command: Command, context: CliContext): Promise<ServeConfig> {
  const groups = await loadSettings(command, context, SERVE_GROUPS)
  const of = (table: string): LoadedGroup => groups.get(table) ?? new Map()
  const exitsNotConfigured = explainExits(of('exits'))
  if (exitsNotConfigured === null) await finishExitRun(groups, [], context)
  const alerts = collectSettings<AlertSettings>(ALERT_SETTINGS, of('alerts'))
  const publish = collectSettings<PublishSettings>(PUBLISH_SETTINGS, of('publish'))
  const sets = readSets(of('sets'))
  const domains = { settings: collectSettings<DomainSettings>(DOMAIN_SETTINGS, of('domains')), sets }
  await checkDomains(context, domains.settings)
  // Keys that cannot be read are found out now, and not in the night.
  await setUpChannels(context, alerts)
  await openStores(context, publish)
  const monitor = await readMonitorConfig(context, findConfigPath(command, context), of('monitor'), alerts.channels)
  return {
    groups,
    general: collectSettings<GeneralSettings>(GENERAL_SETTINGS, of('')),
    serve: collectSettings<ServeSettings>(SERVE_SETTINGS, of('serve')),
    schedule: collectSettings<ScheduleSettings>(SCHEDULE_SETTINGS, of('schedule')),
    alerts,
    publish,
    satellite: collectSettings<SatelliteSettings>(SATELLITE_SETTINGS, of('satellite')),
    retention: toRetentionPolicy(collectSettings<RetentionSettings>(RETENTION_SETTINGS, of('retention'))),
    smartDns: readSmartDns(of('smartdns'), sets),
    sets,
    analysisDir: String(of('exits').get('analysis-dir')?.value),
    exitsNotConfigured,
    monitor,
    domains,
  }
}

/** What SmartDNS would misunderstand is found out before anything changes. */
function readSmartDns(group: LoadedGroup, sets: NftSets): SmartDnsSettings {
  const settings = readSmartDnsSettings(group)
  if (settings.enabled) checkSmartDns(settings, sets)
  return settings
}

/** @throws What is neither a mistake in the configuration nor trouble with what it names: a bug. */
function explainRefusal(error: unknown): { readonly place: string; readonly message: string; readonly hint: string } {
  if (error instanceof ConfigError) return { place: error.path, message: error.message, hint: error.hint }
  if (error instanceof RunError) return { place: 'the configuration', message: error.message, hint: error.hint }
  if (error instanceof FileError) return { place: error.path, message: error.code, hint: 'a file that can be read' }
  throw error
}

/** A daemon may serve pages alone; whoever named a zone or a mode wants runs, and is told what is wrong with it. */
function explainExits(exits: LoadedGroup): string | null {
  if (exits.get('domain')?.value !== null || exits.get('mode')?.origin !== 'default') return null
  return 'Exits are not measured: [exits] names neither a zone (domain, expect) nor another mode.'
}

/** Settings that are looked at once, at the start. */
function listFixed(first: ServeConfig, now: ServeConfig): readonly string[] {
  const pairs: readonly (readonly [string, unknown, unknown])[] = [
    ['data_dir', first.general.dataDir, now.general.dataDir],
    ['serve.listen', first.serve.listen, now.serve.listen],
    ['serve.port', first.serve.port, now.serve.port],
    ['serve.event_streams', first.serve.eventStreams, now.serve.eventStreams],
    ['exits.analysis_dir', first.analysisDir, now.analysisDir],
  ]
  return pairs.filter(([, was, is]) => was !== is).map(([key]) => key)
}
