/** The settings of the domains campaign: the table `[domains]`, and one `[[domains.lists]]` for each list of names. */
import * as limits from './domain-limits.ts'
import {
  countSetting,
  duration,
  flag,
  tableList,
  textList,
  textSetting,
  type Setting,
  type SettingGroup,
} from './setting.ts'

/** One `[[domains.lists]]`; `null` where nothing was given. */
export interface DomainListSettings {
  readonly file: string | null
  readonly label: string | null
  readonly wildcard: boolean
}

const LIST_SETTINGS: { readonly [K in keyof DomainListSettings]: Setting<DomainListSettings[K]> } = {
  file: textSetting('file', 'the list: one name a line', '/etc/candor/streaming.txt'),
  label: textSetting('label', 'what the names of the list are marked with', 'streaming', 'the name of the file'),
  wildcard: {
    name: 'wildcard',
    schema: flag,
    default: false,
    description: 'whether each name stands for everything below it',
    example: 'true',
  },
}

/** The values of all settings of the campaign. Durations are in milliseconds. */
export interface DomainSettings {
  readonly list: readonly string[]
  readonly wildcardList: readonly string[]
  readonly lists: readonly DomainListSettings[]
  readonly fanOut: string | null
  readonly fanOutCap: number
  readonly resolvers: readonly string[]
  readonly resolverCa: string | null
  readonly queriesPerSecond: number
  readonly concurrency: number
  readonly canaries: readonly string[]
  readonly canaryZone: string | null
  readonly canaryBlocked: string | null
  readonly sinkholes: readonly string[]
  readonly nxHardQuarantine: boolean
  readonly wildcardFallback: boolean
  readonly output: string | null
  readonly writeEvery: number
}

/** Every setting of the campaign. */
export const DOMAIN_SETTINGS: { readonly [K in keyof DomainSettings]: Setting<DomainSettings[K]> } = {
  list: words('list', 'file', 'a list of names, as FILE or LABEL=FILE', 'domains.txt'),
  wildcardList: words(
    'wildcard-list',
    'file',
    'a list of names that stand for everything below them, as FILE or LABEL=FILE',
    'wildcards.txt',
  ),
  lists: {
    name: 'lists',
    schema: tableList<DomainListSettings>(LIST_SETTINGS, limits.LISTS_MAX),
    default: [],
    tables: Object.values(LIST_SETTINGS),
    description: 'lists of names, beside those of `list`',
    example: '[[domains.lists]] with file = "streaming.txt", label = "streaming"',
  },
  fanOut: {
    ...textSetting('fan-out', 'add these labels before each name: the aggressive mode', 'subs.txt'),
    placeholder: 'file',
  },
  fanOutCap: countSetting(
    'fan-out-cap',
    limits.FAN_OUT_CAP,
    'names that the aggressive mode adds to each name at most',
  ),
  resolvers: words(
    'resolvers',
    'resolver',
    'an upstream, as RESOLVER or RESOLVER OPERATOR: an address, IP#PORT, tcp://…, tls://…, https://… or a well-known name',
    '192.0.2.53 home',
  ),
  resolverCa: {
    ...textSetting(
      'resolver-ca',
      'certificates (PEM) of the authorities of upstreams of your own',
      '/etc/candor/ca.pem',
    ),
    placeholder: 'file',
  },
  queriesPerSecond: countSetting(
    'queries-per-second',
    limits.QUERIES_PER_SECOND,
    'queries per second to each public resolver; 0 for no limit',
  ),
  concurrency: countSetting('concurrency', limits.CONCURRENCY, 'domains that are checked at once'),
  canaries: words('canaries', 'name', 'a name that has an address for certain', 'www.zone.example'),
  canaryZone: textSetting(
    'canary-zone',
    'a zone in which a random name does not exist for certain, for the benchmark',
    'zone.example',
  ),
  canaryBlocked: textSetting(
    'canary-blocked',
    'a name that filtering resolvers block, for the benchmark',
    'ads.example',
  ),
  sinkholes: words('sinkholes', 'address', 'an address that stands for "blocked"', '192.0.2.1'),
  nxHardQuarantine: {
    name: 'nx-hard-quarantine',
    schema: flag,
    default: false,
    description: 'let denials lead to hard quarantine; off, because names come back more often than they go',
    example: 'true',
  },
  wildcardFallback: {
    name: 'wildcard-fallback',
    schema: flag,
    default: true,
    description: 'let the check of a wildcard take a second attempt',
    example: 'false',
  },
  output: {
    ...textSetting(
      'output',
      'directory that the sets are written to',
      '/run/candor/domains',
      '`domains/sets` in the data directory',
    ),
    placeholder: 'directory',
  },
  writeEvery: {
    name: 'write-every',
    placeholder: 'seconds',
    schema: duration(limits.WRITE_EVERY),
    default: limits.WRITE_EVERY.default,
    limit: limits.WRITE_EVERY,
    description: 'how often the daemon writes the sets',
    example: '60',
  },
}

/** The table `[domains]` of the configuration file. */
export const DOMAIN_SETTING_GROUP: SettingGroup = {
  table: 'domains',
  title: 'Domains',
  settings: Object.values(DOMAIN_SETTINGS),
}

function words(name: string, placeholder: string, description: string, example: string): Setting<readonly string[]> {
  return { name, placeholder, isList: true, schema: textList, default: [], description, example }
}
