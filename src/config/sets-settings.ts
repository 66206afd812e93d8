/** The names of the address sets in nftables: the table `[sets]`. */
import { z } from 'zod'
import type { Setting, SettingGroup } from './setting.ts'

/** The values of `[sets]`. */
export interface SetsSettings {
  readonly table: string
  readonly v4: string
  readonly v6: string
  readonly rtV4: string
  readonly rtV6: string
}

/** Every setting of `[sets]`. */
export const SETS_SETTINGS: { readonly [K in keyof SetsSettings]: Setting<SetsSettings[K]> } = {
  table: {
    name: 'table',
    placeholder: 'table',
    schema: z.string('must be text').regex(/^(?:inet|ip|ip6) [A-Za-z]\w{0,30}$/, 'must be like inet candor'),
    default: 'inet candor',
    description: 'family and name of the table of nftables that the address sets are in',
    example: 'inet candor',
  },
  v4: nameSetting('v4', 'names_v4', 'the durable set of IPv4 addresses'),
  v6: nameSetting('v6', 'names_v6', 'the durable set of IPv6 addresses'),
  rtV4: nameSetting('rt-v4', 'names_rt_v4', 'the run-time set of IPv4 addresses, whose elements have time-outs'),
  rtV6: nameSetting('rt-v6', 'names_rt_v6', 'the run-time set of IPv6 addresses'),
}

/** The table `[sets]`. */
export const SETS_SETTING_GROUP: SettingGroup = {
  table: 'sets',
  title: 'Address sets of `candor domains`',
  settings: Object.values(SETS_SETTINGS),
}

function nameSetting(name: string, value: string, description: string): Setting<string> {
  return {
    name,
    placeholder: 'name',
    schema: z.string('must be text').regex(/^[A-Za-z]\w{0,30}$/, 'must be letters, digits and _'),
    default: value,
    description,
    example: value,
  }
}
