/** The flags of `candor authority`, and what they mean together. */
import { Option, type Command } from 'commander'
import { EXEMPT_RATE_LIMIT } from '../authority/run-name-gate.ts'
import { LOG_FILES_LIMIT, LOG_SIZE_LIMIT } from '../authority/authority-log-file.ts'
import { RESPONSE_RATE_LIMIT } from '../authority/rate-limiter.ts'
import { ZONE_TTL_LIMIT, type ZoneConfig } from '../authority/zone.ts'
import { ConfigError } from '../core/config-error.ts'
import { canonicalIp, prefixContains, parseIp, parsePrefix } from '../core/ip-address.ts'
import { checkLimit, type Limit } from '../core/limit.ts'
import { parseName } from '../dns/name.ts'
import type { Endpoint } from '../net/net.ts'

/** What an authority is told. */
export interface AuthorityCommandOptions {
  /** The measured zone first, then the others. */
  readonly zones: readonly (ZoneConfig & { readonly nameServers: NonNullable<ZoneConfig['nameServers']> })[]
  readonly listen: readonly Endpoint[]
  /** Path of the query log; `null` prints the records. */
  readonly log: string | null
  readonly logSizeOctets: number
  readonly logFiles: number
  readonly responsesPerSecond: number
  readonly exemptPerSecond: number
}

/** Above the ports that need privileges, and not that of another well-known service. */
const DEFAULT_LISTEN = '127.0.0.1:5300'
const DNS_PORT = 53

interface Flags {
  readonly zone: string
  readonly expect: readonly string[]
  readonly second: readonly string[]
  readonly nxdomain: readonly string[]
  readonly listen: readonly string[]
  readonly ns: readonly string[]
  readonly ttl: number
  readonly log?: string
  readonly logSize: string
  readonly logFiles: number
  readonly rate: number
  readonly runRate: number
}

/** Adds the flags. */
export function addAuthorityOptions(command: Command): void {
  const list = (flags: string, description: string): Option =>
    new Option(flags, description)
      .argParser((value: string, before: readonly string[]) => [...before, ...value.split(',').filter(Boolean)])
      .default([], 'none')
  const bounded = (flags: string, description: string, limit: Limit): Option =>
    new Option(flags, `${description}, ${limit.min} to ${limit.max} ${limit.unit}`)
      .argParser(Number)
      .default(limit.default)
  command
    .requiredOption('--zone <name>', 'the zone to serve: every name in it has the addresses of --expect')
    .addOption(list('--expect <address>', 'an address of the wildcard, IPv4 or IPv6; may be given again'))
    .addOption(
      list('--second <name[=address]>', 'another wildcard zone; with the addresses of --expect, or one of its own'),
    )
    .addOption(list('--nxdomain <name>', 'a zone in which no name exists, for runs in mode nxdomain'))
    .addOption(
      list('--listen <address[:port]>', 'where to answer, over UDP and TCP').default(
        [],
        `${DEFAULT_LISTEN}, this machine only`,
      ),
    )
    .addOption(list('--ns <name[=address]>', 'a name server of the zones and its address').default([], 'ns1.ZONE'))
    .addOption(bounded('--ttl <seconds>', 'TTL of all records', ZONE_TTL_LIMIT))
    .option('--log <file>', 'where the queries go, as JSON Lines (default: stdout)')
    .option('--log-size <size>', 'size at which the log is rotated: 64k, 256M, 1G', formatSize(LOG_SIZE_LIMIT.default))
    .addOption(bounded('--log-files <number>', 'rotated logs that are kept', LOG_FILES_LIMIT))
    .addOption(bounded('--rate <number>', 'UDP answers to one network; more get TC = 1', RESPONSE_RATE_LIMIT))
    .addOption(bounded('--run-rate <number>', 'answers to names of runs in progress', EXEMPT_RATE_LIMIT))
}

