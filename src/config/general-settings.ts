/** The settings that several commands share: keys at the top of the configuration file. */
import { optionalText, type Setting, type SettingGroup } from './setting.ts'

/** The values. */
export interface GeneralSettings {
  readonly dataDir: string | null
}

/** Every shared setting. */
export const GENERAL_SETTINGS: { readonly [K in keyof GeneralSettings]: Setting<GeneralSettings[K]> } = {
  dataDir: {
    name: 'data-dir',
    placeholder: 'directory',
    schema: optionalText,
    default: null,
    description: 'where state that outlives a run is kept: history and locks',
    example: '/var/lib/candor',
  },
}

/** The keys at the top of the configuration file. */
export const GENERAL_SETTING_GROUP: SettingGroup = { table: '', settings: Object.values(GENERAL_SETTINGS) }
