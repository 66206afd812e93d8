/**
 * From settings to the options of a run: checks what one value alone does not show, and reads what the named files say.
 *
 * Invariant: whoever gets {@link ExitRunOptions} from here need not check them again.
 */
import { formatCompactTime, parseTime } from '../core/clock.ts'
import { ConfigError } from '../core/config-error.ts'
import type { ExitPace, ExitRunOptions, ExitSelection } from '../model/exit-options.ts'
import {
  checkAddress,
  checkDomain,
  parseDecoyFile,
  parseFingerprint,
  parseFingerprintFile,
  parseNameFile,
  parseOptOutFile,
} from './exit-list-files.ts'
import { PER_FIRST_HOP, PORT } from './exit-limits.ts'
import type { ExitSettings } from './exit-settings.ts'
import type { GeneralSettings } from './general-settings.ts'
import { PACE_PROFILES } from './pace-profiles.ts'

/** What a run id, an attempt number, a time, a fingerprint and their dots take of a name. */
const QUERY_PREFIX_OCTETS = 14 + 1 + 3 + 1 + 17 + 1 + 40 + 1
const DOMAIN_OCTETS_MAX = 253 - QUERY_PREFIX_OCTETS
/** More shards than there are exits make no sense. */
const SHARDS_MAX = 1024

/** What the settings do not say themselves. */
export interface RunCircumstances {
  /** Modules named on the command line; empty means `dnshealth`, or only those of `--module`. */
  readonly modules: readonly string[]
  /** Reads a file that a setting names. @throws {ConfigError} When it cannot be read. */
  readonly readFile: (option: string, path: string) => Promise<string>
  readonly wallNowMs: number
  /** Used where no seed was given. */
  readonly newSeed: () => string
}

/** @throws {ConfigError} When the settings contradict each other, or a value or file cannot be used. */
export async function toExitRunOptions(
  settings: ExitSettings,
  general: GeneralSettings,
  circumstances: RunCircumstances,
): Promise<ExitRunOptions> {
  // Whoever names a file of their own and nothing else wants that and nothing else.
  const byDefault = settings.module.length === 0 ? ['dnshealth'] : []
  const modules = circumstances.modules.length === 0 ? byDefault : circumstances.modules
  const read = async <T>(
    option: string,
    path: string | null,
    parse: (path: string, text: string) => readonly T[],
  ): Promise<readonly T[]> => (path === null ? [] : parse(path, await circumstances.readFile(option, path)))
  const exits = await read('--exit-file', settings.exitFile, parseFingerprintFile)
  const optedOut = await read('--opt-out-file', settings.optOutFile, parseOptOutFile)
  const options: ExitRunOptions = {
    runId: parseRunId(settings.runId) ?? formatCompactTime(circumstances.wallNowMs),
    seed: settings.seed ?? circumstances.newSeed(),
    mode: settings.mode,
    domain: checkZone('--domain', settings.domain),
    expect: checkAddresses('--expect', settings.expect),
    secondDomain: checkZone('--second-domain', settings.secondDomain),
    secondExpect: checkAddresses('--second-expect', settings.secondExpect),
    nxdomainDomain: checkZone('--nxdomain-domain', settings.nxdomainDomain),
    stableDomains: await read('--stable-domains', settings.stableDomains, parseNameFile),
    decoys: await read('--decoys', settings.decoys, parseDecoyFile),
    directResolver: parseResolver('--direct-resolver', settings.directResolver),
    secondDirectResolver: parseResolver('--second-direct-resolver', settings.secondDirectResolver),
    selection: { ...toSelection(settings, exits), optedOut },
    firstHops: checkFingerprints('--first-hop', settings.firstHop),
    crossValidate: settings.crossValidate,
    hops: settings.hops === 3 ? 3 : 2,
    pace: toPace(settings),
    inFlight: settings.inFlight,
    // The bound protects other people's guards; a hop that is named is one's own, or agreed upon.
    perFirstHop: settings.perFirstHop ?? (settings.firstHop.length > 0 ? Infinity : PER_FIRST_HOP.default),
    deadlineMs: settings.deadline,
    analysisDir: settings.analysisDir,
    perRelayFiles: settings.perRelay,
    dataDir: general.dataDir,
    resume: settings.resume,
    authorityLog: settings.authorityLog,
    modules,
    moduleFiles: settings.module,
    target: toTarget(settings),
    quietHours: parseQuietHours(settings.quietHours),
  }
  if (modules.includes('dnshealth')) checkMode(options)
  checkPair('--second-domain', options.secondDomain, '--second-expect', options.secondExpect)
  return options
}

