/**
 * Pairs, findings and aggregates of a scan, JSON Lines → Parquet, by DuckDB.
 *
 * Invariant: the tables appear under their name only when all of them are whole; rows stream, so that memory does not grow
 * with them; the same lines give the same octets.
 *
 * Format: docs/formats/satellite.md
 */
import { mkdir, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { DuckDBInstance, type DuckDBConnection } from '@duckdb/node-api'
import { RunError } from '../core/config-error.ts'

/** Files of JSON Lines; `undefined` for what the scan does not have. */
export interface SatelliteLines {
  /** Rows of docs/formats/satellite.md. */
  readonly rows: string
  /** Verified rows, of the same form, for pairs that stand in `rows`. */
  readonly verified: string | undefined
  readonly findings: string | undefined
  readonly aggregates: string | undefined
}

const MEMORY_LIMIT = '1GB'
/** Four trials with pages of unknown fields are less. DuckDB takes twice this at once. */
const LINE_OCTETS_MAX = 16_777_216

const ANSWER = `STRUCT(address VARCHAR, tags STRUCT(http VARCHAR, cert VARCHAR, asnum BIGINT, asname VARCHAR), matched VARCHAR[])`
const ROW_COLUMNS = `{
  flavour: 'VARCHAR', role: 'VARCHAR', resolver: 'VARCHAR', domain: 'VARCHAR', country_name: 'VARCHAR', country_code: 'VARCHAR',
  passed_liveness: 'BOOLEAN', in_control_group: 'BOOLEAN', connect_error: 'BOOLEAN', anomaly: 'BOOLEAN',
  confidence: 'STRUCT(average DOUBLE, matches DOUBLE[], untagged_controls BOOLEAN, untagged_response BOOLEAN)',
  excluded: 'BOOLEAN', exclude_reasons: 'VARCHAR[]', start_time: 'VARCHAR', end_time: 'VARCHAR',
  trials: 'STRUCT(purpose VARCHAR, name VARCHAR, has_type_a BOOLEAN, rcode INTEGER, error VARCHAR, answers ${ANSWER}[])[]'
}`
const VERIFIED_COLUMNS = `{ resolver: 'VARCHAR', domain: 'VARCHAR', excluded: 'BOOLEAN', exclude_reasons: 'VARCHAR[]' }`
const FINDING_COLUMNS = `{
  vp: 'VARCHAR', test_url: 'VARCHAR', country_code: 'VARCHAR', asnum: 'BIGINT', outcome: 'VARCHAR', judgement: 'VARCHAR',
  findings: 'STRUCT(rule VARCHAR, "version" INTEGER, evidence JSON, weights STRUCT(interference DOUBLE, down DOUBLE, ok DOUBLE))[]'
}`
const AGGREGATE_COLUMNS = `{
  kind: 'VARCHAR', "group": 'VARCHAR', domain: 'VARCHAR', resolvers: 'INTEGER', interference: 'INTEGER', down: 'INTEGER',
  ok: 'INTEGER', unconfirmed: 'INTEGER', share: 'DOUBLE', low: 'DOUBLE', high: 'DOUBLE', null_share: 'DOUBLE',
  p_value: 'DOUBLE', q_value: 'DOUBLE', verdict: 'VARCHAR'
}`
/** v1 has names of countries alone. */
const COUNTRY = `coalesce(nullif(country_code, ''), nullif(country_name, ''), 'unknown')`
/** Times that are no moments are none here; nanoseconds stay. */
const TIMES = `try_cast(replace(start_time, 'Z', '') AS TIMESTAMP_NS) AS started_at, try_cast(replace(end_time, 'Z', '') AS TIMESTAMP_NS) AS ended_at`

/**
 * Writes the tables into a directory, which is replaced.
 *
 * @throws {RunError} For example when the disk is full.
 */
export async function writeSatelliteParquet(lines: SatelliteLines, directory: string): Promise<void> {
  const unfinished = `${directory}.tmp`
  try {
    await rm(unfinished, { recursive: true, force: true })
    await mkdir(unfinished, { recursive: true })
    const instance = await DuckDBInstance.create(':memory:', { threads: '1', memory_limit: MEMORY_LIMIT })
    try {
      const connection = await instance.connect()
      // Extensions that are not in the package would be fetched from the Internet.
      await connection.run('SET autoinstall_known_extensions = false')
      await connection.run(`SET temp_directory = ${quote(join(unfinished, 'spill'))}`)
      await writeTables(connection, lines, unfinished)
      connection.closeSync()
    } finally {
      instance.closeSync()
    }
    await rm(join(unfinished, 'spill'), { recursive: true, force: true })
    await rm(directory, { recursive: true, force: true })
    await rename(unfinished, directory)
  } catch (cause) {
    await rm(unfinished, { recursive: true, force: true })
    throw new RunError(`the Parquet tables ${directory} could not be written`, 'is there room on the disk?', { cause })
  }
}

async function writeTables(connection: DuckDBConnection, lines: SatelliteLines, directory: string): Promise<void> {
  const { rows, verified, findings, aggregates } = lines
  const excluded =
    verified === undefined
      ? 'excluded, exclude_reasons'
      : 'coalesce(verified.excluded, pairs.excluded) AS excluded, coalesce(verified.exclude_reasons, pairs.exclude_reasons) AS exclude_reasons'
  const joined =
    verified === undefined
      ? ''
      : `LEFT JOIN ${readJson(verified, VERIFIED_COLUMNS)} AS verified ON verified.resolver = pairs.resolver AND verified.domain = pairs.domain`
  await connection.run(
    `COPY (
      SELECT ${COUNTRY} AS country, pairs.resolver, pairs.domain, country_name, flavour, passed_liveness, in_control_group,
        connect_error, anomaly, confidence, ${excluded}, ${TIMES}, trials
      FROM ${readJson(rows, ROW_COLUMNS)} AS pairs ${joined}
    ) TO ${quote(join(directory, 'pairs'))} (FORMAT parquet, COMPRESSION zstd, PARTITION_BY (country))`,
  )
  if (findings !== undefined)
    await connection.run(
      `COPY (
        SELECT coalesce(nullif(country_code, ''), 'unknown') AS country, vp AS resolver, test_url AS domain, asnum, outcome,
          judgement, findings
        FROM ${readJson(findings, FINDING_COLUMNS)}
      ) TO ${quote(join(directory, 'findings'))} (FORMAT parquet, COMPRESSION zstd, PARTITION_BY (country))`,
    )
  if (aggregates === undefined) return
  await mkdir(join(directory, 'aggregates'), { recursive: true })
  await connection.run(
    `COPY (SELECT * FROM ${readJson(aggregates, AGGREGATE_COLUMNS)})
    TO ${quote(join(directory, 'aggregates', 'data_0.parquet'))} (FORMAT parquet, COMPRESSION zstd)`,
  )
}

function readJson(path: string, columns: string): string {
  return `read_json(${quote(path)}, format = 'newline_delimited', columns = ${columns}, maximum_object_size = ${LINE_OCTETS_MAX})`
}

function quote(text: string): string {
  return `'${text.replaceAll("'", "''")}'`
}
