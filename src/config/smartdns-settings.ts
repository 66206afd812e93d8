/** The settings of SmartDNS as a child of the daemon: the table `[smartdns]`. */
import { z } from 'zod'
import { canonicalIp } from '../core/ip-address.ts'
import type { Limit } from '../core/limit.ts'
import { countSetting, flag, integer, text, textList, type Setting, type SettingGroup } from './setting.ts'

const PORT: Limit = { default: 5_300, min: 1, max: 65_535, unit: 'port', why: '53 is often taken, and needs a right' }
const CACHE: Limit = {
  default: 16_384,
  min: 0,
  max: 1_000_000,
  unit: 'answers',
  why: 'some 10 MB; what a household or an office asks in an hour',
}
const AUDIT_SIZE: Limit = {
  default: 8_388_608,
  min: 1_024,
  max: 67_108_864,
  unit: 'octets',
  why: 'some 80,000 answers, and one packed file fits into memory',
}
const AUDIT_FILES: Limit = {
  default: 8,
  min: 1,
  max: 1_024,
  unit: 'files',
  why: 'what was answered while no daemon ran is still found',
}

/** The values of `[smartdns]`. */
export interface SmartDnsSettings {
  readonly enabled: boolean
  readonly program: string
  readonly listen: string
  readonly port: number
  readonly upstreams: readonly string[]
  readonly wildcards: readonly string[]
  readonly sets: boolean
  readonly cacheSize: number
  readonly auditSize: number
  readonly auditFiles: number
}

/** Every setting of `[smartdns]`. */
export const SMARTDNS_SETTINGS: { readonly [K in keyof SmartDnsSettings]: Setting<SmartDnsSettings[K]> } = {
  enabled: {
    name: 'enabled',
    schema: flag,
    default: false,
    description: 'whether the daemon runs SmartDNS for names with wildcards',
    example: 'true',
  },
  program: {
    name: 'program',
    placeholder: 'path',
    schema: text,
    default: 'smartdns',
    description: 'the program: a path, or a name that is looked for in the PATH',
    example: '/usr/sbin/smartdns',
  },
  listen: {
    name: 'listen',
    placeholder: 'address',
    schema: z.string('must be text').refine((value) => canonicalIp(value) !== undefined, 'must be an IP address'),
    default: '127.0.0.1',
    description: 'the address that clients ask SmartDNS on',
    example: '127.0.0.1',
  },
  port: {
    name: 'port',
    placeholder: 'number',
    schema: integer(PORT),
    default: PORT.default,
    limit: PORT,
    description: 'its port, over UDP and TCP',
    example: '53',
  },
  upstreams: {
    name: 'upstreams',
    placeholder: 'resolver',
    isList: true,
    schema: textList,
    default: [],
    description: 'resolvers that SmartDNS asks, as `candor query` takes them; there must be one at least',
    example: '["9.9.9.9", "tls://dns.quad9.net"]',
  },
  wildcards: {
    name: 'wildcards',
    placeholder: 'name',
    isList: true,
    schema: textList,
    default: [],
    description: 'names that stand for themselves and everything below, beside those of the lists',
    example: '["zone.example"]',
  },
  sets: {
    name: 'sets',
    schema: flag,
    default: true,
    description: 'whether SmartDNS adds addresses of wildcard names to the run-time sets before it answers',
    example: 'false',
  },
  cacheSize: countSetting('cache-size', CACHE, 'answers that it keeps in memory'),
  auditSize: countSetting('audit-size', AUDIT_SIZE, 'size at which its audit file is packed and a new one begun'),
  auditFiles: countSetting('audit-files', AUDIT_FILES, 'packed audit files that are kept'),
}

/** The table `[smartdns]`. */
export const SMARTDNS_SETTING_GROUP: SettingGroup = {
  table: 'smartdns',
  title: 'SmartDNS, as a child of `candor serve`',
  settings: Object.values(SMARTDNS_SETTINGS),
}
