/**
 * Options of a run over open resolvers, and what they amount to: the plan, which stands in the journal, so that a run that is
 * resumed asks as it began.
 */
import { Option, type Command } from 'commander'
import type { OutputFormat } from '../campaigns/satellite/convert-row.ts'
import type { AskCaps } from '../campaigns/satellite/dns-asker.ts'
import type { InfrastructurePolicy } from '../campaigns/satellite/infrastructure-policy.ts'
import type { MeasuringPolicy } from '../campaigns/satellite/query-policy.ts'
import { FAIL_ON, type FailOn } from '../config/exit-settings.ts'
import { ConfigError } from '../core/config-error.ts'
import { parseDuration } from '../core/duration.ts'
import { canonicalIp } from '../core/ip-address.ts'
import { checkLimit, type Limit } from '../core/limit.ts'
import { parseName } from '../dns/name.ts'
import { addRecordsOption } from './satellite-options.ts'

const PER_RESOLVER: Limit = {
  default: 0.5,
  min: 0.01,
  max: 10,
  unit: 'queries/s',
  why: 'nobody asked to be measured, and notices nothing of one query in two seconds',
}
const PER_PREFIX: Limit = {
  default: 5,
  min: 0.01,
  max: 100,
  unit: 'queries/s',
  why: 'what stands in one /24 is often one machine, and has one line',
}
const PER_AS: Limit = {
  default: 100,
  min: 0.01,
  max: 1_000,
  unit: 'queries/s',
  why: 'no operator carries more than a small share of a scan',
}
const RATE: Limit = {
  default: 3_000,
  min: 0.01,
  max: 100_000,
  unit: 'queries/s',
  why: '40 million queries in four hours, as the published scans',
}
const TIMEOUT: Limit = {
  default: 3_000,
  min: 50,
  max: 30_000,
  unit: 'ms',
  why: 'slow resolvers at the other end of the world answer within two seconds',
}

/** Files that a run is given; copies of them stand in its journal. */
export const RUN_INPUTS = [
  'addresses',
  'ranges',
  'zmap-output',
  'zmap-config',
  'domains',
  'control',
  'special',
  'non-resolvers',
  'blocklist',
  'opt-out',
  'tags',
  'block-addresses',
  'blockpage-signatures',
  'false-positive-signatures',
] as const

/** Name of an input. */
export type RunInput = (typeof RUN_INPUTS)[number]

/** What was typed; `undefined` where nothing was. */
export interface RunFlags extends Readonly<Partial<Record<string, unknown>>> {
  readonly output?: string
  readonly resume?: string
  readonly statusFile?: string
  readonly records?: 'table' | 'jsonl'
  readonly announce?: boolean
  readonly failOn?: FailOn
  readonly contact?: string
}

/** Everything that decides what a run measures and how it is written; JSON. */
export interface RunPlan {
  readonly seed: string
  readonly format: Exclude<OutputFormat, 'source'>
  readonly policy: MeasuringPolicy
  readonly infrastructure: InfrastructurePolicy
  readonly one_per_prefix: boolean
  readonly probe_name: string | null
  readonly probe_answers: readonly string[]
  readonly liveness_name: string
  readonly whoami_name: string | null
  readonly ptr_resolvers: readonly string[]
  readonly may_fetch: boolean
  readonly cdn_match: 'anywhere' | 'anchored'
  readonly publish_as: 'results_verified.json' | 'results.json'
  readonly timeout_ms: number
  readonly caps: AskCaps
}

const INPUT_TEXTS: Readonly<Record<RunInput, string>> = {
  addresses: 'who is probed by our own prober: one address or prefix a line',
  ranges: 'what ZMap probes: one prefix a line',
  'zmap-output': 'a ZMap result instead of a probe: JSON Lines with saddr and data, or dns_* fields',
  'zmap-config': 'ZMap’s own configuration: interface, gateway and the like',
  domains: 'the names to be tested, one a line',
  control: 'control resolvers, ADDRESS [NAME] a line (default: those of seven operators)',
  special: 'resolvers that are asked whatever their names are, ADDRESS [NAME] a line',
  'non-resolvers': 'addresses that are no resolvers: an answer from them was injected on the way',
  blocklist: 'addresses and prefixes that are never probed; a probe does not start without it',
  'opt-out': 'who does not want to be asked: addresses, prefixes, AS64500, *.example.net',
  tags: 'tags of addresses that somebody else found: JSON Lines with ip, http, cert, asnum, asname',
  'block-addresses': 'addresses of known block pages, for the evidence rules',
  'blockpage-signatures': 'JSON Lines with fingerprint and pattern',
  'false-positive-signatures': 'the same, tried first',
}

