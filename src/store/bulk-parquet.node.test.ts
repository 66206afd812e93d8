import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DuckDBInstance } from '@duckdb/node-api'
import { describe, expect, test } from 'vitest'
import { RunError } from '../core/config-error.ts'
import { makeTemporaryDirectory } from '../../test/contract/temporary-directory.ts'
import { writeBulkParquet } from './bulk-parquet.node.ts'

const RECORDS = [
  '{"name":"a.example.","type":"A","class":"IN","status":"NOERROR","rx_ts":1700000001012345000,"data":{"answers":[{"ttl":300,"type":"A","class":"IN","name":"a.example.","data":"192.0.2.7"}]},"flags":["rd","ra"],"resolver":"192.0.2.1:53","proto":"UDP","latency_ms":12.346,"tries":1}',
  '{"name":"b.example.","type":"A","class":"IN","status":"TIMEOUT","data":{},"flags":[],"resolver":"192.0.2.1:53","proto":"UDP","latency_ms":null,"tries":4,"rx_ts":1700000009012345000}',
  '',
].join('\n')

describe('writeBulkParquet', () => {
  test('makes a table of records', async () => {
    const directory = makeTemporaryDirectory()
    const table = join(directory, "it's.parquet")
    writeFileSync(join(directory, 'records'), RECORDS)
    await writeBulkParquet(join(directory, 'records'), table)
    const connection = await (await DuckDBInstance.create(':memory:')).connect()
    const rows = await connection.runAndReadAll(
      `SELECT name, status, answers[1].data, latency_ms, tries, epoch_ms(received_at) FROM '${table.replaceAll("'", "''")}' ORDER BY name`,
    )
    expect(rows.getRows()).toEqual([
      ['a.example.', 'NOERROR', '192.0.2.7', 12.346, 1, 1_700_000_001_012n],
      ['b.example.', 'TIMEOUT', null, null, 4, 1_700_000_009_012n],
    ])
  })
  test('leaves no table behind when the records cannot be read', async () => {
    const directory = makeTemporaryDirectory()
    const table = join(directory, 'out.parquet')
    writeFileSync(join(directory, 'records'), 'no JSON\n')
    await expect(writeBulkParquet(join(directory, 'records'), table)).rejects.toThrow(RunError)
    expect(existsSync(table)).toBe(false)
  })
})
