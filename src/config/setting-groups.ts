/** Every table that a configuration file may hold: what is not in here is refused as unknown. */
import { ALERT_SETTING_GROUP } from './alert-settings.ts'
import { DOMAIN_SETTING_GROUP } from './domain-settings.ts'
import { EXIT_SETTING_GROUP } from './exit-settings.ts'
import { GENERAL_SETTING_GROUP } from './general-settings.ts'
import { MONITOR_SETTING_GROUP } from './monitor-settings.ts'
import { PUBLISH_SETTING_GROUP } from './publish-settings.ts'
import { SCHEDULE_SETTING_GROUP, SERVE_SETTING_GROUP } from './serve-settings.ts'
import { RETENTION_SETTING_GROUP } from './retention-settings.ts'
import { SATELLITE_SETTING_GROUP } from './satellite-settings.ts'
import type { SettingGroup } from './setting.ts'
import { SETS_SETTING_GROUP } from './sets-settings.ts'
import { SMARTDNS_SETTING_GROUP } from './smartdns-settings.ts'

/** All groups; the order is that of the manual and of `config check`. */
export const SETTING_GROUPS: readonly SettingGroup[] = [
  GENERAL_SETTING_GROUP,
  EXIT_SETTING_GROUP,
  PUBLISH_SETTING_GROUP,
  RETENTION_SETTING_GROUP,
  SERVE_SETTING_GROUP,
  SCHEDULE_SETTING_GROUP,
  SATELLITE_SETTING_GROUP,
  DOMAIN_SETTING_GROUP,
  SETS_SETTING_GROUP,
  SMARTDNS_SETTING_GROUP,
  ALERT_SETTING_GROUP,
  MONITOR_SETTING_GROUP,
]
