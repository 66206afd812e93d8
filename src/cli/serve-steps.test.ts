import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { createCliCapabilities } from '../../test/contract/simulated-cli.ts'
import { exampleReport } from '../../test/exit-fixtures/example-report.ts'
import { formatExitReport } from '../campaigns/exits/exit-report.ts'
import type { ExitReport } from '../model/exit-result.ts'
import { openExitArchive, type ExitArchiveStore } from '../store/exit-archive.node.ts'
import { createCliContext } from './cli-context.ts'
import { createRunSteps } from './serve-steps.ts'

const RUN_ID = '20260131120000'

async function makePlace(): Promise<{
  readonly directory: string
  readonly store: ExitArchiveStore
  readonly judged: ExitReport[]
  readonly run: (step: string) => Promise<void>
}> {
  const directory = await mkdtemp(join(tmpdir(), 'candor-steps-'))
  const store = await openExitArchive(join(directory, 'history.db'))
  onTestFinished(async () => {
    await store.close()
    await rm(directory, { recursive: true })
  })
  const judged: ExitReport[] = []
  const context = createCliContext(createCliCapabilities().capabilities, () => Promise.resolve(0))
  const steps = createRunSteps(context, {
    analysisDir: directory,
    archive: {
      store,
      state: () => ({ usedOctets: 0, budgetOctets: 1, retainedAt: null }),
      measure: () => Promise.resolve(),
      retention: { name: 'archive', run: () => Promise.resolve() },
    },
    alerts: {
      processRun: (report) => {
        judged.push(report)
        return Promise.resolve()
      },
    },
    publication: { sync: () => Promise.resolve() },
  })
  return {
    directory,
    store,
    judged,
    run: async (name) => {
      await steps.find((step) => step.name === name)?.run(RUN_ID, new AbortController().signal)
    },
  }
}

describe('createRunSteps', () => {
  test('keeps the report of a run that somebody else made, once', async () => {
    const { directory, store, run } = await makePlace()
    const report = exampleReport(['success', 'timeout'])
    await writeFile(join(directory, 'dnshealth_20260131_120000.json'), formatExitReport(report))
    await run('archive')
    expect((await store.run(RUN_ID))?.metadata).toEqual(report.metadata)
    await writeFile(join(directory, 'dnshealth_20260131_120000.json'), 'no longer a report')
    await run('archive')
    expect(await store.rows(RUN_ID)).toHaveLength(2)
  })

  test('judges incidents from the archive as from the report, and from the report where the archive has none', async () => {
    const { directory, store, run, judged } = await makePlace()
    const report = exampleReport(['success', 'timeout', 'dns_fail', 'circuit_fail'])
    await writeFile(join(directory, 'dnshealth_20260131_120000.json'), formatExitReport(report))
    await run('incidents')
    await store.append(report)
    await run('incidents')
    const [fromFile, fromArchive] = judged
    expect(fromFile).toEqual(report)
    expect(fromArchive?.metadata).toEqual(report.metadata)
    expect(fromArchive?.failures).toEqual(report.failures)
    expect(fromArchive?.dns_failures).toEqual(report.dns_failures)
    expect(fromArchive?.results.map((result) => result.status)).toEqual(report.results.map((result) => result.status))
  })

  test('does nothing about a run of which nothing is left', async () => {
    const { store, run, judged } = await makePlace()
    await run('archive')
    await run('incidents')
    expect([judged, await store.runs(null, 1)]).toEqual([[], []])
  })
})
