/**
 * The settings of the exits campaign: types, defaults, bounds and documentation in one table.
 *
 * A setting is a key of the table `[exits]`, a flag of `candor exits run` and a variable `CANDOR_EXITS_…`.
 */
import type { z } from 'zod'
import type { Limit } from '../core/limit.ts'
import type { ExitPace } from '../model/exit-options.ts'
import type { ExitMode } from '../model/exit-result.ts'
import * as limits from './exit-limits.ts'
import {
  choice,
  duration,
  flag,
  integer,
  optionalText,
  text,
  textList,
  type Setting,
  type SettingGroup,
} from './setting.ts'

/** The severities of `--fail-on`, mildest first after `none`. */
export const FAIL_ON = ['none', 'low', 'medium', 'high', 'critical'] as const
/** A value of `--fail-on`. */
export type FailOn = (typeof FAIL_ON)[number]

/** The formats of records on stdout. */
export const RECORD_FORMATS = ['table', 'jsonl', 'csv', 'md'] as const
/** A value of `--format`. */
export type RecordFormat = (typeof RECORD_FORMATS)[number]

const MODES: readonly (ExitMode | 'auto')[] = ['wildcard', 'nxdomain', 'stable', 'auto']
const PROFILES: readonly ExitPace['profile'][] = ['conservative', 'default', 'aggressive', 'fast']

/** The values of all settings, as given; `null` where nothing was. Durations are in milliseconds. */
export interface ExitSettings {
  readonly exit: readonly string[]
  readonly exitFile: string | null
  readonly optOutFile: string | null
  readonly country: readonly string[]
  readonly firstHop: readonly string[]
  readonly allExits: boolean
  readonly badExits: boolean
  readonly shard: string
  readonly torDir: string | null
  readonly torrcAppend: string | null
  readonly control: string | null
  readonly controlPassword: string | null
  readonly analysisDir: string
  readonly perRelay: boolean
  readonly runId: string | null
  readonly resume: boolean
  readonly seed: string | null
  readonly mode: ExitMode | 'auto'
  readonly domain: string | null
  readonly expect: readonly string[]
  readonly secondDomain: string | null
  readonly secondExpect: readonly string[]
  readonly nxdomainDomain: string | null
  readonly stableDomains: string | null
  readonly decoys: string | null
  readonly directResolver: string | null
  readonly secondDirectResolver: string | null
  readonly authorityLog: string | null
  readonly host: string | null
  readonly port: number | null
  readonly module: readonly string[]
  readonly profile: ExitPace['profile']
  readonly buildDelay: number | null
  readonly delayNoise: number | null
  readonly circuitsPerSecond: number | null
  readonly queryTimeout: number | null
  readonly attempts: number | null
  readonly retryDelay: number | null
  readonly inFlight: number
  readonly perFirstHop: number | null
  readonly crossValidate: number
  readonly hops: number
  readonly deadline: number
  readonly quietHours: string | null
  readonly failOn: FailOn
  readonly statusFile: string | null
  readonly skipIfBusy: boolean
  readonly format: RecordFormat | null
}

/** A setting of the campaign, under its name in {@link ExitSettings}. */
type ExitSettingTable = { readonly [K in keyof ExitSettings]: Setting<ExitSettings[K]> }

