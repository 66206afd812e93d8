import { appendFileSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { makeTemporaryDirectory } from '../../test/contract/temporary-directory.ts'
import { BLOCKED_PAIR, SATELLITE_RUN_ID, writeSatelliteRun } from '../../test/web-fixtures/satellite-run.ts'
import { openSatelliteArchive } from './satellite-archive.node.ts'

describe('openSatelliteArchive', () => {
  test('takes a finished run once, and gives its countries, names, groups, pairs and control', async () => {
    const directory = makeTemporaryDirectory()
    writeSatelliteRun(join(directory, 'satellite'))
    using archive = await openSatelliteArchive(directory)
    expect(await archive.adopt(join(directory, 'satellite'), 10)).toEqual([SATELLITE_RUN_ID])
    expect(await archive.adopt(join(directory, 'satellite'), 10)).toEqual([])
    expect(await archive.run(undefined)).toMatchObject({
      runId: SATELLITE_RUN_ID,
      endedAt: '2026-01-10T05:30:00.000Z',
      resolvers: 9,
      domains: 3,
      pairs: 27,
      judgements: { interference: 6, ok: 12, down: 9 },
      cells: 6,
      tested: 3,
      interfered: 1,
    })
    expect(await archive.countries(SATELLITE_RUN_ID)).toEqual([
      { country: 'DE', resolvers: 3, interfered: 0, tested: 0, domains: 3, highestShare: null },
      { country: 'XA', resolvers: 6, interfered: 1, tested: 3, domains: 3, highestShare: 1 },
    ])
    expect((await archive.domains(SATELLITE_RUN_ID))[0]).toMatchObject({ domain: 'blocked.example', interfered: 1 })
    const cells = await archive.cells(SATELLITE_RUN_ID, { kind: 'country', limit: 2 })
    expect(cells.map(({ group, domain }) => `${group} ${domain}`)).toEqual(['DE blocked.example', 'DE open.example'])
    const [next] = await archive.cells(SATELLITE_RUN_ID, {
      kind: 'country',
      after: cells[1] ?? { group: '', domain: '' },
      limit: 1,
    })
    expect(next).toMatchObject({ group: 'DE', domain: 'slow.example', verdict: 'too_few', nullShare: null })
    const pairs = await archive.pairs(SATELLITE_RUN_ID, { country: 'XA', judgement: 'interference', limit: 100 })
    expect(pairs).toHaveLength(6)
    const pair = await archive.pair(SATELLITE_RUN_ID, BLOCKED_PAIR.resolver, BLOCKED_PAIR.domain)
    expect(pair).toMatchObject({ ...BLOCKED_PAIR, country: 'XA', isAnomaly: true, findings: [{ rule: 'blockpage' }] })
    expect(await archive.control(SATELLITE_RUN_ID, 'open.example')).toMatchObject({
      asked: 5,
      addresses: ['203.0.113.7'],
    })
    expect(await archive.pair(SATELLITE_RUN_ID, BLOCKED_PAIR.resolver, 'other.example')).toBeUndefined()
  })

  test('leaves a run that has not ended, passes over lines of another form, and forgets the oldest', async () => {
    const directory = makeTemporaryDirectory()
    const parent = join(directory, 'satellite')
    writeSatelliteRun(parent)
    writeSatelliteRun(parent, 'CP_Satellite-2026-01-13-04-00-00')
    appendFileSync(join(parent, 'CP_Satellite-2026-01-13-04-00-00', 'findings.jsonl'), 'no\n{"vp":"x"}\n[]\n')
    mkdirSync(join(parent, 'CP_Satellite-2026-01-17-04-00-00'))
    writeFileSync(join(parent, 'CP_Satellite-2026-01-17-04-00-00', 'findings.jsonl'), '')
    writeFileSync(join(parent, 'CP_Satellite-2026-01-17-04-00-00', 'log.json'), '{"start": "2026-01-17", "end": null}')
    {
      using archive = await openSatelliteArchive(directory)
      expect(await archive.adopt(parent, 10)).toEqual(['20260113040000', SATELLITE_RUN_ID])
      expect((await archive.runs(null, 1))[0]).toMatchObject({ runId: '20260113040000', pairs: 27 })
      expect((await archive.runs('20260113040000', 10)).map(({ runId }) => runId)).toEqual([SATELLITE_RUN_ID])
      await archive.adopt(parent, 2)
      expect(await archive.run(SATELLITE_RUN_ID)).toBeDefined()
      await archive.adopt(parent, 1)
      expect(await archive.run(SATELLITE_RUN_ID)).toBeUndefined()
    }
    rmSync(parent, { recursive: true })
    using archive = await openSatelliteArchive(directory)
    expect((await archive.run(undefined))?.runId).toBe('20260113040000')
  })
})
