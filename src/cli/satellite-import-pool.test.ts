import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { makeTestDirectory } from '../../test/alert-fixtures/alert-parts.ts'
import { nodeFiles } from '../platform/node-files.ts'
import { createImportPool } from './satellite-import-pool.ts'

const LINE = new TextEncoder().encode('{"vp":"a","test_url":"b","response":[]}\n')

describe('createImportPool', () => {
  test('refuses more work when a thread cannot write, and waits for nobody', async () => {
    const directory = makeTestDirectory()
    // A file that cannot be opened for writing.
    mkdirSync(join(directory, 'columns/part-1.bin'), { recursive: true })
    const pool = createImportPool(nodeFiles, directory, LINE.length, () => Promise.resolve())
    const giveLines = async (): Promise<void> => {
      for (let at = 0; at < 100; at++) {
        const octets = new Uint8Array(pool.takeMemory())
        octets.set(LINE)
        await pool.take('result', { octets, isWholeFile: false })
      }
    }
    try {
      await expect(giveLines()).rejects.toMatchObject({ code: 'EISDIR' })
      await expect(pool.close()).rejects.toMatchObject({ code: 'EISDIR' })
    } finally {
      await pool.stop()
    }
  })
})