/** Every setting of the campaign; the order is that of `--help`. */
export const EXIT_SETTINGS: ExitSettingTable = {
  exit: list('exit', '-e', 'fingerprint', 'test these exits only', 'A'.repeat(40)),
  exitFile: path('exit-file', '-E', 'test the exits in this file only: one fingerprint a line, # begins a comment'),
  optOutFile: path('opt-out-file', undefined, 'never test the relays in this file, whatever else is asked for'),
  country: list('country', '-C', 'code', 'test exits in these countries only', 'DE'),
  firstHop: list('first-hop', undefined, 'fingerprint', 'build all circuits through these relays', 'B'.repeat(40)),
  allExits: toggle('all-exits', 'test exits with the BadExit flag as well', true),
  badExits: toggle('bad-exits', 'test exits with the BadExit flag only', false),
  shard: {
    name: 'shard',
    placeholder: 'n/m',
    schema: text,
    default: '0/1',
    description: 'test part N of M, N from 0 to M − 1; all parts share one --run-id',
    example: '0/3',
  },
  torDir: path('tor-dir', undefined, 'data directory of our Tor process', 'tor', 'inside the analysis directory'),
  torrcAppend: path('torrc-append', undefined, 'add the lines of this file to the torrc of our Tor', 'bridges.torrc'),
  control: value('control', 'address|socket', 'use a Tor that already runs, by its control port', '127.0.0.1:9051'),
  controlPassword: { ...value('control-password', 'text', 'password of that control port', 'secret'), isSecret: true },
  analysisDir: {
    name: 'analysis-dir',
    placeholder: 'directory',
    schema: text,
    default: 'results',
    description: 'where journal and reports are written',
    example: 'results',
  },
  perRelay: toggle('per-relay', 'write result_FINGERPRINT.json for each relay as well', false),
  runId: value('run-id', 'digits', 'id of the run: 14 digits, a time in UTC', '20260131235959', 'now'),
  resume: toggle('resume', 'go on with an interrupted run: the one of --run-id, else the newest', false),
  seed: value('seed', 'text', 'repeat the plan of a run with this seed', 'b1946ac92492d234', 'a new one'),
  mode: {
    name: 'mode',
    placeholder: 'mode',
    schema: choice(MODES),
    default: 'wildcard',
    description: 'what is asked: wildcard, nxdomain, stable, or auto (the first of them that works)',
    example: 'wildcard',
  },
  domain: value('domain', 'name', 'the wildcard zone that you serve', 'probe.zone.example'),
  expect: list('expect', undefined, 'address', 'the addresses that the zone answers with', '192.0.2.1'),
  secondDomain: value('second-domain', 'name', 'a second wildcard zone, on another server', 'probe.other.example'),
  secondExpect: list('second-expect', undefined, 'address', 'the addresses of the second zone', '192.0.2.2'),
  nxdomainDomain: value(
    'nxdomain-domain',
    'name',
    'a zone without names, for mode nxdomain',
    'nothing.zone.example',
    'a random label under invalid.',
  ),
  stableDomains: path('stable-domains', undefined, 'names that resolve everywhere, for mode stable: one a line'),
  decoys: path('decoys', undefined, 'other names with their right addresses to mix in: `NAME ADDRESS…` a line'),
  directResolver: value(
    'direct-resolver',
    'address#port',
    'where the zone is asked without Tor; without it, the resolver of this system',
    '192.0.2.53#53',
  ),
  secondDirectResolver: value(
    'second-direct-resolver',
    'address#port',
    'the same for the second zone',
    '192.0.2.54#53',
  ),
  authorityLog: path('authority-log', undefined, 'join the query log of `candor authority`', 'queries.jsonl'),
  host: { ...value('host', 'name', 'target of modules that connect somewhere', 'www.zone.example'), short: '-H' },
  port: {
    name: 'port',
    short: '-p',
    placeholder: 'number',
    schema: integer(limits.PORT).nullable(),
    default: null,
    defaultText: String(limits.PORT.default),
    limit: limits.PORT,
    description: 'port of that target',
    example: '443',
  },
  module: list('module', undefined, 'file', 'run a module of your own as well', './my-module.ts'),
  profile: {
    name: 'profile',
    placeholder: 'name',
    schema: choice(PROFILES),
    default: 'default',
    description: 'pace: conservative, default, aggressive or fast',
    example: 'conservative',
  },
  buildDelay: paced('build-delay', limits.BUILD_DELAY, 'pause between circuits', '2'),
  delayNoise: paced('delay-noise', limits.DELAY_NOISE, 'largest random part of that pause', '1'),
  circuitsPerSecond: pacedInteger(
    'circuits-per-second',
    limits.CIRCUITS_PER_SECOND,
    'circuits a second at most, 0 for no bound',
    '5',
  ),
  queryTimeout: paced('query-timeout', limits.QUERY_TIMEOUT, 'how long one answer is waited for', '10'),
  attempts: pacedInteger('attempts', limits.ATTEMPTS, 'questions on one circuit until one is answered', '2'),
  retryDelay: paced('retry-delay', limits.RETRY_DELAY, 'pause between questions on one circuit', '0.5'),
  inFlight: bounded('in-flight', limits.IN_FLIGHT, 'relays under test at once'),
  perFirstHop: {
    name: 'per-first-hop',
    placeholder: 'number',
    schema: integer(limits.PER_FIRST_HOP).nullable(),
    default: null,
    defaultText: `${limits.PER_FIRST_HOP.default}; no bound with --first-hop`,
    limit: limits.PER_FIRST_HOP,
    description: 'circuits at once through one first hop',
    example: `${limits.PER_FIRST_HOP.default}`,
  },
  crossValidate: bounded(
    'cross-validate',
    limits.CROSS_VALIDATE,
    'circuits per relay at once, over different first hops',
  ),
  hops: bounded('hops', limits.HOPS, 'relays on a circuit'),
  deadline: {
    name: 'deadline',
    placeholder: 'seconds',
    schema: duration(limits.DEADLINE),
    default: limits.DEADLINE.default,
    limit: limits.DEADLINE,
    description: 'end the run after this time; what is left is not_tested',
    example: '6h',
  },
  quietHours: value('quiet-hours', 'hh:mm-hh:mm', 'build no circuit between these times, UTC', '23:00-06:00'),
  failOn: {
    name: 'fail-on',
    placeholder: 'severity',
    schema: choice(FAIL_ON),
    default: 'none',
    description: 'exit status 4 for findings from this severity: none, low, medium, high or critical',
    example: 'high',
  },
  statusFile: path('status-file', undefined, 'write the progress to this file, as JSON', 'status.json'),
  skipIfBusy: toggle('skip-if-busy', 'exit status 0 where another run holds the directory', false),
  format: {
    name: 'format',
    placeholder: 'format',
    schema: choice(RECORD_FORMATS).nullable(),
    default: null,
    defaultText: 'table on a terminal, else jsonl',
    description: 'records on stdout: table, jsonl, csv or md',
    example: 'jsonl',
  },
}

