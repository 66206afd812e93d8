/** The settings that several commands share: keys at the top of the configuration file. */
import { optionalText, type Setting, type SettingGroup } from './setting.ts'

/** The values. */
export interface GeneralSettings {
  readonly dataDir: string | null
  readonly asnTable: string | null
  readonly countryTable: string | null
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
  asnTable: {
    name: 'asn-table',
    placeholder: 'file',
    schema: optionalText,
    default: null,
    defaultText: 'the table that is installed with Candor',
    description: 'AS of addresses, an MMDB file',
    example: 'GeoLite2-ASN.mmdb',
  },
  countryTable: {
    name: 'country-table',
    placeholder: 'file',
    schema: optionalText,
    default: null,
    defaultText: 'the table that is installed with Candor',
    description: 'country of addresses, an MMDB file',
    example: 'GeoLite2-Country.mmdb',
  },
}

/** The keys at the top of the configuration file. */
export const GENERAL_SETTING_GROUP: SettingGroup = {
  table: '',
  title: 'Shared settings',
  settings: Object.values(GENERAL_SETTINGS),
}
