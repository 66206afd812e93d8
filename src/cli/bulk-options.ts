/** Options of `candor bulk`, from texts to values; every bound has its reason. */
import { ConfigError } from '../core/config-error.ts'
import type { BulkBackendName } from './bulk-job.ts'
import { parseDuration } from '../core/duration.ts'
import type { Limit } from '../core/limit.ts'
import { parseRrType } from '../dns/rr-type.ts'
import { readNumber, type PaceFlags } from './bulk-pace.ts'
import type { BulkResolverFlags } from './bulk-resolvers.ts'

/** What commander gives. */
export interface BulkFlags extends PaceFlags, BulkResolverFlags {
  readonly names: string
  readonly type: string
  readonly deadline?: string
  readonly hedge?: string
  readonly retryRcodes?: string
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
  readonly wildcards?: boolean
}

const RETRIES: Limit = {
  default: 3,
  min: 0,
  max: 12,
  unit: 'retries',
  why: 'with 5 % loss one name in 100,000 is lost',
}
const TIMEOUT: Limit = { default: 500, min: 20, max: 10_000, unit: 'ms', why: 'far resolvers answer within 300 ms' }
const STREAM_TIMEOUT: Limit = { ...TIMEOUT, default: 2_000, why: 'a connection over TLS takes three round trips' }
const HEDGE: Limit = { default: 150, min: 5, max: 10_000, unit: 'ms', why: 'longer than most answers take' }
/** What the lower four bits of the header hold. */
const RCODES = ['NOERROR', 'FORMERR', 'SERVFAIL', 'NXDOMAIN', 'NOTIMP', 'REFUSED']
const BUFFER: Limit = {
  default: 1_232,
  min: 512,
  max: 4_096,
  unit: 'octets',
  why: 'what passes every network in one piece (DNS flag day 2020)',
}

const DEADLINE: Limit = { default: 0, min: 1, max: 2_592_000_000, unit: 'ms', why: 'a run ends with its input' }

/** @throws {ConfigError} */
export function parseTypes(text: string): readonly number[] {
  return text.split(',').map((word) => {
    const type = parseRrType(word.trim())
    if (type === undefined) throw new ConfigError('--type', `\`${word}\` is no record type`, '--type A,AAAA')
    return type
  })
}

/** How often and for how long is asked, and how large answers may be. */
export interface BulkTuning {
  readonly retries: number
  readonly timeoutMs: number
  /** 0 for no OPT record. */
  readonly bufferOctets: number
  readonly retriedRcodes: readonly number[]
  /** `null` for no second resolver. */
  readonly hedgeMs: number | null
  /** `null` for none. */
  readonly deadlineMs: number | null
}

/**
 * @param hasStreams - Whether resolvers are asked over connections.
 * @throws {ConfigError}
 */
export function parseTuning(flags: BulkFlags, hasStreams: boolean): BulkTuning {
  const bufferOctets = flags.bufsize === '0' ? 0 : readNumber(BUFFER, flags.bufsize, '--bufsize')
  if (bufferOctets === 0 && flags.dnssec === true)
    throw new ConfigError('--dnssec', 'the DO bit stands in the OPT record, which --bufsize 0 leaves out', '--dnssec')
  if (flags.hedge !== undefined && !hasStreams && flags.trusted === undefined) {
    const fix = 'a shorter --timeout asks the next resolver sooner'
    throw new ConfigError('--hedge', 'a second resolver is asked where resolvers are asked over connections', fix)
  }
  return {
    retries: readNumber(RETRIES, flags.retries, '--retries'),
    timeoutMs: readNumber(hasStreams ? STREAM_TIMEOUT : TIMEOUT, flags.timeout, '--timeout'),
    bufferOctets,
    retriedRcodes: flags.retryRcodes?.split(',').map(readRcode) ?? [],
    hedgeMs: flags.hedge === undefined ? null : readNumber(HEDGE, flags.hedge, '--hedge'),
    deadlineMs: parseDeadline(flags.deadline),
  }
}

function readRcode(word: string): number {
  const rcode = RCODES.indexOf(word.trim().toUpperCase())
  if (rcode >= 0) return rcode
  throw new ConfigError(
    '--retry-rcodes',
    `\`${word.slice(0, 40)}\` is none of ${RCODES.join(', ')}`,
    '--retry-rcodes SERVFAIL,REFUSED',
  )
}

function parseDeadline(text: string | undefined): number | null {
  if (text === undefined) return null
  const parsedMs = parseDuration(text)
  if (parsedMs >= DEADLINE.min && parsedMs <= DEADLINE.max) return parsedMs
  throw new ConfigError(`--deadline ${text.slice(0, 40)}`, 'it is no duration', '--deadline 10m, 500ms or 6h')
}
