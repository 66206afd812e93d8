/**
 * Reads what the monitor watches: `dns-monitor.toml`, or the older JSON list of `DNS_MONITOR_CONFIG`.
 *
 * **Invariant**: what cannot be used is an error with file, line and the right form; nothing falls back to anything.
 *
 * Format: docs/formats/monitor.md
 */
import { parse, TomlError } from 'smol-toml'
import { ConfigError } from '../core/config-error.ts'
import { parseDuration } from '../core/duration.ts'
import { canonicalIp, parsePrefix } from '../core/ip-address.ts'
import { findNearestName } from '../core/nearest-name.ts'
import {
  MONITOR_TYPES,
  NO_MONITOR_EXTRAS,
  type MonitoredName,
  type MonitorPlan,
  type MonitorResolver,
} from '../model/monitor-name.ts'
import { EXTRA_KEYS, EXTRA_TABLES, readMonitorExtras } from './monitor-extras.ts'
import { createTableReader, findTablePlaces, type TablePlace, type TableReader } from './monitor-table.ts'
import { DEFAULT_MONITOR_RESOLVERS, parseResolverUrl, RESOLVER_URL_FORM } from './monitor-resolver-url.ts'
import { parseExpected, parseSpan, SPAN_FORM } from './monitor-values.ts'

const DOMAIN_KEYS = [
  'name',
  'domain',
  'record_type',
  'category',
  'owner',
  'interval',
  'full_interval',
  'mode',
  'expect',
  'approve',
  'maintenance',
  'resolvers',
  'channels',
]
const RESOLVER_KEYS = ['name', 'operator', 'url', 'address', 'format', 'per_second']
const TOP_KEYS = ['domains', 'resolvers', 'sinkholes', ...EXTRA_KEYS, ...Object.keys(EXTRA_TABLES)]
const PER_SECOND_MAX = 500
const INTERVAL_DEFAULT_MS = 60_000
const INTERVAL_MIN_MS = 1_000
const INTERVAL_MAX_MS = 24 * 3_600_000
/** More in one file is a list for `candor bulk`. */
const NAMES_MAX = 10_000
const DOMAINS_FORM = '[[domains]] with name = "Shop", domain = "shop.zone.example", record_type = "A", category = "web"'

/**
 * Parses `dns-monitor.toml`.
 *
 * @param channels - Names of the alert channels that exist; `undefined` where nobody knows.
 * @throws {ConfigError} With file and line.
 */
export function parseMonitorFile(file: string, text: string, channels?: readonly string[]): MonitorPlan {
  return readPlan(file, parseToml(file, text), findTablePlaces(text), { table: '', channels })
}

/**
 * Parses the same from the table `[monitor]` of a larger file: `[[monitor.domains]]`, `[[monitor.resolvers]]`. Other keys
 * of that table are not looked at.
 *
 * @returns `undefined` when it has neither names nor resolvers.
 * @throws {ConfigError} With file and line.
 */
export function parseMonitorTables(file: string, text: string, channels: readonly string[]): MonitorPlan | undefined {
  const table = parseToml(file, text)['monitor']
  if (typeof table !== 'object' || table === null) return undefined
  const own = Object.fromEntries(Object.entries(table).filter(([key]) => TOP_KEYS.includes(key)))
  if (own['domains'] === undefined && own['resolvers'] === undefined) return undefined
  return readPlan(file, own, findTablePlaces(text), { table: 'monitor', channels })
}

/** `table`: where the keys stand; '' for the top of the file. */
function readPlan(
  file: string,
  top: Readonly<Record<string, unknown>>,
  places: ReadonlyMap<string, readonly TablePlace[]>,
  { table: own, channels }: { readonly table: string; readonly channels: readonly string[] | undefined },
): MonitorPlan {
  const placesOf = (key: string): readonly TablePlace[] => places.get(own === '' ? key : `${own}.${key}`) ?? []
  const reader = createTableReader(file, places.get(own)?.[0], top, TOP_KEYS)
  const named = readTables(file, top['resolvers'], 'resolvers').map((table, index) =>
    readResolver(createTableReader(file, placesOf('resolvers')[index], table, RESOLVER_KEYS)),
  )
  const double = named.find(({ name }, index) => named.findIndex((other) => other.name === name) < index)
  if (double !== undefined) throw new ConfigError(file, `two resolvers are called "${double.name}"`, 'one name each')
  const resolvers = named.length > 0 ? named : DEFAULT_MONITOR_RESOLVERS
  const names = readTables(file, top['domains'], 'domains').flatMap((table, index) =>
    readDomain(createTableReader(file, placesOf('domains')[index], table, DOMAIN_KEYS), resolvers, channels),
  )
  const sinkholes = reader.texts('sinkholes', 'sinkholes = ["192.0.2.0/24"]')
  for (const prefix of sinkholes) {
    if (parsePrefix(prefix) === undefined)
      throw reader.fail('sinkholes', `"${prefix.slice(0, 80)}" is no prefix`, 'sinkholes = ["192.0.2.0/24"]')
  }
  const extras = readMonitorExtras(reader, (kind) =>
    readTables(file, top[kind], kind).map((table, index) =>
      createTableReader(file, placesOf(kind)[index], table, EXTRA_TABLES[kind]),
    ),
  )
  return checkPlan(file, { names, resolvers, sinkholes, extras })
}