function toPace(settings: ExitSettings): ExitPace {
  const profile = PACE_PROFILES[settings.profile]
  return {
    profile: settings.profile,
    buildDelayMs: settings.buildDelay ?? profile.buildDelayMs,
    delayNoiseMs: settings.delayNoise ?? profile.delayNoiseMs,
    circuitsPerSecond: settings.circuitsPerSecond ?? profile.circuitsPerSecond,
    queryTimeoutMs: settings.queryTimeout ?? profile.queryTimeoutMs,
    attempts: settings.attempts ?? profile.attempts,
    retryDelayMs: settings.retryDelay ?? profile.retryDelayMs,
  }
}

function toSelection(settings: ExitSettings, fromFile: readonly string[]): Omit<ExitSelection, 'optedOut'> {
  const countries = settings.country.map((code) => {
    if (/^[a-z]{2}$/i.test(code)) return code.toUpperCase()
    throw new ConfigError('--country', `'${code}' is no country code`, '--country DE (two letters, ISO 3166)')
  })
  return {
    fingerprints: [...new Set([...checkFingerprints('--exit', settings.exit), ...fromFile])],
    countries,
    badExits: settings.badExits ? 'only' : settings.allExits ? 'include' : 'exclude',
    shard: parseShard(settings.shard),
  }
}

function checkFingerprints(path: string, texts: readonly string[]): readonly string[] {
  return texts.map((text) => {
    const fingerprint = parseFingerprint(text)
    if (fingerprint !== undefined) return fingerprint
    throw new ConfigError(
      path,
      `'${text.slice(0, 60)}' is no fingerprint`,
      `${path} ${'A'.repeat(40)} (40 hexadecimal digits)`,
    )
  })
}

function checkAddresses(path: string, texts: readonly string[]): readonly string[] {
  return texts.map((text) =>
    checkAddress(text, path, `${path} 192.0.2.1 --expect 2001:db8::1`.replaceAll('--expect', path)),
  )
}

/** A zone under which names are made up: it must leave room for them. */
function checkZone(path: string, text: string | null): string | null {
  if (text === null) return null
  const name = checkDomain(text, path, `${path} probe.zone.example`)
  if (name.length <= DOMAIN_OCTETS_MAX) return name
  throw new ConfigError(
    path,
    `the names of a run would have up to ${QUERY_PREFIX_OCTETS + name.length} octets, more than 253: run id, attempt, ` +
      `time and fingerprint take ${QUERY_PREFIX_OCTETS} and the zone ${name.length}`,
    `${path} with a zone of at most ${DOMAIN_OCTETS_MAX} octets, for example ${path} probe.zone.example`,
  )
}

function checkMode(options: ExitRunOptions): void {
  if (options.mode === 'stable' && options.stableDomains.length === 0)
    throw new ConfigError(
      '--mode stable',
      "no third party's names are built in, and --stable-domains is not given",
      '--mode stable --stable-domains FILE, one name a line',
    )
  if (options.stableDomains.length === 1 && (options.mode === 'stable' || options.mode === 'auto'))
    throw new ConfigError(
      '--stable-domains',
      'there is one name in the file, and one that fails proves nothing',
      '--stable-domains FILE with at least two names, one a line',
    )
  if (options.mode !== 'wildcard' && options.mode !== 'auto') return
  if (options.domain === null && options.mode === 'auto') return
  if (options.domain === null)
    throw new ConfigError(
      'mode wildcard without --domain',
      'it asks for names in a zone of yours, and no zone is built in',
      [
        'serve a zone, then name it:',
        '  1. delegate a name to this machine, in the zone above: `probe IN NS ns.probe` and `ns.probe IN A ADDRESS`',
        '  2. candor authority --zone probe.zone.example --expect 192.0.2.1 --listen ADDRESS:53 --log queries.jsonl',
        '  3. candor exits run --domain probe.zone.example --expect 192.0.2.1 --authority-log queries.jsonl',
        'or measure less, without a zone: candor exits run --mode nxdomain',
      ].join('\n'),
    )
  checkPair('--domain', options.domain, '--expect', options.expect)
}

