/**
 * Writes the configuration of SmartDNS, and refuses what SmartDNS would misunderstand.
 *
 * SmartDNS 40 has no configuration test: it takes unknown directives, bad addresses and bad numbers without a word, and
 * without a `server` line it asks the resolvers of /etc/resolv.conf. So everything is checked here, before it is written.
 *
 * **Invariant**: no value can add a line or a word: each is checked against what its place may hold.
 *
 * Sources: Debian package smartdns 40, /etc/smartdns/smartdns.conf; measured behaviour, docs/design/0021-smartdns.md
 */
import { ConfigError } from '../core/config-error.ts'
import { canonicalIp } from '../core/ip-address.ts'
import type { Endpoint } from '../net/net.ts'
import type { SmartDnsPaths, SmartDnsPlan, SmartDnsSets, SmartDnsUpstream } from './smartdns-plan.ts'

/** Answered from the configuration alone, so that asking for it says whether SmartDNS answers, and asks nobody else. */
export const READY_NAME = 'ready.candor.invalid'

const NAME = /^(?=.{1,253}$)[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?(?:\.[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?)*$/
const NFT_WORD = /^[A-Za-z][\w]{0,30}$/
const FAMILIES: ReadonlySet<string> = new Set(['inet', 'ip', 'ip6'])
const PATH = /^\/[\w./-]{1,200}$/
const URL_PATH = /^\/[\w./~-]{0,200}$/
const CACHE_MAX = 1_000_000
const AUDIT_OCTETS_MIN = 1_024
const AUDIT_OCTETS_MAX = 1_073_741_824
const AUDIT_FILES_MAX = 1_024
const UPSTREAMS_MAX = 64
const WILDCARDS_MAX = 200_000
const DEFAULT_SET = 'candor-wildcards'

/** The two files. */
export interface SmartDnsFiles {
  readonly configuration: string
  readonly wildcards: string
}

/** Writes both files' text. @throws {ConfigError} For everything that SmartDNS would take and misunderstand. */
export function formatSmartDnsConfig(plan: SmartDnsPlan, paths: SmartDnsPaths): SmartDnsFiles {
  const { listen, cacheSize, auditOctets, auditFiles } = plan
  for (const [what, path] of Object.entries(paths)) {
    if (!PATH.test(path))
      refuse(
        `path of ${what}`,
        `'${path}' holds what SmartDNS would cut`,
        'choose a data directory of letters, digits and ._-/',
      )
  }
  const bind = formatPlace(listen, 'smartdns.listen')
  checkNumber('smartdns.cache_size', cacheSize, 0, CACHE_MAX)
  checkNumber('smartdns.audit_size', auditOctets, AUDIT_OCTETS_MIN, AUDIT_OCTETS_MAX)
  checkNumber('smartdns.audit_files', auditFiles, 1, AUDIT_FILES_MAX)
  const lines = [
    '# Written by candor; changes are lost at the next start.',
    `bind ${bind}`,
    `bind-tcp ${bind}`,
    ...formatUpstreams(plan),
    // Measured: without these it pings addresses, drops some of them, and answers with dead ones.
    'speed-check-mode none',
    'dualstack-ip-selection no',
    'response-mode fastest-response',
    `cache-size ${cacheSize}`,
    'cache-persist no',
    `cache-file ${paths.cache}`,
    'serve-expired no',
    'prefetch-domain no',
    'rr-ttl-min 1',
    'log-level info',
    `log-file ${paths.log}`,
    'log-size 1m',
    'log-num 2',
    'audit-enable yes',
    `audit-file ${paths.audit}`,
    `audit-size ${auditOctets}`,
    `audit-num ${auditFiles}`,
    `address /${READY_NAME}/#`,
    ...formatSets(plan, paths),
  ]
  return { configuration: `${lines.join('\n')}\n`, wildcards: plan.wildcards.map((name) => `${name}\n`).join('') }
}

function formatUpstreams({ upstreams, listen }: SmartDnsPlan): readonly string[] {
  if (upstreams.length === 0)
    refuse(
      'smartdns.upstreams',
      'there is none, and SmartDNS would ask the resolvers of /etc/resolv.conf instead',
      'smartdns.upstreams = ["9.9.9.9", "tls://1.1.1.1"]',
    )
  if (upstreams.length > UPSTREAMS_MAX)
    refuse('smartdns.upstreams', `there are more than ${UPSTREAMS_MAX}`, 'name fewer')
  const lines = upstreams.map((upstream) => formatUpstream(upstream))
  const itself = upstreams.find(
    ({ transport, endpoint }) =>
      (transport === 'udp' || transport === 'tcp') &&
      endpoint.port === listen.port &&
      canonicalIp(endpoint.address) === canonicalIp(listen.address),
  )
  if (itself !== undefined)
    refuse(
      'smartdns.upstreams',
      `${formatPlace(listen, 'smartdns.listen')} is SmartDNS itself`,
      'name another resolver',
    )
  return [...new Set(lines)]
}

function formatUpstream({ transport, endpoint, host, path }: SmartDnsUpstream): string {
  const place = formatPlace(endpoint, 'smartdns.upstreams')
  if (transport === 'udp') return `server ${place}`
  if (transport === 'tcp') return `server-tcp ${place}`
  if (host === null || !(NAME.test(host) || canonicalIp(host) !== undefined))
    refuse(
      'smartdns.upstreams',
      `${place}: '${String(host)}' is no name that a certificate could be for`,
      'tls://dns.quad9.net@9.9.9.9',
    )
  const verify = `-host-name ${host} -tls-host-verify ${host}`
  if (transport === 'tls') return `server-tls ${place} ${verify}`
  if (path === null || !URL_PATH.test(path))
    refuse('smartdns.upstreams', `${place}: '${String(path)}' is no path of an URL`, 'https://dns.quad9.net/dns-query')
  return `server-https https://${place}${path} ${verify} -http-host ${host}`
}

function formatSets({ wildcards, sets }: SmartDnsPlan, paths: SmartDnsPaths): readonly string[] {
  if (wildcards.length > WILDCARDS_MAX)
    refuse('domains', `there are more than ${WILDCARDS_MAX} wildcards`, 'split the list')
  for (const name of wildcards) {
    // A rule for `*.x` matches nothing in SmartDNS 40, and a plain `x` covers x and everything below.
    if (!NAME.test(name))
      refuse('domains', `'${name}' is no wildcard that SmartDNS knows`, 'zone.example for *.zone.example')
  }
  if (sets === null || wildcards.length === 0) return []
  const { v4, v6 } = checkSets(sets)
  const table = sets.table.replace(' ', '#')
  return [
    'nftset-timeout yes',
    `domain-set -name ${DEFAULT_SET} -type list -file ${paths.wildcards}`,
    `nftset /domain-set:${DEFAULT_SET}/#4:${table}#${v4},#6:${table}#${v6}`,
  ]
}

function checkSets(sets: SmartDnsSets): SmartDnsSets {
  const [family = '', table = '', ...rest] = sets.table.split(' ')
  if (!FAMILIES.has(family) || !NFT_WORD.test(table) || rest.length > 0)
    refuse('smartdns.table', `'${sets.table}' is no table of nftables`, 'inet candor')
  for (const name of [sets.v4, sets.v6])
    if (!NFT_WORD.test(name)) refuse('smartdns.sets', `'${name}' is no name of a set`, 'names_rt_v4')
  return sets
}

function formatPlace({ address, port }: Endpoint, where: string): string {
  const canonical = canonicalIp(address)
  if (canonical === undefined) refuse(where, `'${address}' is no IP address`, '127.0.0.1')
  if (!Number.isInteger(port) || port < 1 || port > 65_535) refuse(where, `${port} is no port`, '127.0.0.1#53')
  return canonical.includes(':') ? `[${canonical}]:${port}` : `${canonical}:${port}`
}

function checkNumber(where: string, value: number, min: number, max: number): void {
  if (!Number.isInteger(value) || value < min || value > max)
    refuse(where, `${value} is not a whole number from ${min} to ${max}`, String(min))
}

function refuse(where: string, message: string, hint: string): never {
  throw new ConfigError(where, message, hint)
}