/** Reads the flags after parsing. @throws {ConfigError} When one cannot be used. */
export function readAuthorityOptions(command: Command): AuthorityCommandOptions {
  const flags = command.opts<Flags>()
  const zone = readZoneName('--zone', flags.zone)
  const addresses = flags.expect.map((text) => readAddress('--expect', text))
  if (addresses.length === 0) {
    throw new ConfigError(
      '--expect',
      'the wildcard needs an address to answer with',
      `candor authority --zone ${zone} --expect 192.0.2.1`,
    )
  }
  const listen = (flags.listen.length === 0 ? [DEFAULT_LISTEN] : flags.listen).map(readListen)
  const ttlSeconds = checkLimit(ZONE_TTL_LIMIT, flags.ttl, '--ttl')
  const makeZone = (name: string, own: readonly string[]): AuthorityCommandOptions['zones'][number] => ({
    name,
    addresses: own,
    ttlSeconds,
    nameServers: readNameServers(flags.ns, name, listen),
  })
  const zones = [
    makeZone(zone, addresses),
    ...flags.second.map((text) => {
      const [name = '', address] = text.split('=')
      const own = address === undefined ? addresses : [readAddress('--second', address)]
      return makeZone(readZoneName('--second', name), own)
    }),
    ...flags.nxdomain.map((name) => makeZone(readZoneName('--nxdomain', name), [])),
  ]
  const twice = zones.find(({ name }, index) => zones.findIndex((other) => other.name === name) !== index)
  if (twice !== undefined) throw new ConfigError('--zone', `${twice.name} is given twice`, 'name each zone once')
  return {
    zones,
    listen,
    log: flags.log ?? null,
    logSizeOctets: checkLimit(LOG_SIZE_LIMIT, parseSize(flags.logSize), '--log-size'),
    logFiles: checkLimit(LOG_FILES_LIMIT, flags.logFiles, '--log-files'),
    responsesPerSecond: checkLimit(RESPONSE_RATE_LIMIT, flags.rate, '--rate'),
    exemptPerSecond: checkLimit(EXEMPT_RATE_LIMIT, flags.runRate, '--run-rate'),
  }
}

/** @returns Whether nobody but this machine reaches the address. */
export function isLoopback(address: string): boolean {
  const octets = parseIp(address)
  return octets !== undefined && LOOPBACK.some((prefix) => prefix !== undefined && prefixContains(prefix, octets))
}

const LOOPBACK = [parsePrefix('127.0.0.0/8'), parsePrefix('::1')]

/** Formats octets as `256M`, exactly or not at all. */
export function formatSize(octets: number): string {
  if (octets % 1_073_741_824 === 0) return `${octets / 1_073_741_824}G`
  if (octets % 1_048_576 === 0) return `${octets / 1_048_576}M`
  return octets % 1024 === 0 ? `${octets / 1024}k` : String(octets)
}

function parseSize(text: string): number {
  const match = /^(\d{1,12})([kMG]?)$/.exec(text)
  const factor = { '': 1, k: 1024, M: 1_048_576, G: 1_073_741_824 }[match?.[2] ?? ''] ?? 1
  return match === null ? Number.NaN : Number(match[1]) * factor
}

function readZoneName(path: string, text: string): string {
  const name = text.toLowerCase().replace(/\.$/, '')
  if (name !== '' && /^[\w.-]+$/.test(name) && parseName(name) !== undefined) return name
  throw new ConfigError(path, `${path} ${JSON.stringify(text)} is no domain name`, `${path} probe.zone.example`)
}

function readAddress(path: string, text: string): string {
  const address = canonicalIp(text)
  if (address !== undefined) return address
  throw new ConfigError(path, `${path} ${JSON.stringify(text)} is no IP address`, `${path} 192.0.2.1`)
}

/** `192.0.2.1`, `192.0.2.1:5300`, `[2001:db8::1]:5300`, `2001:db8::1`. */
function readListen(text: string): Endpoint {
  const match = /^\[([^\]]+)\](?::(\d{1,5}))?$/.exec(text) ?? /^([\d.]+)(?::(\d{1,5}))?$/.exec(text)
  const address = canonicalIp(match?.[1] ?? text)
  const port = Number(match?.[2] ?? DNS_PORT)
  if (address !== undefined && port <= 65_535) return { address, port }
  throw new ConfigError(
    '--listen',
    `--listen ${JSON.stringify(text)} is no address with a port`,
    '--listen 192.0.2.53:53, or --listen [2001:db8::53]:53',
  )
}

/** `NAME=ADDRESS`, given again for further addresses. Without any: `ns1.ZONE` at the addresses that we listen on. */
function readNameServers(
  given: readonly string[],
  zone: string,
  listen: readonly Endpoint[],
): { readonly name: string; readonly addresses: readonly string[] }[] {
  if (given.length === 0) {
    const own = listen.map(({ address }) => address).filter((address) => address !== '0.0.0.0' && address !== '::')
    return [{ name: `ns1.${zone}`, addresses: own }]
  }
  const servers = Map.groupBy(given, (text) => readZoneName('--ns', text.split('=')[0] ?? ''))
  return [...servers].map(([name, texts]) => ({
    name,
    addresses: texts.flatMap((text) => text.split('=').slice(1)).map((address) => readAddress('--ns', address)),
  }))
}