/** The table `[exits]` of the configuration file. */
export const EXIT_SETTING_GROUP: SettingGroup = {
  table: 'exits',
  title: '`candor exits run`',
  settings: Object.values(EXIT_SETTINGS),
}

function value(
  name: string,
  placeholder: string,
  description: string,
  example: string,
  defaultText?: string,
): Setting<string | null> {
  return {
    name,
    placeholder,
    schema: optionalText,
    default: null,
    description,
    example,
    ...(defaultText === undefined ? {} : { defaultText }),
  }
}

function path(
  name: string,
  short: string | undefined,
  description: string,
  example: string = `${name}.txt`,
  defaultText?: string,
): Setting<string | null> {
  return { ...value(name, 'path', description, example, defaultText), ...(short === undefined ? {} : { short }) }
}

function list(
  name: string,
  short: string | undefined,
  placeholder: string,
  description: string,
  example: string,
): Setting<readonly string[]> {
  const setting = { name, placeholder, isList: true, schema: textList, default: [], description, example }
  return short === undefined ? setting : { ...setting, short }
}

function toggle(name: string, description: string, defaultValue: boolean): Setting<boolean> {
  return { name, schema: flag, default: defaultValue, description, example: String(!defaultValue) }
}

function bounded(name: string, limit: Limit, description: string): Setting<number> {
  const schema: z.ZodType<number> = integer(limit)
  return {
    name,
    placeholder: 'number',
    schema,
    default: limit.default,
    limit,
    description,
    example: `${limit.default}`,
  }
}

/** A setting that the profile sets unless it is given. */
function paced(name: string, limit: Limit, description: string, example: string): Setting<number | null> {
  const schema = duration(limit).nullable()
  return { name, placeholder: 'seconds', schema, default: null, defaultText: 'by profile', limit, description, example }
}

function pacedInteger(name: string, limit: Limit, description: string, example: string): Setting<number | null> {
  const schema = integer(limit).nullable()
  return { name, placeholder: 'number', schema, default: null, defaultText: 'by profile', limit, description, example }
}
