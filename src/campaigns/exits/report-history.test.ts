import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { exampleFingerprint, exampleReport } from '../../../test/exit-fixtures/example-report.ts'
import { createLog, silentLog } from '../../core/log.ts'
import type { ExitStatus } from '../../model/exit-result.ts'
import { nodeFiles } from '../../platform/node-files.ts'
import { formatExitReport, type ExitRunFacts } from './exit-report.ts'
import { createReportHistory } from './report-history.ts'

async function makeDirectory(): Promise<AsyncDisposable & { readonly path: string }> {
  const path = await mkdtemp(join(tmpdir(), 'candor-history-'))
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true }) }
}

function write(
  directory: string,
  day: number,
  statuses: readonly ExitStatus[],
  facts: Partial<ExitRunFacts> = {},
  suffix = '',
): Promise<void> {
  const time = { run_id: `202601${day}120000`, timestamp: `2026-01-${day}T12:05:00.000Z` }
  const report = exampleReport(statuses, { ...time, ...facts })
  return writeFile(join(directory, `dnshealth_202601${day}_120000${suffix}.json`), formatExitReport(report))
}

describe('createReportHistory', () => {
  test('gives the verdicts of earlier runs, earliest first', async () => {
    await using directory = await makeDirectory()
    await write(directory.path, 12, ['timeout', 'circuit_fail'])
    await write(directory.path, 11, ['success', 'dns_fail'])
    await write(directory.path, 13, ['success', 'success'])
    const history = createReportHistory(nodeFiles, directory.path, silentLog)
    const verdicts = await history.verdicts('20260113120000')
    expect(verdicts.get(exampleFingerprint(1))).toEqual([
      { runId: '20260111120000', timestamp: '2026-01-11T12:05:00.000Z', status: 'success', statusIpv6: null },
      { runId: '20260112120000', timestamp: '2026-01-12T12:05:00.000Z', status: 'timeout', statusIpv6: null },
    ])
    expect(verdicts.get(exampleFingerprint(2))).toHaveLength(1)
    await history.close()
  })

  test('has no points from invalid runs, nor from damaged, unreadable or foreign files', async () => {
    await using directory = await makeDirectory()
    const events: string[] = []
    await write(directory.path, 11, ['timeout'], { invalid: 'zone down' })
    await writeFile(join(directory.path, 'dnshealth_20260112_120000.json'), '{"results":[')
    await writeFile(join(directory.path, 'dnshealth_20260113_120000.json'), '{"results":{}}')
    await writeFile(join(directory.path, 'dnshealth_20260114_120000.json'), '{"results":[7,{"status":"timeout"}]}')
    await writeFile(join(directory.path, 'dnssec_20260115_120000.json'), '{')
    await writeFile(join(directory.path, 'dnshealth_20261399_120000.json'), '{')
    await mkdir(join(directory.path, 'dnshealth_20260116_120000.json'))
    const log = createLog((_level, event) => events.push(event))
    expect((await createReportHistory(nodeFiles, directory.path, log).verdicts('20260201000000')).size).toBe(0)
    expect(events).toEqual(['exits.history.damaged', 'exits.history.unreadable'])
  })

  test('counts a run once where the whole stands beside its parts, and parts where they stand alone', async () => {
    await using directory = await makeDirectory()
    await write(directory.path, 11, ['timeout'], { shard: '0/2' }, '_shard-0-of-2')
    await write(directory.path, 11, ['success', 'success'])
    await write(directory.path, 12, ['timeout'], { shard: '0/2' }, '_shard-0-of-2')
    const verdicts = await createReportHistory(nodeFiles, directory.path, silentLog).verdicts('20260201000000')
    expect(verdicts.get(exampleFingerprint(1))?.map((point) => point.status)).toEqual(['success', 'timeout'])
  })

  test('keeps a verdict about AAAA where A has none', async () => {
    await using directory = await makeDirectory()
    const text = formatExitReport(exampleReport(['error'], {}, { status_ipv6: 'timeout' }))
    await writeFile(
      join(directory.path, 'dnshealth_20260131_120000.json'),
      text.replaceAll('"2026-01-31T12:10:00.000Z"', '7'),
    )
    const verdicts = await createReportHistory(nodeFiles, directory.path, silentLog).verdicts('20260201000000')
    expect(verdicts.get(exampleFingerprint(1))).toEqual([
      { runId: '20260131120000', timestamp: '2026-01-31T12:00:00.000Z', status: 'circuit_fail', statusIpv6: 'timeout' },
    ])
  })

  test('is empty without a directory', async () => {
    const history = createReportHistory(nodeFiles, '/nonexistent/candor', silentLog)
    expect((await history.verdicts('20260201000000')).size).toBe(0)
  })
})
