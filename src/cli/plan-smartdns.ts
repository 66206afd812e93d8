/** From the settings `[smartdns]` to what SmartDNS is to do. */
import type { NftSets } from '../campaigns/domains/format-nft-sets.ts'
import { collectSettings, type LoadedGroup } from '../config/load-config.ts'
import { SMARTDNS_SETTINGS, type SmartDnsSettings } from '../config/smartdns-settings.ts'
import { ConfigError } from '../core/config-error.ts'
import { canonicalIp } from '../core/ip-address.ts'
import { formatSmartDnsConfig } from '../sidecars/smartdns-config.ts'
import type { SmartDnsPlan, SmartDnsSets, SmartDnsUpstream } from '../sidecars/smartdns-plan.ts'
import { PUBLIC_RESOLVERS } from '../vantages/public-resolvers.ts'
import { parseResolver, type NamedResolver } from './query-resolver.ts'

const PORTS = { udp: 53, tcp: 53, tls: 853, https: 443 } as const
const EXAMPLE = 'smartdns.upstreams = ["9.9.9.9", "tls://dns.quad9.net"]'

/** Reads the settings. */
export function readSmartDnsSettings(group: LoadedGroup | undefined): SmartDnsSettings {
  return collectSettings<SmartDnsSettings>(SMARTDNS_SETTINGS, group ?? new Map())
}

/** Makes the plan. @throws {ConfigError} For a resolver that is none. */
export function planSmartDns(settings: SmartDnsSettings, sets: NftSets, listed: readonly string[]): SmartDnsPlan {
  return {
    listen: { address: settings.listen, port: settings.port },
    upstreams: settings.upstreams.map((text) => parseUpstream(text)),
    wildcards: planWildcards(settings, listed),
    sets: settings.sets ? toRuntimeSets(sets) : null,
    cacheSize: settings.cacheSize,
    auditOctets: settings.auditSize,
    auditFiles: settings.auditFiles,
  }
}

/** Checks the settings without touching anything. @throws {ConfigError} For what SmartDNS would misunderstand. */
export function checkSmartDns(settings: SmartDnsSettings, sets: NftSets): void {
  const place = '/var/lib/candor/smartdns'
  const paths = { wildcards: `${place}/w`, cache: `${place}/c`, audit: `${place}/a`, log: `${place}/l` }
  formatSmartDnsConfig(planSmartDns(settings, sets, []), paths)
}

function toRuntimeSets({ table, rtV4, rtV6 }: NftSets): SmartDnsSets {
  return { table, v4: rtV4, v6: rtV6 }
}

/** The names that stand for themselves and everything below: those of the settings, and of the lists. */
export function planWildcards({ wildcards }: SmartDnsSettings, listed: readonly string[]): readonly string[] {
  return [...new Set([...wildcards.map((name) => name.toLowerCase().replace(/\.$/, '')), ...listed])]
}

function parseUpstream(text: string): SmartDnsUpstream {
  const named = parseResolver(text, {
    tcp: false,
    tls: false,
    https: false,
    json: false,
    get: false,
    port: undefined,
    tlsName: undefined,
    isVerified: true,
    authorities: undefined,
  })
  const { transport } = named
  if (transport === 'https_json') throw new ConfigError('smartdns.upstreams', `${text} is no form of SmartDNS`, EXAMPLE)
  const endpoint = { address: findAddress(text, named), port: named.port ?? PORTS[transport] }
  const isSecure = transport === 'tls' || transport === 'https'
  return {
    transport,
    endpoint,
    host: isSecure ? (named.host ?? null) : null,
    path: transport === 'https' ? named.path : null,
  }
}

/** A name would have to be looked up before there is a resolver; so it is an address, or a name that is known. */
function findAddress(text: string, { host = '', knownAddress }: NamedResolver): string {
  const known = [...PUBLIC_RESOLVERS.values()].find((listed) => listed.host === host.toLowerCase())?.address
  const address = knownAddress ?? canonicalIp(host) ?? known
  if (address !== undefined) return address
  throw new ConfigError(
    'smartdns.upstreams',
    `the address of ${text} is not known here, and nothing is looked up for it`,
    EXAMPLE,
  )
}
