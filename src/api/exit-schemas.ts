/**
 * Schemas of the records of the exits campaign, as the API gives them out.
 *
 * Format: docs/formats/exits.md
 */
import { z } from 'zod'
import type { ExitRow } from '../model/exit-archive.ts'
import type {
  ExitAttempt,
  ExitErrorCode,
  ExitMetadata,
  ExitResolver,
  ExitResult,
  ExitStatus,
} from '../model/exit-result.ts'
import { EXIT_FLAGS, EXIT_STANDINGS } from './exit-query.ts'
import type { ExitStanding } from './exit-standing.ts'
import { EXIT_STATUSES } from './run-summary.ts'

/** 14 digits UTC. */
export const RUN_ID: z.ZodType<string> = z
  .string()
  .regex(/^\d{14}$/)
  .describe('Id of a run: 14 digits, UTC.')
/** 40 hex digits, in any case where it comes in; upper case from there on. */
export const FINGERPRINT: z.ZodType<string> = z
  .string()
  .regex(/^[0-9A-Fa-f]{40}$/)
  .toUpperCase()
  .describe('Fingerprint of a relay, 40 hex digits.')
/** Not negative. */
export const COUNT: z.ZodType<number> = z.int().min(0)
/** A path of this server that leads to more. */
export const LINK: z.ZodType<string> = z.string().regex(/^\//)
/** The verdict. */
export const STATUS: z.ZodType<ExitStatus> = z.enum(EXIT_STATUSES)
/** What the verdict amounts to. */
export const STANDING: z.ZodType<ExitStanding> = z
  .enum(EXIT_STANDINGS)
  .describe('What the verdict amounts to: a failure that nothing confirmed is suspect, not failing.')

const errorCode = z.string().regex(/^[A-Z][A-Z0-9_]*$/) as z.ZodType as z.ZodType<ExitErrorCode>
const milliseconds = z.number().min(0)
const mode = z.enum(['wildcard', 'nxdomain', 'stable'])
const texts = z.array(z.string())
const percent = z.number().min(0).max(100)

/** The fields of a row, for lists that say more about each. */
export const EXIT_ROW_FIELDS: { readonly [K in keyof ExitRow]-?: z.ZodType<ExitRow[K]> } = {
  exit_fingerprint: z.string(),
  exit_nickname: z.string(),
  exit_address: z.string(),
  first_hop_fingerprint: z.string().nullable(),
  run_id: z.string(),
  status: STATUS,
  status_ipv6: STATUS.nullable(),
  error_code: errorCode.nullable(),
  flags: z.array(z.enum(EXIT_FLAGS)),
  resolved_ip: z.string().nullable(),
  latency_ms: milliseconds.nullable(),
  as: z.string().nullable(),
  country: z.string().nullable(),
  operator: z.string().nullable(),
  family: texts,
  consecutive_failures: COUNT,
  consecutive_failures_ipv6: COUNT,
  first_seen: z.string().nullable(),
  last_seen: z.string().nullable(),
}

const EXIT_ATTEMPT: z.ZodType<ExitAttempt> = z
  .strictObject({
    attempt: COUNT,
    circuit: COUNT,
    query_type: z.enum(['A', 'AAAA']),
    query_domain: z.string().nullable(),
    timestamp: z.number(),
    path: texts,
    dns_rcode: COUNT.nullable(),
    socks_reply: COUNT.nullable(),
    stream_reason: z.string().nullable(),
    addresses: texts,
    ttl_seconds: COUNT.nullable(),
    latency_ms: milliseconds.nullable(),
    circuit_rtt_ms: milliseconds.nullable(),
    own_delay_ms: milliseconds,
    status: STATUS,
    error_code: errorCode.nullable(),
    error: z.string().nullable(),
    unsure: z.boolean(),
  })
  .meta({ id: 'ExitAttempt' })

const EXIT_RESOLVER: z.ZodType<ExitResolver> = z
  .strictObject({
    addresses: texts,
    as: z.string().nullable(),
    country: z.string().nullable(),
    asked: z.boolean(),
    transport: z.array(z.enum(['udp', 'tcp'])),
    edns: z.boolean(),
    dnssec_ok: z.boolean(),
    client_subnet: z.string().nullable(),
    mixed_case: z.boolean(),
    qname_minimisation: z.boolean(),
    wrong_answer: z.enum(['poisoned', 'rewritten']).nullable(),
  })
  .meta({ id: 'ExitResolver' })

/** One relay of one run, with its evidence. */
export const EXIT_RESULT: z.ZodType<ExitResult> = z
  .strictObject({
    ...EXIT_ROW_FIELDS,
    query_domain: z.string().nullable(),
    expected_ip: z.string().nullable(),
    timestamp: z.number(),
    shard: z.string(),
    mode,
    error: z.string().nullable(),
    attempt: COUNT,
    resolved_ipv6: z.string().nullable(),
    attempts: z.array(EXIT_ATTEMPT),
    or_addresses: texts,
    exit_flag: z.boolean(),
    bad_exit: z.boolean(),
    candidate_reason: z.string(),
    policy_summary: z.string().nullable(),
    bandwidth_weight: z.number().nullable(),
    contact: z.string().nullable(),
    resolver: EXIT_RESOLVER.nullable(),
  })
  .meta({ id: 'ExitResult' })

/** What a run was. */
export const EXIT_METADATA: z.ZodType<ExitMetadata> = z
  .strictObject({
    run_id: z.string(),
    shard: z.string(),
    timestamp: z.string(),
    total_relays: COUNT,
    success: COUNT,
    dns_fail: COUNT,
    wrong_ip: COUNT,
    timeout: COUNT,
    error: COUNT,
    success_rate_percent: percent.nullable(),
    circuit_fail: COUNT,
    exception: COUNT,
    not_tested: COUNT,
    candidates: COUNT,
    dns_tested: COUNT,
    reachability_rate_percent: percent.nullable(),
    success_rate_percent_all: percent.nullable(),
    unsure: COUNT,
    consensus_valid_after: z.string(),
    candidates_sha256: z.string(),
    seed: z.string(),
    profile: z.string(),
    mode,
    mode_requested: z.enum(['wildcard', 'nxdomain', 'stable', 'auto']),
    domain: z.string().nullable(),
    expect: texts,
    module: z.string(),
    tor_version: z.string(),
    started_at: z.string(),
    finished_at: z.string(),
    duration_ms: milliseconds,
    exit_resolve_timeout_ms: milliseconds,
    timing: z.strictObject({
      avg: milliseconds.nullable(),
      min: milliseconds.nullable(),
      max: milliseconds.nullable(),
      p50: milliseconds.nullable(),
      p95: milliseconds.nullable(),
      p99: milliseconds.nullable(),
    }),
    invalid: z.string().nullable(),
    interrupted: z.boolean(),
    first_hops_relaxed: texts,
    first_hops: COUNT,
    circuits_built: COUNT,
    circuits_failed: COUNT,
    queries: COUNT,
    authority_limited: COUNT.nullable(),
    absent: texts,
    notes: texts,
  })
  .meta({ id: 'ExitRunMetadata' })

/** Links from one page of a list to the others; `null` where there is none. */
export const PAGE_LINKS: {
  readonly [K in 'first' | 'previous' | 'next' | 'last']: z.ZodType<string | null>
} = { first: LINK.nullable(), previous: LINK.nullable(), next: LINK.nullable(), last: LINK.nullable() }
