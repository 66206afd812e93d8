/**
 * Writes runs into the archive.
 *
 * **Invariant**: a run is in all tables or in none. The caller holds a transaction around each call; when it is rolled
 * back, the interner has to forget.
 */
import type { DatabaseSync } from 'node:sqlite'
import { zstdCompressSync, zstdDecompressSync } from 'node:zlib'
import type { KeptEvidence } from '../model/exit-archive.ts'
import type { ExitReport, ExitResult } from '../model/exit-result.ts'
import { createInterner } from './archive-interner.node.ts'
import type { EvidenceBlock } from './pack-evidence.node.ts'
import { BLOCK_NUMBER_MAX, createRunColumns, decodeRunBlock, encodeRunBlock, type RunColumns } from './run-block.ts'
import { momentOfRun } from './run-moment.ts'

/** Rows between two turns for other work: some five milliseconds. */
const ROWS_PER_TURN = 250
const MS_PER_SECOND = 1000
const WHOLE = '0/1'

/** Where a run came from: a report, or rows of schema 1, which a report of the same run replaces. */
export type RunOrigin = 'report' | 'schema_1'

/** A run on its way into the archive. */
export interface RunToKeep {
  readonly report: ExitReport
  readonly evidence: KeptEvidence
  readonly blocks: readonly EvidenceBlock[]
  readonly origin: RunOrigin
}

/** Writes and removes runs. */
export interface ArchiveWriter {
  /**
   * Adds a run, in place of the same run and shard. The whole of a run replaces its parts, and is not replaced by one; a
   * run whose rows were given up stays as it is.
   * Yields between pieces of work, so that others get a turn.
   */
  add(run: RunToKeep): Generator<undefined, void>
  /** Must be called when the transaction was rolled back. */
  forget(): void
}

/** @param database - The connection that writes. */
export function createArchiveWriter(database: DatabaseSync): ArchiveWriter {
  const interner = createInterner(database)
  const remove = createRunRemover(database)
  const insertRun = database.prepare(`INSERT INTO run
    (run_id, shard, timestamp, invalid, origin, evidence, has_rows,
     success, wrong_ip, dns_fail, timeout, circuit_fail, error, exception, not_tested)
    VALUES (?, ?, ?, ?, ?, ?, 1, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING seq`)
  const insertMetadata = database.prepare('INSERT INTO run_metadata (seq, value) VALUES (?, ?)')
  const insertRows = database.prepare('INSERT INTO run_rows (seq, block) VALUES (?, ?)')
  const insertEvidence = database.prepare('INSERT INTO evidence (seq, class, first, block) VALUES (?, ?, ?, ?)')
  const insertVerdict = database.prepare(
    'INSERT OR REPLACE INTO verdict (relay, run_id, kind, latency_ms) VALUES (?, ?, ?, ?)',
  )
  const others = database.prepare('SELECT seq, shard, has_rows FROM run WHERE run_id = ?')

  function* add({ report, evidence, blocks, origin }: RunToKeep): Generator<undefined, void> {
    const { metadata, results } = report
    const runId = Number(metadata.run_id)
    const found = others.all(runId)
    // What became counts per day would be counted twice.
    if (found.some((row) => row['has_rows'] === 0)) return
    const present = found.map((row) => ({ seq: Number(row['seq']), shard: String(row['shard']) }))
    if (metadata.shard !== WHOLE && present.some(({ shard }) => shard === WHOLE)) return
    for (const { seq, shard } of present) {
      if (metadata.shard === WHOLE || shard === metadata.shard) yield* remove(seq, runId)
    }
    const counts = [metadata.success, metadata.wrong_ip, metadata.dns_fail, metadata.timeout]
    const unmeasured = [metadata.circuit_fail, metadata.error, metadata.exception, metadata.not_tested]
    const { shard, timestamp, invalid } = metadata
    const inserted = insertRun.get(runId, shard, timestamp, invalid, origin, evidence, ...counts, ...unmeasured)
    const seq = Number(inserted?.['seq'])
    insertMetadata.run(seq, JSON.stringify(metadata))
    const startedAtSeconds = momentOfRun(metadata.run_id) / MS_PER_SECOND
    const columns = createRunColumns(results.length)
    for (const [row, result] of results.entries()) {
      const { relay, kind } = fillRow(columns, row, result, startedAtSeconds)
      if (invalid === null) insertVerdict.run(relay, runId, kind, wholeOrNull(result.latency_ms))
      if (row % ROWS_PER_TURN === 0) yield
    }
    insertRows.run(seq, zstdCompressSync(encodeRunBlock(columns)))
    for (const block of blocks) insertEvidence.run(seq, block.class, block.first, block.block)
  }

  function fillRow(
    columns: RunColumns,
    row: number,
    result: ExitResult,
    startedAtSeconds: number,
  ): { readonly relay: number; readonly kind: number } {
    const relay = interner.relay(result.exit_fingerprint)
    const kind = interner.kind(result)
    const hop = result.first_hop_fingerprint
    columns.relay[row] = relay
    columns.fact[row] = interner.fact(relay, result)
    columns.hop[row] = hop === null ? 0 : interner.relay(hop)
    columns.kind[row] = kind
    columns.resolved[row] = interner.term(result.resolved_ip)
    columns.latency[row] = numberAfter(wholeOrNull(result.latency_ms))
    columns.failures[row] = bounded(result.consecutive_failures)
    columns.failuresIpv6[row] = bounded(result.consecutive_failures_ipv6)
    columns.firstSeen[row] = interner.term(result.first_seen)
    columns.lastSeen[row] = interner.term(result.last_seen)
    columns.family[row] = interner.family(result)
    columns.askedAt[row] = numberAfter(wholeOrNull(result.timestamp - startedAtSeconds))
    return { relay, kind }
  }

  return {
    add,
    forget: () => {
      interner.forget()
    },
  }
}

/** Removes a run and its rows from all tables. */
type RunRemover = (seq: number, runId: number) => Generator<undefined, void>

function createRunRemover(database: DatabaseSync): RunRemover {
  const block = database.prepare('SELECT block FROM run_rows WHERE seq = ?')
  const removeVerdict = database.prepare('DELETE FROM verdict WHERE relay = ? AND run_id = ?')
  const removals = ['run', 'run_metadata', 'run_rows', 'evidence'].map((table) =>
    database.prepare(`DELETE FROM ${table} WHERE seq = ?`),
  )
  return function* remove(seq, runId) {
    const octets = block.get(seq)?.['block']
    if (octets instanceof Uint8Array) {
      for (const [row, relay] of decodeRunBlock(zstdDecompressSync(octets)).relay.entries()) {
        removeVerdict.run(relay, runId)
        if (row % ROWS_PER_TURN === 0) yield
      }
    }
    for (const removal of removals) removal.run(seq)
  }
}

function wholeOrNull(value: number | null): number | null {
  return value === null || !(value >= 0) ? null : Math.min(Math.round(value), BLOCK_NUMBER_MAX - 1)
}

function numberAfter(value: number | null): number {
  return value === null ? 0 : value + 1
}

function bounded(value: number): number {
  return Math.min(Math.max(Math.round(value), 0), BLOCK_NUMBER_MAX)
}