function checkPair(domainFlag: string, domain: string | null, expectFlag: string, expect: readonly string[]): void {
  const example = `${domainFlag} ${domain ?? 'probe.zone.example'} ${expectFlag} ${expect[0] ?? '192.0.2.1'}`
  if ((domain === null) === (expect.length === 0)) {
    if (domain === null || expect.some((address) => !address.includes(':'))) return
    throw new ConfigError(
      expectFlag,
      'no address of it is an IPv4 address, and the verdict about an exit is the one about A',
      `${example} ${expectFlag} 192.0.2.1, with a zone that has both`,
    )
  }
  const missing = domain === null ? domainFlag : expectFlag
  throw new ConfigError(
    missing,
    `${domainFlag} and ${expectFlag} belong together, and ${missing} is not given`,
    example,
  )
}

/** Reads `N/M`. @throws {ConfigError} Unless 0 ≤ N < M. */
function parseShard(text: string): { readonly index: number; readonly count: number } {
  const match = /^(\d{1,4})\/(\d{1,4})$/.exec(text)
  const [index, count] = [Number(match?.[1] ?? -1), Number(match?.[2] ?? 0)]
  if (match !== null && index < count && count <= SHARDS_MAX) return { index, count }
  const last = count > 0 && count <= SHARDS_MAX ? count - 1 : 2
  throw new ConfigError(
    `--shard ${text.slice(0, 20)}`,
    match === null
      ? 'a shard is written N/M'
      : count > SHARDS_MAX
        ? `there are at most ${SHARDS_MAX} shards`
        : `shards are counted from 0, so the last of ${count} is ${Math.max(count - 1, 0)}`,
    `--shard ${last}/${last + 1}`,
  )
}

/** Reads 14 digits, with or without the underscore of file names. */
function parseRunId(text: string | null): string | undefined {
  if (text === null) return undefined
  const id = text.replace('_', '')
  const parts = /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)$/.exec(id)
  const iso = parts === null ? '' : `${parts.slice(1, 4).join('-')}T${parts.slice(4).join(':')}Z`
  if (parts !== null && !Number.isNaN(parseTime(iso))) return id
  throw new ConfigError(
    '--run-id',
    `'${text.slice(0, 40)}' is no time in UTC`,
    '--run-id 20260131235959 (14 digits, YYYYMMDDHHMMSS)',
  )
}

/** Reads `address#port`, `address:port` or an address alone (port 53). */
function parseResolver(path: string, text: string | null): { readonly address: string; readonly port: number } | null {
  if (text === null) return null
  const example = `${path} 192.0.2.53#53`
  const match = /^(.+)#(\d{1,5})$/.exec(text) ?? /^\[(.+)\]:(\d{1,5})$/.exec(text) ?? /^([\d.]+):(\d{1,5})$/.exec(text)
  const port = Number(match?.[2] ?? 53)
  if (port < 1 || port > 65_535) throw new ConfigError(path, `${port} is no port`, example)
  return { address: checkAddress(match?.[1] ?? text, path, example), port }
}

function toTarget({ host, port }: ExitSettings): ExitRunOptions['target'] {
  if (host !== null) return { host, port: port ?? PORT.default }
  if (port === null) return null
  throw new ConfigError(
    '--port',
    'it is the port of a target, and --host is not given',
    `--host www.zone.example --port ${port}`,
  )
}

function parseQuietHours(text: string | null): ExitRunOptions['quietHours'] {
  if (text === null) return null
  const match = /^([01]\d|2[0-3]):([0-5]\d)-([01]\d|2[0-3]):([0-5]\d)$/.exec(text)
  const [fromMinute, toMinute] = [
    Number(match?.[1]) * 60 + Number(match?.[2]),
    Number(match?.[3]) * 60 + Number(match?.[4]),
  ]
  if (match !== null && fromMinute !== toMinute) return { fromMinute, toMinute }
  throw new ConfigError(
    '--quiet-hours',
    `'${text.slice(0, 40)}' is no span of the day`,
    '--quiet-hours 23:00-06:00 (UTC)',
  )
}
