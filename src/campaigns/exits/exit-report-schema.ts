/**
 * What a result and its metadata look like in a file, ours or an older scanner's.
 *
 * A field that is missing or of a wrong type becomes its empty value: a report with one odd contact is still a report.
 * What makes a result one (fingerprint, status) has no empty value.
 *
 * **Invariant**: no text of a file is kept longer than its bound, no list longer than its own.
 */
import { z } from 'zod'
import { formatIsoTime, parseTime } from '../../core/clock.ts'
import type { ExitAttempt, ExitErrorCode, ExitFlag, ExitMetadata, ExitResult } from '../../model/exit-result.ts'
import { parseRunId } from './query-name.ts'

const TEXT_CHARS_MAX = 4096
const LIST_ITEMS_MAX = 1000
/** Three circuits, both families, and as many queries as anybody will ever ask on one. */
const ATTEMPTS_MAX = 200

const STATUSES = [
  'success',
  'wrong_ip',
  'dns_fail',
  'timeout',
  'circuit_fail',
  'error',
  'exception',
  'not_tested',
] as const
const MODES = ['wildcard', 'nxdomain', 'stable'] as const
const CODES: ReadonlySet<string> = new Set<ExitErrorCode>([
  'WRONG_ADDRESS',
  'INTERNAL_ADDRESS_SUSPECTED',
  'NXDOMAIN_REWRITTEN',
  'PERMANENT',
  'SERVFAIL_CLASS',
  'SERVFAIL_SLOW',
  'NO_A_ANSWER',
  'RESOLVER_TIMEOUT',
  'NOT_EXITING',
  'HOP1_FAIL',
  'EXIT_FAIL',
  'LEFT_CONSENSUS',
  'STREAM_STALL',
  'EXCEPTION',
  'DEADLINE',
  'RUN_STOPPED',
])
const FLAGS: ReadonlySet<string> = new Set<ExitFlag>([
  'inconsistent',
  'unconfirmed',
  'unsure',
  'confirmed_same_hop',
  'suspected',
  'weak_evidence',
  'decoy_mismatch',
])
/** Codes of the plan → ours. A SOCKS reply 4 proves no NXDOMAIN; its time-out was ours, not the resolver's. */
const PLAN_CODES: Readonly<Record<string, ExitErrorCode>> = {
  NXDOMAIN: 'SOCKS_HOST_UNREACHABLE',
  TIMEOUT: 'STREAM_STALL',
}

const text = z.string().transform((value) => value.slice(0, TEXT_CHARS_MAX))
const textOr = (fallback: string): z.ZodType<string> => text.catch(fallback)
const textOrNull = text.nullable().catch(null)
const number = z.number().catch(0)
const numberOrNull = z.number().nullable().catch(null)
const count = z.number().int().nonnegative().catch(0)
const flag = z.boolean().catch(false)
const mode = z.enum(MODES).catch('wildcard')

/** @returns A list of what is readable in it. */
function listOf<T>(item: z.ZodType<T>, itemsMax = LIST_ITEMS_MAX): z.ZodType<readonly T[]> {
  return z
    .array(z.unknown())
    .catch([])
    .transform((values) =>
      values.slice(0, itemsMax).flatMap((value) => {
        const parsed = item.safeParse(value)
        return parsed.success ? [parsed.data] : []
      }),
    )
}

const code: z.ZodType<ExitErrorCode | null> = z
  .string()
  .transform((value) => {
    const known = Object.hasOwn(PLAN_CODES, value) ? PLAN_CODES[value] : value
    const isCode = known !== undefined && (CODES.has(known) || /^(SOCKS|CONTROL)_[\dA-Z_]{1,60}$/.test(known))
    return isCode ? (known as ExitErrorCode) : null
  })
  .catch(null)

const flags = listOf(z.string().refine((value) => FLAGS.has(value)) as unknown as z.ZodType<ExitFlag>)
const texts = listOf(text)

const attempt: z.ZodType<ExitAttempt> = z.object({
  attempt: count,
  circuit: count,
  query_type: z.enum(['A', 'AAAA']),
  query_domain: textOrNull,
  timestamp: number,
  path: texts,
  dns_rcode: numberOrNull,
  socks_reply: numberOrNull,
  stream_reason: textOrNull,
  addresses: texts,
  ttl_seconds: numberOrNull,
  latency_ms: numberOrNull,
  circuit_rtt_ms: numberOrNull,
  own_delay_ms: number,
  status: z.enum(STATUSES),
  error_code: code,
  error: textOrNull,
  unsure: flag,
})

