/**
 * What `dns-monitor.toml` says beside names and resolvers: where walks begin, the heartbeat, the daily test, and who is
 * asked about addresses.
 *
 * **Invariant**: a mistake is told with its line and the right form.
 */
import { parseDuration } from '../core/duration.ts'
import { canonicalIp } from '../core/ip-address.ts'
import type { AddressProvider, DnsBlocklist, MonitorExtras, ReputationFile } from '../model/monitor-name.ts'
import type { TableReader } from './monitor-table.ts'

/** Keys at the top of the file. */
export const EXTRA_KEYS: readonly string[] = ['roots', 'heartbeat', 'self_test', 'high_risk_countries']
/** Tables, each with its keys. */
export const EXTRA_TABLES = {
  reputation: ['file', 'name', 'category', 'refresh', 'max_age'],
  blocklists: ['zone', 'name', 'category'],
  providers: ['kind', 'url', 'per_minute'],
} as const

const NO_ROOTS = 'none'
const DAY_MS = 86_400_000
const REFRESH_DEFAULT = '1h'
const MAX_AGE_DEFAULT = '168h'
const PROVIDERS = {
  'ip-api.com': { url: 'http://ip-api.com/json/', perMinute: 40 },
  'ipapi.co': { url: 'https://ipapi.co/', perMinute: 20 },
} as const

/** Reads them. @param tables - The tables of a kind, in their order. @throws {ConfigError} */
export function readMonitorExtras(
  top: TableReader,
  tables: (kind: keyof typeof EXTRA_TABLES) => readonly TableReader[],
): MonitorExtras {
  return {
    roots: readRoots(top),
    heartbeatUrl: readHeartbeat(top),
    selfTestMinute: readSelfTest(top),
    highRiskCountries: top.texts('high_risk_countries', 'high_risk_countries = ["XF"]').map((text) => {
      if (/^[A-Za-z]{2}$/.test(text)) return text.toUpperCase()
      throw top.fail('high_risk_countries', `"${text.slice(0, 80)}" is no country of ISO 3166`, 'two letters: ["XF"]')
    }),
    reputation: tables('reputation').map(readReputation),
    blocklists: tables('blocklists').map(readBlocklist),
    providers: tables('providers').map(readProvider),
  }
}

function readRoots(top: TableReader): MonitorExtras['roots'] {
  const form =
    'roots = ["192.0.2.53"], addresses of servers where walks to authoritative servers begin, or roots = "none"'
  const texts = top.texts('roots', form)
  if (texts.length === 1 && texts[0] === NO_ROOTS) return null
  return texts.map((text) => {
    const address = canonicalIp(text)
    if (address === undefined) throw top.fail('roots', `"${text.slice(0, 80)}" is no address`, form)
    return address
  })
}

function readHeartbeat(top: TableReader): string | null {
  const form = 'heartbeat = "https://watchdog.zone.example/ping"'
  const text = top.text('heartbeat', form)
  if (text === undefined) return null
  if (isHttpUrl(text)) return text
  throw top.fail('heartbeat', `"${text.slice(0, 80)}" is no URL`, form)
}

function readSelfTest(top: TableReader): number | null {
  const form = 'self_test = "08:00" (UTC)'
  const text = top.text('self_test', form)
  if (text === undefined) return null
  const match = /^([01]\d|2[0-3]):([0-5]\d)$/.exec(text)
  if (match === null) throw top.fail('self_test', `"${text.slice(0, 80)}" is no time of the day`, form)
  return Number(match[1]) * 60 + Number(match[2])
}

function readReputation(table: TableReader): ReputationFile {
  const duration = (key: string, otherwise: string): number => {
    const form = `${key} = "${otherwise}" (1m to 8760h)`
    const text = table.text(key, form) ?? otherwise
    const found = parseDuration(text)
    if (found >= 60_000 && found <= 365 * DAY_MS) return found
    throw table.fail(key, `"${text.slice(0, 80)}" is no duration`, form)
  }
  return {
    path: table.required('file', 'file = "/etc/candor/bad.txt", a prefix or address a line'),
    name: table.required('name', 'name = "own list"'),
    category: table.text('category', 'category = "botnet"') ?? 'malicious',
    refreshMs: duration('refresh', REFRESH_DEFAULT),
    maxAgeMs: duration('max_age', MAX_AGE_DEFAULT),
  }
}

function readBlocklist(table: TableReader): DnsBlocklist {
  const form = 'zone = "bl.zone.example"'
  const zone = table.required('zone', form).toLowerCase().replace(/\.$/, '')
  if (zone.length > 180 || !zone.split('.').every((label) => /^[\w-]{1,63}$/.test(label)))
    throw table.fail('zone', `"${zone.slice(0, 80)}" is no name`, form)
  return {
    zone,
    name: table.text('name', 'name = "own list"') ?? zone,
    category: table.text('category', 'category = "spam"') ?? 'malicious',
  }
}

function readProvider(table: TableReader): AddressProvider {
  const form = 'kind = "ip-api.com" or "ipapi.co"'
  const kind = table.required('kind', form)
  if (kind !== 'ip-api.com' && kind !== 'ipapi.co')
    throw table.fail('kind', `"${kind.slice(0, 80)}" is not known`, form)
  const url = table.text('url', `url = "${PROVIDERS[kind].url}"`) ?? PROVIDERS[kind].url
  if (!isHttpUrl(url)) throw table.fail('url', `"${url.slice(0, 80)}" is no URL`, `url = "${PROVIDERS[kind].url}"`)
  return {
    kind,
    url: url.endsWith('/') ? url : `${url}/`,
    perMinute: table.integer('per_minute', 1, 10_000) ?? PROVIDERS[kind].perMinute,
  }
}

function isHttpUrl(text: string): boolean {
  return /^https?:\/\/[^\s/]/i.test(text) && URL.canParse(text)
}