/** Parses the older list: JSON with `name`, `domain`, `record_type` and `category` each. @throws {ConfigError} */
export function parseMonitorJson(source: string, text: string): MonitorPlan {
  const form = '[{"name": "Shop", "domain": "shop.zone.example", "record_type": "A", "category": "web"}]'
  let list: unknown
  try {
    list = JSON.parse(text)
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error
    throw new ConfigError(source, `it is no JSON: ${error.message}`, form, { cause: error })
  }
  if (!Array.isArray(list)) throw new ConfigError(source, 'it is no list', form)
  const resolvers = DEFAULT_MONITOR_RESOLVERS
  const names = (list as readonly unknown[]).flatMap((entry, index) =>
    readDomain(
      createTableReader(`${source}[${index}]`, undefined, entry, DOMAIN_KEYS.slice(0, 4)),
      resolvers,
      undefined,
    ),
  )
  return checkPlan(source, { names, resolvers, sinkholes: [], extras: { ...NO_MONITOR_EXTRAS, roots: [] } })
}

function parseToml(file: string, text: string): Readonly<Record<string, unknown>> {
  try {
    return parse(text)
  } catch (error) {
    if (!(error instanceof TomlError)) throw error
    const reason = error.message.split('\n')[0]?.replace(/^Invalid TOML document: /, '') ?? ''
    throw new ConfigError(`${file}:${error.line}`, `${reason} (column ${error.column})`, DOMAINS_FORM, { cause: error })
  }
}

function readTables(file: string, value: unknown, name: string): readonly unknown[] {
  if (value === undefined) return []
  if (Array.isArray(value)) return value as readonly unknown[]
  throw new ConfigError(file, `"${name}" is a list of tables`, `[[${name}]]`)
}

function checkPlan(file: string, plan: MonitorPlan): MonitorPlan {
  if (plan.names.length === 0) throw new ConfigError(file, 'it names nothing to watch', DOMAINS_FORM)
  if (plan.names.length > NAMES_MAX)
    throw new ConfigError(
      file,
      `it names more than ${NAMES_MAX} names`,
      'several files, each watched by its own monitor',
    )
  const seen = new Set<string>()
  for (const { domain, type } of plan.names) {
    if (seen.has(`${domain}/${type}`)) throw new ConfigError(file, `${domain} ${type} is in it twice`, 'leave one out')
    seen.add(`${domain}/${type}`)
  }
  return plan
}

function readResolver(table: TableReader): MonitorResolver {
  const name = table.required('name', 'name = "own"')
  const urlForm = `url = "https://dns.zone.example/dns-query" (${RESOLVER_URL_FORM})`
  const url = table.required('url', urlForm)
  const address = table.text('address', 'address = "192.0.2.53"') ?? null
  const format = table.text('format', 'format = "wire" or "json"') ?? 'wire'
  if (format !== 'wire' && format !== 'json')
    throw table.fail('format', 'there are two formats', 'format = "wire" or "json"')
  const place = parseResolverUrl(url, address, format === 'json')
  if (place === undefined) throw table.fail('url', `"${url.slice(0, 80)}" is no resolver`, urlForm)
  if (place === 'address')
    throw table.fail('address', 'the address of the host is not known', 'address = "192.0.2.53", beside the url')
  const perSecond = table.integer('per_second', 1, PER_SECOND_MAX)
  const operator = table.text('operator', 'operator = "Own"') ?? name
  return { name, operator, ...place, ...(perSecond === undefined ? {} : { perSecond }) }
}

