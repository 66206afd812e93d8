/**
 * Records of a bulk run, JSON Lines → Parquet, by DuckDB.
 *
 * Invariant: the table appears under its name only when it is whole; rows stream, so that memory does not grow with them.
 *
 * Format: docs/formats/bulk.md
 */
import { rename } from 'node:fs/promises'
import { DuckDBInstance } from '@duckdb/node-api'
import { RunError } from '../core/config-error.ts'

const MEMORY_LIMIT = '512MB'
const SECTION = 'STRUCT(ttl BIGINT, "type" VARCHAR, "class" VARCHAR, name VARCHAR, data VARCHAR)[]'
const COLUMNS = `{
  name: 'VARCHAR', type: 'VARCHAR', class: 'VARCHAR', status: 'VARCHAR', rx_ts: 'BIGINT',
  data: 'STRUCT(answers ${SECTION}, authorities ${SECTION}, additionals ${SECTION})',
  flags: 'VARCHAR[]', resolver: 'VARCHAR', proto: 'VARCHAR', latency_ms: 'DOUBLE', tries: 'UTINYINT'
}`
/** A message of 64 KiB whose names are all compressed becomes some 30 MB of text. DuckDB takes twice this at once. */
const LINE_OCTETS_MAX = 33_554_432

/** Makes a Parquet table of a file of records. @throws {RunError} For example when the disk is full. */
export async function writeBulkParquet(records: string, table: string): Promise<void> {
  const unfinished = `${table}.tmp`
  try {
    const instance = await DuckDBInstance.create(':memory:', { threads: '1', memory_limit: MEMORY_LIMIT })
    try {
      const connection = await instance.connect()
      // Extensions that are not in the package would be fetched from the Internet.
      await connection.run('SET autoinstall_known_extensions = false')
      await connection.run('SET preserve_insertion_order = false')
      await connection.run(
        `COPY (
          SELECT name, "type", "class", status, make_timestamp_ns(rx_ts) AS received_at, data.answers AS answers,
            data.authorities AS authorities, data.additionals AS additionals, flags, resolver, proto, latency_ms, tries
          FROM read_json(${quote(records)}, format = 'newline_delimited', columns = ${COLUMNS},
            maximum_object_size = ${LINE_OCTETS_MAX})
        ) TO ${quote(unfinished)} (FORMAT parquet, COMPRESSION zstd)`,
      )
      connection.closeSync()
    } finally {
      instance.closeSync()
    }
    await rename(unfinished, table)
  } catch (cause) {
    throw new RunError(`the Parquet table ${table} could not be written`, `the records are in ${records}`, { cause })
  }
}

function quote(text: string): string {
  return `'${text.replaceAll("'", "''")}'`
}