/** Adds the options that every stage knows. */
export function addRunOptions(command: Command): void {
  for (const name of RUN_INPUTS) command.option(`--${name} <file>`, INPUT_TEXTS[name])
  command
    .option('--probe-name <name>', 'a name of your own that resolvers are probed with')
    .option(
      '--probe-answer <addresses>',
      'its addresses, with commas between (default: what the control resolvers say)',
    )
    .option('--liveness-name <name>', 'the control name (default: a.root-servers.net)')
    .option('--whoami-name <name>', 'a name whose address is whoever asks its authority: tells who shares an upstream')
    .option('--ptr-resolver <addresses>', 'who is asked for names of addresses (default: the control resolvers)')
    .addOption(new Option('--policy <policy>', 'what is asked of a pair (default: v2.2)').choices(['v2.0', 'v2.2']))
    .addOption(
      new Option('--format <flavour>', 'the flavour that is written (default: v2.2)').choices([
        'v1',
        'v2.0',
        'v2.1',
        'v2.2',
      ]),
    )
    .addOption(
      new Option('--infrastructure <policy>', 'which names make a resolver infrastructure (default: iris)').choices([
        'iris',
        'ns-or-dns-label',
        'any-ptr',
      ]),
    )
    .option('--one-per-prefix', 'at most one resolver of each /24 (IPv6 /48)')
    .option('--seed <text>', 'repeats the order and the ids of a run')
    .option('--timeout <duration>', `for each query (default: ${TIMEOUT.default}ms)`)
    .option('--per-resolver <number>', `queries per second at most (default: ${PER_RESOLVER.default})`)
    .option('--per-prefix <number>', `for each /24, IPv6 /48 (default: ${PER_PREFIX.default})`)
    .option('--per-as <number>', `for each autonomous system (default: ${PER_AS.default})`)
    .option('--rate <number>', `of all together (default: ${RATE.default})`)
    .option('--i-have-permission-to-fetch', 'fetch pages and certificates from addresses in answers')
    .addOption(
      new Option('--cdn-match <where>', 'where the name of a content network stands (default: anywhere)').choices([
        'anywhere',
        'anchored',
      ]),
    )
    .addOption(
      new Option('--publish-as <name>', 'name of the verified rows (default: results_verified.json)').choices([
        'results_verified.json',
        'results.json',
      ]),
    )
    .addOption(new Option('--fail-on <severity>', 'exit status 4 for findings at or above it').choices(FAIL_ON))
    .option('--status-file <file>', 'JSON that says where the run stands, replaced twice a second')
  addRecordsOption(command)
}

/** The plan that flags make, over that of a run that was begun. @throws {ConfigError} */
export function planOf(flags: RunFlags, begun: RunPlan | undefined, newSeed: () => string): RunPlan {
  const text = (name: string): string | undefined => {
    const value = flags[name]
    return typeof value === 'string' ? value : undefined
  }
  const choice = <Value extends string>(name: string, before: Value | undefined, initial: Value): Value =>
    (text(name) as Value | undefined) ?? before ?? initial
  return {
    seed: text('seed') ?? begun?.seed ?? newSeed(),
    format: choice('format', begun?.format, 'v2.2'),
    policy: choice('policy', begun?.policy, 'v2.2'),
    infrastructure: choice('infrastructure', begun?.infrastructure, 'iris'),
    one_per_prefix: flags['onePerPrefix'] === true || begun?.one_per_prefix === true,
    probe_name: readName('--probe-name', text('probeName')) ?? begun?.probe_name ?? null,
    probe_answers: readAddresses('--probe-answer', text('probeAnswer')) ?? begun?.probe_answers ?? [],
    liveness_name: readName('--liveness-name', text('livenessName')) ?? begun?.liveness_name ?? 'a.root-servers.net',
    whoami_name: readName('--whoami-name', text('whoamiName')) ?? begun?.whoami_name ?? null,
    ptr_resolvers: readAddresses('--ptr-resolver', text('ptrResolver')) ?? begun?.ptr_resolvers ?? [],
    may_fetch: flags['iHavePermissionToFetch'] === true || begun?.may_fetch === true,
    cdn_match: choice('cdnMatch', begun?.cdn_match, 'anywhere'),
    publish_as: choice('publishAs', begun?.publish_as, 'results_verified.json'),
    timeout_ms: readTimeout(text('timeout')) ?? begun?.timeout_ms ?? TIMEOUT.default,
    caps: capsOf(text, begun?.caps),
  }
}

function capsOf(text: (name: string) => string | undefined, begun: AskCaps | undefined): AskCaps {
  const cap = (limit: Limit, name: string, option: string, before: number | undefined): number => {
    const given = text(name)
    return given === undefined ? (before ?? limit.default) : checkLimit(limit, Number(given), option)
  }
  const names = ['perResolver', 'perPrefix', 'perAs', 'rate']
  return {
    perResolver: cap(PER_RESOLVER, 'perResolver', '--per-resolver', begun?.perResolver),
    perPrefix: cap(PER_PREFIX, 'perPrefix', '--per-prefix', begun?.perPrefix),
    perAs: cap(PER_AS, 'perAs', '--per-as', begun?.perAs),
    rate: cap(RATE, 'rate', '--rate', begun?.rate),
    isAskedFor: begun?.isAskedFor === true || names.some((name) => text(name) !== undefined),
  }
}

function readName(option: string, text: string | undefined): string | undefined {
  if (text === undefined) return undefined
  const name = text.replace(/\.$/, '').toLowerCase()
  if (parseName(name) !== undefined) return name
  throw new ConfigError(option, `\`${text}\` is no domain name`, `${option} control.example.net`)
}

function readAddresses(option: string, text: string | undefined): readonly string[] | undefined {
  return text?.split(',').map((word) => {
    const address = canonicalIp(word.trim())
    if (address !== undefined) return address
    throw new ConfigError(option, `\`${word}\` is no address`, `${option} 192.0.2.1,192.0.2.2`)
  })
}

function readTimeout(text: string | undefined): number | undefined {
  return text === undefined ? undefined : checkLimit(TIMEOUT, parseDuration(text), '--timeout')
}