function readDomain(
  table: TableReader,
  known: readonly MonitorResolver[],
  channels: readonly string[] | undefined,
): readonly MonitoredName[] {
  const domain = readDomainName(table)
  const types = readTypes(table)
  const mode = table.text('mode', 'mode = "auto" or "pin"') ?? 'auto'
  if (mode !== 'auto' && mode !== 'pin') throw table.fail('mode', 'there are two modes', 'mode = "auto" or "pin"')
  const expect = readExpected(table, 'expect')
  if (mode === 'pin' && expect.length === 0)
    throw table.fail(
      'mode',
      'pinned to nothing, everything would page',
      'expect = ["192.0.2.1", "198.51.100.0/24", "AS64500"]',
    )
  const name = table.text('name', 'name = "Shop"') ?? domain
  const intervalMs = readInterval(table)
  const fullIntervalMs = readFullInterval(table, intervalMs)
  const shared = {
    name,
    domain,
    category: table.text('category', 'category = "web"') ?? '',
    owner: table.text('owner', 'owner = "team-web"') ?? null,
    intervalMs,
    ...(fullIntervalMs === undefined ? {} : { fullIntervalMs }),
    mode,
    expect,
    approve: readExpected(table, 'approve'),
    maintenance: table.texts('maintenance', `maintenance = ["${SPAN_FORM}"]`).map((text) => {
      const span = parseSpan(text)
      if (span === undefined) throw table.fail('maintenance', `"${text.slice(0, 80)}" is no span of time`, SPAN_FORM)
      return span
    }),
    resolvers: readResolvers(table, known),
    channels: readChannels(table, channels),
  } as const
  return types.map((type) => ({ ...shared, type }))
}

function readDomainName(table: TableReader): string {
  const form = 'domain = "shop.zone.example"'
  const text = table.required('domain', form)
  const domain = text.toLowerCase().replace(/\.$/, '')
  const isName = domain.length <= 253 && domain.split('.').every((label) => /^(?:[\w-]{1,63}|\*)$/.test(label))
  if (isName && canonicalIp(domain) === undefined) return domain
  throw table.fail('domain', `"${text.slice(0, 80)}" is no name`, form)
}

function readTypes(table: TableReader): MonitoredName['type'][] {
  const form = `record_type = "A" or ["A", "AAAA"], of ${MONITOR_TYPES.join(', ')}`
  const texts = table.texts('record_type', form)
  const types = [...new Set((texts.length === 0 ? ['A'] : texts).map((text) => text.toUpperCase()))]
  return types.map((text) => {
    const type = MONITOR_TYPES.find((each) => each === text)
    if (type === undefined) throw table.fail('record_type', `"${text.slice(0, 80)}" cannot be watched`, form)
    return type
  })
}

function readInterval(table: TableReader): number {
  const form = 'interval = "60s" (1s to 24h)'
  const text = table.text('interval', form)
  if (text === undefined) return INTERVAL_DEFAULT_MS
  const intervalMs = parseDuration(text)
  if (intervalMs >= INTERVAL_MIN_MS && intervalMs <= INTERVAL_MAX_MS) return intervalMs
  throw table.fail('interval', `"${text.slice(0, 80)}" is no interval`, form)
}

/** @returns `undefined` where every round is a full one. */
function readFullInterval(table: TableReader, intervalMs: number): number | undefined {
  const form = 'full_interval = "10m" (longer than the interval, at most 24h)'
  const text = table.text('full_interval', form)
  if (text === undefined) return undefined
  const fullIntervalMs = parseDuration(text)
  if (fullIntervalMs > intervalMs && fullIntervalMs <= INTERVAL_MAX_MS) return fullIntervalMs
  throw table.fail('full_interval', `"${text.slice(0, 80)}" is no such interval`, form)
}

function readExpected(table: TableReader, key: string): MonitoredName['expect'] {
  const form = `${key} = ["192.0.2.1", "198.51.100.0/24", "AS64500", "AS64500 ${SPAN_FORM}"]`
  return table.texts(key, form).map((text) => {
    const value = parseExpected(text)
    if (value === undefined) throw table.fail(key, `"${text.slice(0, 80)}" is no value`, form)
    return value
  })
}

function readChannels(table: TableReader, known: readonly string[] | undefined): readonly string[] {
  const texts = table.texts('channels', 'channels = ["ops"], names of [[alerts.channels]]')
  const unknown = texts.find((text) => known?.includes(text) === false)
  if (unknown === undefined) return texts
  const near = findNearestName(unknown, known ?? [])
  const form =
    near === undefined ? '[[alerts.channels]] with that name in the configuration of the daemon' : `"${near}"`
  throw table.fail('channels', `no alert channel is called "${unknown.slice(0, 80)}"`, form)
}

function readResolvers(table: TableReader, known: readonly MonitorResolver[]): readonly string[] {
  const names = known.map(({ name }) => name)
  const form = `resolvers = [${names.map((name) => JSON.stringify(name)).join(', ')}]`
  const texts = table.texts('resolvers', form)
  const chosen = texts.length === 0 ? names : [...new Set(texts)]
  for (const name of chosen) {
    if (names.includes(name)) continue
    const near = findNearestName(name, names)
    throw table.fail(
      'resolvers',
      `no resolver is called "${name.slice(0, 80)}"`,
      near === undefined ? form : `"${near}"`,
    )
  }
  const operators = new Set(known.filter(({ name }) => chosen.includes(name)).map(({ operator }) => operator))
  if (operators.size >= 2) return chosen
  throw table.fail('resolvers', 'one operator alone can confirm no change', 'resolvers of at least two operators')
}
