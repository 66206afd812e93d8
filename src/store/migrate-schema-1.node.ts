/**
 * From schema 1 (a row per relay and run, with verdict and address) to the archive.
 *
 * **Invariant**: no verdict is lost. What schema 1 did not know (names, evidence) is said to be unknown; the report of
 * the same run, imported later, fills it in.
 */
import type { DatabaseSync, SQLOutputValue } from 'node:sqlite'
import type { ExitMetadata, ExitReport, ExitResult, ExitStatus } from '../model/exit-result.ts'
import { ARCHIVE_TABLES, SCHEMA_1_TABLE } from './archive-schema.ts'
import { createArchiveWriter } from './archive-writer.node.ts'

type Row = Readonly<Record<string, SQLOutputValue>>

/** Runs inside a transaction. */
export function migrateFromSchema1(database: DatabaseSync): void {
  database.exec(ARCHIVE_TABLES)
  database.exec(`CREATE INDEX migrating ON ${SCHEMA_1_TABLE} (run_id, shard, fingerprint)`)
  const writer = createArchiveWriter(database)
  const runs = database.prepare(`SELECT DISTINCT run_id, shard FROM ${SCHEMA_1_TABLE} ORDER BY run_id, shard`).all()
  const rows = database.prepare(`SELECT * FROM ${SCHEMA_1_TABLE} WHERE run_id = ? AND shard = ? ORDER BY fingerprint`)
  for (const run of runs) {
    const [runId, shard] = [String(run['run_id']), String(run['shard'])]
    if (!/^\d{14}$/.test(runId)) continue
    const report = reportOf(runId, shard, rows.all(runId, shard))
    const work = writer.add({ report, evidence: 'none', blocks: [], origin: 'schema_1' })
    while (work.next().done !== true);
  }
  database.exec(`DROP TABLE ${SCHEMA_1_TABLE}`)
}

function reportOf(runId: string, shard: string, rows: readonly Row[]): ExitReport {
  const results = rows.map((row) => resultOf(runId, shard, row))
  const metadata = metadataOf(runId, shard, String(rows[0]?.['timestamp'] ?? ''), results)
  return { metadata, results, failures: [], dns_failures: [], failures_by_ip: {} }
}

function resultOf(runId: string, shard: string, row: Row): ExitResult {
  return {
    exit_fingerprint: String(row['fingerprint']),
    exit_nickname: 'unknown',
    exit_address: row['exit_address'] === null ? 'unknown' : String(row['exit_address']),
    first_hop_fingerprint: null,
    query_domain: null,
    expected_ip: null,
    timestamp: 0,
    run_id: runId,
    shard,
    mode: 'wildcard',
    // Only its own program wrote these columns.
    status: String(row['status']) as ExitStatus,
    resolved_ip: null,
    latency_ms: null,
    error: null,
    error_code: row['error_code'] === null ? null : (String(row['error_code']) as ExitResult['error_code']),
    attempt: 0,
    resolved_ipv6: null,
    status_ipv6: row['status_ipv6'] === null ? null : (String(row['status_ipv6']) as ExitStatus),
    flags: [],
    attempts: [],
    or_addresses: [],
    exit_flag: true,
    bad_exit: false,
    candidate_reason: '',
    policy_summary: null,
    family: [],
    bandwidth_weight: null,
    as: null,
    country: null,
    contact: null,
    operator: null,
    consecutive_failures: 0,
    consecutive_failures_ipv6: 0,
    first_seen: null,
    last_seen: null,
    resolver: null,
  }
}

function metadataOf(runId: string, shard: string, timestamp: string, results: readonly ExitResult[]): ExitMetadata {
  const count = (status: ExitStatus): number => results.filter((result) => result.status === status).length
  const notTested = count('not_tested')
  const total = results.length - notTested
  const success = count('success')
  const dnsTested = success + count('wrong_ip') + count('dns_fail') + count('timeout')
  const percent = (part: number, whole: number): number | null =>
    whole === 0 ? null : Math.round((10_000 * part) / whole) / 100
  return {
    run_id: runId,
    shard,
    timestamp,
    total_relays: total,
    success,
    dns_fail: count('dns_fail'),
    wrong_ip: count('wrong_ip'),
    timeout: count('timeout'),
    error: count('error'),
    success_rate_percent: percent(success, dnsTested),
    circuit_fail: count('circuit_fail'),
    exception: count('exception'),
    not_tested: notTested,
    candidates: results.length,
    dns_tested: dnsTested,
    reachability_rate_percent: percent(dnsTested, total),
    success_rate_percent_all: percent(success, total),
    ...UNKNOWN_FACTS,
    started_at: timestamp,
    finished_at: timestamp,
  }
}

/** What schema 1 did not keep of a run. */
const UNKNOWN_FACTS: Omit<
  ExitMetadata,
  | 'run_id'
  | 'shard'
  | 'timestamp'
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
  | 'started_at'
  | 'finished_at'
> = {
  unsure: 0,
  consensus_valid_after: '',
  candidates_sha256: '',
  seed: '',
  profile: 'unknown',
  mode: 'wildcard',
  mode_requested: 'wildcard',
  domain: null,
  expect: [],
  module: 'dnshealth',
  tor_version: 'unknown',
  duration_ms: 0,
  exit_resolve_timeout_ms: 0,
  timing: { avg: null, min: null, max: null, p50: null, p95: null, p99: null },
  invalid: null,
  interrupted: false,
  first_hops_relaxed: [],
  first_hops: 0,
  circuits_built: 0,
  circuits_failed: 0,
  queries: 0,
  authority_limited: null,
  absent: [],
  notes: ['from the verdict history of an earlier version, which kept neither names nor evidence'],
}
