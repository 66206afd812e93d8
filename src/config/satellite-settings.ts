/** What the daemon measures over open resolvers: the table `[satellite]`. `candor satellite run` has the same as flags. */
import type { Limit } from '../core/limit.ts'
import { countSetting, flag, textSetting, type Setting, type SettingGroup } from './setting.ts'

const KEPT: Limit = {
  default: 100,
  min: 1,
  max: 10_000,
  unit: 'runs',
  why: 'a year of two runs a week; a full one takes some gigabytes',
}

/** The values of `[satellite]`; `null` where nothing was given. */
export interface SatelliteSettings {
  readonly addresses: string | null
  readonly ranges: string | null
  readonly zmapOutput: string | null
  readonly domains: string | null
  readonly control: string | null
  readonly special: string | null
  readonly nonResolvers: string | null
  readonly blocklist: string | null
  readonly optOut: string | null
  readonly tags: string | null
  readonly blockAddresses: string | null
  readonly blockpageSignatures: string | null
  readonly falsePositiveSignatures: string | null
  readonly probeName: string | null
  readonly probeAnswer: string | null
  readonly livenessName: string | null
  readonly whoamiName: string | null
  readonly permissionToFetch: boolean
  readonly keptRuns: number
}

/** Every setting of `[satellite]`. */
export const SATELLITE_SETTINGS: { readonly [K in keyof SatelliteSettings]: Setting<SatelliteSettings[K]> } = {
  addresses: file('addresses', 'who is probed by our own prober: one address or prefix a line'),
  ranges: file('ranges', 'what ZMap probes: one prefix a line'),
  zmapOutput: file('zmap-output', 'a ZMap result instead of a probe'),
  domains: file('domains', 'the names to be tested, one a line'),
  control: file('control', 'control resolvers, ADDRESS [NAME] a line', 'those of seven operators'),
  special: file('special', 'resolvers that are asked whatever their names are'),
  nonResolvers: file('non-resolvers', 'addresses that are no resolvers: an answer from them was injected on the way'),
  blocklist: file('blocklist', 'addresses and prefixes that are never probed; a probe does not start without it'),
  optOut: file('opt-out', 'who does not want to be asked: addresses, prefixes, AS64500, *.example.net'),
  tags: file('tags', 'tags of addresses that somebody else found'),
  blockAddresses: file('block-addresses', 'addresses and prefixes of block servers, for the evidence rules'),
  blockpageSignatures: file('blockpage-signatures', 'JSON Lines with fingerprint and pattern'),
  falsePositiveSignatures: file('false-positive-signatures', 'the same, tried first'),
  probeName: textSetting('probe-name', 'a name of your own that resolvers are probed with', 'probe.zone.example'),
  probeAnswer: textSetting('probe-answer', 'its addresses, with commas between', '198.51.100.53'),
  livenessName: textSetting('liveness-name', 'the control name', 'a.root-servers.net', 'a.root-servers.net'),
  whoamiName: textSetting('whoami-name', 'a name that tells who shares an upstream', 'whoami.zone.example'),
  permissionToFetch: {
    name: 'permission-to-fetch',
    schema: flag,
    default: false,
    description: 'consent to fetch pages and certificates from addresses in answers',
    example: 'true',
  },
  keptRuns: countSetting('kept-runs', KEPT, 'runs that pages and API show; the directories of older ones stay'),
}

/** The table `[satellite]`. */
export const SATELLITE_SETTING_GROUP: SettingGroup = {
  table: 'satellite',
  title: 'Runs over open resolvers by `candor serve`',
  settings: Object.values(SATELLITE_SETTINGS),
}

function file(name: string, description: string, defaultText?: string): Setting<string | null> {
  return { ...textSetting(name, description, `/etc/candor/${name}.txt`, defaultText), placeholder: 'file' }
}
