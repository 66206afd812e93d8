import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { nodeFiles } from '../platform/node-files.ts'
import { createVantageMemory } from './vantage-memory.ts'

describe('createVantageMemory', () => {
  test('remembers over restarts, in a file for its owner alone, and takes damage for nothing', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'candor-vantage-'))
    onTestFinished(() => {
      rmSync(directory, { recursive: true })
    })
    expect(await createVantageMemory(nodeFiles, directory).load()).toBeNull()
    await createVantageMemory(nodeFiles, directory).keep(1_700_000_000_000)
    expect(await createVantageMemory(nodeFiles, directory).load()).toBe(1_700_000_000_000)
    expect(statSync(join(directory, 'vantage.json')).mode & 0o777).toBe(0o600)
    await createVantageMemory(nodeFiles, directory).keep(null)
    expect(await createVantageMemory(nodeFiles, directory).load()).toBeNull()
    writeFileSync(join(directory, 'vantage.json'), '{"down_since_ms":')
    expect(await createVantageMemory(nodeFiles, directory).load()).toBeNull()
  })

  test('says which file cannot be used', async () => {
    const memory = createVantageMemory(nodeFiles, '/nonexistent/monitor')
    await expect(memory.keep(1)).rejects.toThrow('/nonexistent/monitor/vantage.json')
  })
})
