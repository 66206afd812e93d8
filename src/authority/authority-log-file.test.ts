import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import type { Clock } from '../core/clock.ts'
import { silentLog } from '../core/log.ts'
import type { AuthorityQuery } from '../model/authority-query.ts'
import { nodeClock } from '../platform/node-clock.ts'
import { nodeFiles } from '../platform/node-files.ts'
import { createVirtualClock } from '../../test/sim/virtual-clock.ts'
import { openAuthorityLog, type AuthorityLogFile } from './authority-log-file.ts'

const QUERY: AuthorityQuery = {
  timestamp: '2026-01-31T12:00:00.000Z',
  source_address: '198.51.100.53',
  source_port: 53_000,
  transport: 'udp',
  query_name: 'a.probe.example.org',
  query_type: 'A',
  id: 1,
  recursion_desired: false,
  edns_udp_size: 1232,
  dnssec_ok: true,
  client_subnet: null,
  cookie: false,
  mixed_case: false,
  outcome: 'answered',
  rcode: 0,
}

async function temporaryPath(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'candor-authority-file-'))
  onTestFinished(() => rm(directory, { recursive: true, force: true }))
  return join(directory, 'queries.jsonl')
}

function open(
  path: string,
  sizeOctetsMax = 1_000_000,
  filesMax = 3,
  clock: Clock = nodeClock,
): Promise<AuthorityLogFile> {
  return openAuthorityLog({ files: nodeFiles, clock, log: silentLog, path, sizeOctetsMax, filesMax })
}

async function readRecords(path: string): Promise<unknown[]> {
  const text = await readFile(path, 'utf8')
  return text.split('\n').flatMap((line) => (line === '' ? [] : [JSON.parse(line) as unknown]))
}

describe('openAuthorityLog', () => {
  test('writes what was recorded, with mode 0600, before it closes', async () => {
    const path = await temporaryPath()
    const log = await open(path)
    for (let id = 0; id < 500; id++) log.record({ ...QUERY, id }, true)
    await log.close()
    expect(await readRecords(path)).toEqual(Array.from({ length: 500 }, (_, id) => ({ ...QUERY, id })))
    expect((await stat(path)).mode & 0o777).toBe(0o600)
    expect(log.dropped()).toBe(0)
  })

  test('goes on behind a line that was cut off by a kill', async () => {
    const path = await temporaryPath()
    await writeFile(path, `${JSON.stringify(QUERY)}\n{"timestamp":"2026`)
    const log = await open(path)
    log.record({ ...QUERY, id: 7 }, true)
    await log.close()
    const lines = (await readFile(path, 'utf8')).split('\n')
    expect(lines[1]).toBe('{"timestamp":"2026')
    expect(JSON.parse(lines[2] ?? '')).toMatchObject({ id: 7 })
  })

  test('rotates by size and keeps a number of files', async () => {
    const path = await temporaryPath()
    const clock = createVirtualClock()
    const log = await open(path, 4_000, 2, clock)
    for (let round = 0; round < 12; round++) {
      for (let id = 0; id < 10; id++) log.record({ ...QUERY, id: round * 10 + id }, true)
      const isWritten = async (): Promise<boolean> => {
        await clock.advance(100)
        return (await readFile(path, 'utf8').catch(() => '')).includes(`"id":${round * 10 + 9},`)
      }
      await expect.poll(isWritten, { timeout: 10_000 }).toBe(true)
    }
    await log.close()
    const names = (await readdir(join(path, '..'))).toSorted()
    expect(names).toEqual(['queries.jsonl', 'queries.jsonl.1', 'queries.jsonl.2'])
    const ids = await Promise.all([`${path}.2`, `${path}.1`, path].map(readRecords))
    const found = ids.flat().map((record) => (record as AuthorityQuery).id)
    // The newest are all there, in order, and no file is larger than it may be.
    expect(found).toEqual(Array.from({ length: found.length }, (_, index) => 120 - found.length + index))
    expect(found.length).toBeGreaterThanOrEqual(20)
    for (const name of names) expect((await stat(join(path, '..', name))).size).toBeLessThanOrEqual(4_000)
  })

  test('drops names of strangers first when they come too fast, and counts them', async () => {
    const path = await temporaryPath()
    const log = await open(path)
    for (let id = 0; id < 3_000; id++) log.record({ ...QUERY, id }, false)
    for (let id = 0; id < 100; id++) log.record({ ...QUERY, id, query_name: 'run' }, true)
    await log.close()
    const records = (await readRecords(path)) as AuthorityQuery[]
    expect(records.filter((record) => record.query_name === 'run')).toHaveLength(100)
    expect(log.dropped()).toBeGreaterThan(1_000)
    expect(records.length + log.dropped()).toBe(3_100)
  })

  test('counts what the disk refuses and goes on', async () => {
    const path = await temporaryPath()
    const full = await openAuthorityLog({
      files: {
        ...nodeFiles,
        openAppend: async (name, mode) => {
          const file = await nodeFiles.openAppend(name, mode)
          const device = await nodeFiles.openAppend('/dev/full', 0o600)
          return { ...device, sizeOctets: 0, close: () => file.close(), sync: () => file.sync() }
        },
      },
      clock: nodeClock,
      log: silentLog,
      path,
      sizeOctetsMax: 1_000_000,
      filesMax: 1,
    })
    full.record(QUERY, true)
    await expect.poll(() => full.dropped(), { timeout: 10_000 }).toBe(1)
    full.record(QUERY, true)
    await full.close()
    expect(full.dropped()).toBe(2)
  })
})
