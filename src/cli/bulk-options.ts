/** Options of `candor bulk`, from texts to values; every bound has its reason. */
import { ConfigError } from '../core/config-error.ts'
import type { BulkBackendName } from './bulk-job.ts'
import { checkLimit, type Limit } from '../core/limit.ts'
import { parseRrType } from '../dns/rr-type.ts'
import type { BulkResolver } from '../net/bulk-backend.ts'
import type { BulkPace } from '../measure/bulk/resolver-queues.ts'

/** What commander gives. */
export interface BulkFlags {
  readonly names: string
  readonly type: string
  readonly resolvers: string
  readonly rate?: string
  readonly perResolver?: string
  readonly retries?: string
  readonly timeout?: string
  readonly bufsize?: string
  readonly recurse: boolean
  readonly dnssec?: boolean
  readonly strangers?: boolean
  readonly output?: string
  readonly format: 'jsonl' | 'bin' | 'parquet'
  readonly resume?: boolean
  readonly statusFile?: string
  readonly backend: 'auto' | BulkBackendName
  readonly seed?: string
  readonly trusted?: string
  readonly wildcards?: boolean
}

const RATE: Limit = {
  default: 5_000,
  min: 1,
  max: 10_000_000,
  unit: 'queries/s',
  why: 'public resolvers are other people’s machines',
}
const PER_RESOLVER: Limit = {
  default: 50,
  min: 1,
  max: 1_000_000,
  unit: 'queries/s',
  why: 'what the rate limits of public resolvers let pass',
}
const RETRIES: Limit = {
  default: 3,
  min: 0,
  max: 12,
  unit: 'retries',
  why: 'with 5 % loss one name in 100,000 is lost',
}
const TIMEOUT: Limit = { default: 500, min: 20, max: 10_000, unit: 'ms', why: 'far resolvers answer within 300 ms' }
const BUFFER: Limit = {
  default: 1_232,
  min: 512,
  max: 4_096,
  unit: 'octets',
  why: 'what passes every network in one piece (DNS flag day 2020)',
}

/** @throws {ConfigError} */
export function parseTypes(text: string): readonly number[] {
  return text.split(',').map((word) => {
    const type = parseRrType(word.trim())
    if (type === undefined) throw new ConfigError('--type', `\`${word}\` is no record type`, '--type A,AAAA')
    return type
  })
}

/** Which resolvers are paced, and how fast queries go: what was asked for holds for all, the defaults for public ones. */
export function resolvePace(
  flags: Pick<BulkFlags, 'rate' | 'perResolver'>,
  resolvers: readonly BulkResolver[],
): { readonly pace: BulkPace; readonly resolvers: readonly BulkResolver[] } {
  const isUnlimited = flags.rate === 'unlimited'
  const rate = isUnlimited ? 0 : readNumber(RATE, flags.rate, '--rate')
  const perResolver =
    isUnlimited && flags.perResolver === undefined ? 0 : readNumber(PER_RESOLVER, flags.perResolver, '--per-resolver')
  const isForced = (flags.rate !== undefined && !isUnlimited) || flags.perResolver !== undefined
  const isFree = isUnlimited && flags.perResolver === undefined
  return {
    pace: {
      rate: flags.rate === undefined && flags.perResolver !== undefined ? publicRate(resolvers) : rate,
      perResolver: flags.perResolver === undefined && isForced && !hasPublic(resolvers) ? 0 : perResolver,
    },
    resolvers: resolvers.map((resolver) => ({ ...resolver, isPaced: !isFree && (isForced || resolver.isPaced) })),
  }
}

function hasPublic(resolvers: readonly BulkResolver[]): boolean {
  return resolvers.some(({ isPaced }) => isPaced)
}

/** The rate of the whole is there for public resolvers; without one there is none. */
function publicRate(resolvers: readonly BulkResolver[]): number {
  return hasPublic(resolvers) ? RATE.default : 0
}

/** How often and for how long is asked, and how large answers may be. */
export interface BulkTuning {
  readonly retries: number
  readonly timeoutMs: number
  /** 0 for no OPT record. */
  readonly bufferOctets: number
}

/** @throws {ConfigError} */
export function parseTuning(flags: Pick<BulkFlags, 'retries' | 'timeout' | 'bufsize' | 'dnssec'>): BulkTuning {
  const bufferOctets = flags.bufsize === '0' ? 0 : readNumber(BUFFER, flags.bufsize, '--bufsize')
  if (bufferOctets === 0 && flags.dnssec === true)
    throw new ConfigError('--dnssec', 'the DO bit stands in the OPT record, which --bufsize 0 leaves out', '--dnssec')
  return {
    retries: readNumber(RETRIES, flags.retries, '--retries'),
    timeoutMs: readNumber(TIMEOUT, flags.timeout, '--timeout'),
    bufferOctets,
  }
}

function readNumber(limit: Limit, text: string | undefined, option: string): number {
  return checkLimit(limit, text === undefined ? limit.default : /^\d+$/.test(text) ? Number(text) : Number.NaN, option)
}
