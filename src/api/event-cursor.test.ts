import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { createRunView } from '../../test/web-fixtures/exit-run-fixture.ts'
import { createSettableRun } from '../../test/web-fixtures/settable-run.ts'
import type { ExitArchive, ExitRunSummary } from '../model/exit-archive.ts'
import type { ExitRunView } from '../model/run-view.ts'
import { nodeClock } from '../platform/node-clock.ts'
import { createEventCursor } from './event-cursor.ts'
import { createEventHub, type EventHub } from './event-hub.ts'

const WHOLE = createRunView(40)
const RUN_ID = WHOLE.runId ?? ''
const ORDER = WHOLE.results.filter(({ status }) => status !== 'not_tested').map((result) => result.exit_fingerprint)
const SORTED = WHOLE.results.toSorted((a, b) => (a.exit_fingerprint < b.exit_fingerprint ? -1 : 1))

/** What happens to a run and its reader: a lost chunk was sent and did not arrive, a restart goes on from the journal. */
const STEPS = fc.array(
  fc.oneof(
    fc.record({ kind: fc.constant('finish' as const), relays: fc.integer({ min: 1, max: 9 }) }),
    fc.record({ kind: fc.constant('reconnect' as const), isChunkLost: fc.boolean() }),
    fc.constant({ kind: 'restart' as const }),
    fc.constant({ kind: 'read' as const }),
  ),
  { maxLength: 30 },
)

/** The archive once the run has ended. */
function archiveOf(isKept: () => boolean): ExitArchive {
  const summary = { runId: RUN_ID, metadata: WHOLE.metadata, evidence: 'all', hasRows: true } as ExitRunSummary
  const known: Partial<ExitArchive> = {
    runs: () => Promise.resolve(isKept() ? [summary] : []),
    run: (runId) => Promise.resolve(isKept() && runId === RUN_ID ? summary : undefined),
    rows: (runId) => Promise.resolve(isKept() && runId === RUN_ID ? SORTED : undefined),
  }
  return known as ExitArchive
}

describe('createEventCursor', () => {
  test.each(['the run at hand', 'an earlier run', 'an earlier run of another process'])(
    'tells every result once and in order, whatever is lost and restarted; the run ends as %s',
    async (ending) => {
      await fc.assert(
        fc.asyncProperty(STEPS, async (steps) => {
          let view: ExitRunView = createRunView(0)
          const runs = createSettableRun(view)
          const finishOrder = (): Promise<readonly string[]> => Promise.resolve(ORDER)
          let isKept = false
          const archive = archiveOf(() => isKept)
          const createHub = (): EventHub => createEventHub({ runs, clock: nodeClock, finishOrder, archive })
          let hub = createHub()
          hub.join(() => {})
          const told: string[] = []
          let lastId = `${RUN_ID}.0`
          let cursor = createEventCursor(hub, lastId)
          const read = async (isLost: boolean): Promise<string> => {
            const text = await cursor.next()
            if (isLost) return text
            for (const [, id, data] of text.matchAll(/^event: result\nid: (.*)\ndata: (.*)$/gm)) {
              told.push((JSON.parse(data ?? '') as { exit_fingerprint: string }).exit_fingerprint)
              lastId = id ?? lastId
            }
            lastId = [...text.matchAll(/^id: (.*)$/gm)].at(-1)?.[1] ?? lastId
            return text
          }
          const reconnect = (): void => {
            cursor = createEventCursor(hub, lastId)
          }
          for (const step of steps) {
            if (step.kind === 'finish') {
              view = createRunView(Math.min(39, view.results.length + step.relays), 'scanning')
              runs.set({ ...view, metadata: null })
            } else if (step.kind === 'read') {
              await read(false)
            } else {
              if (step.kind === 'reconnect' && step.isChunkLost) await read(true)
              if (step.kind === 'restart') {
                hub = createHub()
                hub.join(() => {})
              }
              reconnect()
            }
          }
          runs.set({ ...WHOLE, results: SORTED })
          if (ending !== 'the run at hand') {
            isKept = true
            runs.set({ ...createRunView(0), runId: '20261121041500' })
            if (ending.endsWith('process')) hub = createHub()
            reconnect()
          }
          while ((await read(false)) !== '');
          expect(told).toEqual(ORDER)
        }),
      )
    },
  )
})