const resolver = z
  .object({
    addresses: texts,
    as: textOrNull,
    country: textOrNull,
    asked: flag,
    transport: listOf(z.enum(['udp', 'tcp'])),
    edns: flag,
    dnssec_ok: flag,
    client_subnet: textOrNull,
    mixed_case: flag,
    qname_minimisation: flag,
    wrong_answer: z.enum(['poisoned', 'rewritten']).nullable().catch(null),
  })
  .nullable()
  .catch(null)

/** `NXDOMAIN` stood in the plan's `resolved_ip` where no address came. */
const addressOrNull = textOrNull.transform((value) => (value === 'NXDOMAIN' ? null : value))

const time = z
  .string()
  .transform((value) => {
    const timeMs = parseTime(value)
    return Number.isNaN(timeMs) ? null : formatIsoTime(timeMs)
  })
  .catch(null)

const runId = z.string().transform((value, context) => {
  const digits = parseRunId(value)
  if (digits !== undefined) return digits
  context.addIssue({ code: 'custom', message: 'no run id' })
  return z.NEVER
})

/** One result. Fails only without a fingerprint or a known status. */
export const exitResultSchema: z.ZodType<ExitResult> = z.object({
  exit_fingerprint: z
    .string()
    .regex(/^[\da-z]{40}$/i)
    .toUpperCase(),
  exit_nickname: textOr('unknown'),
  exit_address: textOr('unknown'),
  first_hop_fingerprint: textOrNull,
  query_domain: textOrNull,
  expected_ip: textOrNull,
  timestamp: number,
  run_id: runId.catch(''),
  shard: textOr('0/1'),
  mode,
  status: z.enum(STATUSES),
  resolved_ip: addressOrNull,
  latency_ms: numberOrNull,
  error: textOrNull,
  error_code: code,
  attempt: count,
  resolved_ipv6: textOrNull,
  status_ipv6: z.enum(STATUSES).nullable().catch(null),
  flags,
  attempts: listOf(attempt, ATTEMPTS_MAX),
  or_addresses: texts,
  exit_flag: flag,
  bad_exit: flag,
  candidate_reason: textOr(''),
  policy_summary: textOrNull,
  family: texts,
  bandwidth_weight: numberOrNull,
  as: textOrNull,
  country: textOrNull,
  contact: textOrNull,
  operator: textOrNull,
  consecutive_failures: count,
  consecutive_failures_ipv6: count,
  first_seen: time,
  last_seen: time,
  resolver,
})

/** What a file says of the run itself; everything that follows from the results is read apart. */
export const exitFactsSchema: z.ZodType<Omit<ExitMetadata, StatisticsKey>> = z.object({
  run_id: runId,
  shard: textOr('0/1'),
  timestamp: time.transform((value) => value ?? ''),
  consensus_valid_after: textOr(''),
  candidates_sha256: textOr(''),
  seed: textOr(''),
  profile: textOr('unknown'),
  mode,
  mode_requested: z.enum([...MODES, 'auto']).catch('wildcard'),
  domain: textOrNull,
  expect: texts,
  module: textOr('dnshealth'),
  tor_version: textOr('unknown'),
  started_at: textOr(''),
  finished_at: textOr(''),
  duration_ms: number,
  exit_resolve_timeout_ms: number,
  invalid: textOrNull,
  interrupted: flag,
  first_hops_relaxed: texts,
  first_hops: count,
  circuits_built: count,
  circuits_failed: count,
  queries: count,
  authority_limited: numberOrNull,
  absent: texts,
  notes: texts,
})

type StatisticsKey =
  | 'total_relays'
  | 'success'
  | 'dns_fail'
  | 'wrong_ip'
  | 'timeout'
  | 'error'
  | 'success_rate_percent'
  | 'circuit_fail'
  | 'exception'
  | 'not_tested'
  | 'candidates'
  | 'dns_tested'
  | 'reachability_rate_percent'
  | 'success_rate_percent_all'
  | 'unsure'
  | 'timing'
