import { describe, expect, test } from 'vitest'
import { createRunView } from '../../test/web-fixtures/exit-run-fixture.ts'
import { createSettableRun } from '../../test/web-fixtures/settable-run.ts'
import type { Clock } from '../core/clock.ts'
import type { ExitArchive, ExitRunSummary } from '../model/exit-archive.ts'
import type { ExitIncident } from '../model/incident.ts'
import type { ExitResult } from '../model/exit-result.ts'
import { createEventStreams, type EventStreams } from './event-stream.ts'

/** A clock whose timers a test runs by hand. */
function createHandClock(): { readonly clock: Clock; run(): void; pending(): number } {
  const callbacks = new Set<() => void>()
  return {
    clock: {
      nowMs: () => 0,
      wallNowMs: () => 0,
      setTimer: (_delayMs, callback) => {
        callbacks.add(callback)
        return { cancel: () => callbacks.delete(callback) }
      },
    },
    run: () => {
      const due = [...callbacks]
      callbacks.clear()
      for (const callback of due) callback()
    },
    pending: () => callbacks.size,
  }
}

function incident(name: string, lastSeen: string, closedAt: string | null = null): ExitIncident {
  const told: Partial<ExitIncident> = {
    id: `exits-${name}`,
    status: closedAt === null ? 'open' : 'recovered',
    lastSeen,
    closedAt,
  }
  return told as ExitIncident
}

async function readText(reader: ReadableStreamDefaultReader<Uint8Array>): Promise<string> {
  const { value } = await reader.read()
  return new TextDecoder().decode(value)
}

describe('createEventStreams', () => {
  test('begins with where the run stands, then tells each new result once', async () => {
    const run = createSettableRun(createRunView(3))
    const streams = createEventStreams({ runs: run, clock: createHandClock().clock }, 4)
    const reader = streams.open(undefined)?.getReader()
    expect(await readText(reader!)).toMatch(/^event: run\nid: 20261120221806\.3\ndata: \{.*"finished":3.*\}\n\n$/)
    run.set(createRunView(5))
    const text = await readText(reader!)
    expect(text.match(/^id: .*$/gm)).toEqual(['id: 20261120221806.4', 'id: 20261120221806.5', 'id: 20261120221806.5'])
    await reader?.cancel()
  })

  test('goes on after the last id that the client has seen', async () => {
    const streams = createEventStreams({ runs: createSettableRun(createRunView(6)), clock: createHandClock().clock }, 4)
    const reader = streams.open('20261120221806.4')?.getReader()
    const text = await readText(reader!)
    expect(text.match(/^event: result$/gm)).toHaveLength(2)
    await reader?.cancel()
  })

  test.each(['20200101000000.4', 'nonsense', '20261120221806.9999999'])('survives the last id %s', async (lastId) => {
    const streams = createEventStreams({ runs: createSettableRun(createRunView(6)), clock: createHandClock().clock }, 4)
    const reader = streams.open(lastId)?.getReader()
    let text = await readText(reader!)
    while (!text.includes('event: run')) text += await readText(reader!)
    expect(text).toContain('event: run\nid: 20261120221806.6\n')
    await reader?.cancel()
  })

  test('refuses a stream above its bound and takes it when another has ended', async () => {
    const run = createSettableRun(createRunView(1))
    const hand = createHandClock()
    const streams = createEventStreams({ runs: run, clock: hand.clock }, 1)
    const first = streams.open(undefined)
    expect(streams.open(undefined)).toBeUndefined()
    await first?.cancel()
    expect({ open: streams.count(), subscribers: run.subscribers(), timers: hand.pending() }).toEqual({
      open: 0,
      subscribers: 0,
      timers: 0,
    })
    expect(streams.open(undefined)).toBeDefined()
  })

  test('keeps one chunk for a reader that does not read, and gives it everything later', async () => {
    const run = createSettableRun(createRunView(0))
    const reader = createEventStreams({ runs: run, clock: createHandClock().clock }, 1).open(undefined)?.getReader()
    for (let finished = 1; finished <= 30; finished++) {
      run.set(createRunView(finished))
      for (let turn = 0; turn < 10; turn++) await Promise.resolve()
    }
    const texts = [await readText(reader!), await readText(reader!)]
    expect(texts.join('').match(/^event: result$/gm)).toHaveLength(30)
    await reader?.cancel()
  })

  test('says that it is still here while nothing happens', async () => {
    const hand = createHandClock()
    const reader = createEventStreams({ runs: createSettableRun(createRunView(1)), clock: hand.clock }, 1)
      .open(undefined)
      ?.getReader()
    await readText(reader!)
    const next = readText(reader!)
    while (hand.pending() === 0) await Promise.resolve()
    hand.run()
    expect(await next).toBe(': still here\n\n')
    await reader?.cancel()
  })

  test('tells changes of incidents once, and those that a reader missed', async () => {
    const hand = createHandClock()
    const runs = createSettableRun(createRunView(2))
    let known: readonly ExitIncident[] = [incident('A', '2026-11-20T10:00:00.000Z')]
    const incidents = { list: () => Promise.resolve(known) }
    const streams = createEventStreams({ runs, clock: hand.clock, incidents }, 4)
    const told = (text: string): readonly (string | undefined)[] =>
      [...text.matchAll(/^event: incident\nid: .*~(.*)$/gm)].map(([, id]) => id)
    const reader = streams.open(undefined)?.getReader()
    let text = await readText(reader!)
    const next = (async (): Promise<void> => {
      while (!text.includes('event: incident')) text += await readText(reader!)
    })()
    known = [incident('A', '2026-11-20T10:00:00.000Z'), incident('B', '2026-11-20T16:00:00.000Z')]
    for (let turn = 0; turn < 100 && told(text).length === 0; turn++) {
      hand.run()
      await new Promise((resolve) => setImmediate(resolve))
    }
    await next
    expect(told(text)).toEqual(['exits-B'])
    const lastId = [...text.matchAll(/^id: (.*)$/gm)].at(-1)?.[1]
    expect(lastId).toBe('20261120221806.2~2026-11-20T16:00:00.000Z~exits-B')
    await reader?.cancel()
    known = [incident('A', '2026-11-20T22:00:00.000Z', '2026-11-20T22:00:00.000Z'), ...known.slice(1)]
    const again = createEventStreams({ runs, clock: hand.clock, incidents }, 4).open(lastId)?.getReader()
    let missed = ''
    while (!missed.includes('event: incident')) missed += await readText(again!)
    expect([told(missed), missed.includes('"closed_at":"2026-11-20T22:00:00.000Z"')]).toEqual([['exits-A'], true])
    await again?.cancel()
  })

  describe('after a restart', () => {
    /** The archive as far as events ask it, with whole runs of the fixture. */
    function keep(runIds: readonly string[], total: number): ExitArchive {
      const rowsOf = (runId: string): readonly ExitResult[] =>
        createRunView(total)
          .results.map((result) => ({ ...result, run_id: runId }))
          .toSorted((a, b) => (a.exit_fingerprint < b.exit_fingerprint ? -1 : 1))
      const summaryOf = (runId: string): ExitRunSummary => ({
        runId,
        metadata: { ...createRunView(40).metadata!, run_id: runId },
        evidence: 'all',
        hasRows: true,
      })
      const known: Partial<ExitArchive> = {
        runs: (_before, limit) => Promise.resolve(runIds.toSorted().reverse().slice(0, limit).map(summaryOf)),
        run: (runId) => Promise.resolve(runIds.includes(runId) ? summaryOf(runId) : undefined),
        rows: (runId) => Promise.resolve(runIds.includes(runId) ? rowsOf(runId) : undefined),
      }
      return known as ExitArchive
    }
    const finishOrder = (): Promise<readonly string[]> =>
      Promise.resolve(createRunView(30).results.map(({ exit_fingerprint }) => exit_fingerprint))

    /** Reads until the stream waits; `stop` ends it. */
    async function readAll(streams: EventStreams, lastId: string, clockPending: () => number): Promise<string> {
      const reader = streams.open(lastId)?.getReader()
      let text = ''
      void (async () => {
        for (;;) {
          const { value, done } = await reader!.read()
          if (done) return
          text += new TextDecoder().decode(value)
        }
      })()
      // The keep-alive timer runs only while the stream waits for something new.
      for (let turn = 0; turn < 1_000 && clockPending() === 0; turn++) await Promise.resolve()
      await reader?.cancel()
      return text
    }

    test('tells what finished while nobody looked, in the order of finishing, each once', async () => {
      const hand = createHandClock()
      const runs = createSettableRun({ ...createRunView(5), runId: '20261121041500' })
      const archive = keep(['20261120221806'], 30)
      const streams = createEventStreams({ runs, clock: hand.clock, archive, finishOrder }, 4)
      const text = await readAll(streams, '20261120221806.12', () => hand.pending())
      const ids = [...text.matchAll(/^event: result\nid: (.*)$/gm)].map(([, id]) => id)
      expect(ids).toEqual([
        ...Array.from({ length: 18 }, (_, index) => `20261120221806.${index + 13}`),
        ...Array.from({ length: 5 }, (_, index) => `20261121041500.${index + 1}`),
      ])
      const told = [...text.matchAll(/"exit_fingerprint":"([0-9A-F]+)"/g)].map(([, fingerprint]) => fingerprint)
      const order = createRunView(30).results.map(({ exit_fingerprint }) => exit_fingerprint)
      expect(told).toEqual([...order.slice(12), ...order.slice(0, 5)])
    })

    test('goes on at the same place in a run that another process has resumed', async () => {
      const hand = createHandClock()
      const runs = createSettableRun({ ...createRunView(0), runId: null, phase: 'starting_tor' })
      const streams = createEventStreams({ runs, clock: hand.clock, archive: keep([], 0) }, 4)
      const reader = streams.open('20261120221806.4')?.getReader()
      expect(await readText(reader!)).not.toContain('event: result')
      runs.set(createRunView(7))
      let text = ''
      for (let chunk = 0; chunk < 3 && !text.includes('.7\n'); chunk++) text += await readText(reader!)
      const ids = [...text.matchAll(/^event: result\nid: (.*)$/gm)].map(([, id]) => id)
      expect(ids).toEqual(['20261120221806.5', '20261120221806.6', '20261120221806.7'])
      await reader?.cancel()
    })

    test('goes on at the same place after the end of the run, whose results are sorted then', async () => {
      const hand = createHandClock()
      const runs = createSettableRun(createRunView(20))
      const streams = createEventStreams({ runs, clock: hand.clock }, 4)
      await readAll(streams, '20261120221806.0', () => hand.pending())
      const ended = createRunView(40)
      runs.set({ ...ended, results: ended.results.toReversed() })
      const text = await readAll(streams, '20261120221806.18', () => hand.pending())
      const told = [...text.matchAll(/"exit_fingerprint":"([0-9A-F]+)"/g)].map(([, fingerprint]) => fingerprint)
      const order = ended.results.map(({ exit_fingerprint }) => exit_fingerprint)
      expect(told.slice(0, 2)).toEqual(order.slice(18, 20))
      expect(new Set(told)).toEqual(
        new Set(ended.results.slice(18).flatMap((one) => (one.status === 'not_tested' ? [] : [one.exit_fingerprint]))),
      )
      expect(told).toHaveLength(new Set(told).size)
    })

    test('tells a run that was made after a reader who knew of none', async () => {
      const hand = createHandClock()
      const none = createSettableRun({ ...createRunView(0), runId: null, phase: 'done' })
      const first = createEventStreams({ runs: none, clock: hand.clock, archive: keep([], 0), finishOrder }, 4)
      const lastId = /^id: (.*)$/m.exec(await readAll(first, '', () => hand.pending()))?.[1] ?? ''
      const archive = keep(['20261120221806'], 30)
      const later = createEventStreams({ runs: none, clock: hand.clock, archive, finishOrder }, 4)
      const text = await readAll(later, lastId, () => hand.pending())
      expect(text.match(/^event: result$/gm)).toHaveLength(30)
      // Who comes back once more, or comes for the first time, knows it already.
      const last = [...text.matchAll(/^id: (.*)$/gm)].at(-1)?.[1] ?? ''
      for (const id of [last, 'none']) {
        expect(await readAll(later, id, () => hand.pending())).not.toContain('event: result')
      }
    })

    test('says that there is a gap when the order is not known any more', async () => {
      const hand = createHandClock()
      const runs = createSettableRun({ ...createRunView(2), runId: '20261121041500' })
      const streams = createEventStreams({ runs, clock: hand.clock, archive: keep(['20261120221806'], 30) }, 4)
      const text = await readAll(streams, '20261120221806.12', () => hand.pending())
      expect(text).toContain('event: gap\ndata: {"after":"20261120221806","until":"20261121041500",')
      expect(text.match(/^id: 20261121041500\.\d+$/gm)?.slice(0, 2)).toEqual([
        'id: 20261121041500.1',
        'id: 20261121041500.2',
      ])
    })

    test('names what it leaves out for a reader who missed many runs', async () => {
      const hand = createHandClock()
      const ids = Array.from({ length: 9 }, (_, index) => `2026112010000${index}`)
      const runs = createSettableRun({ ...createRunView(0), runId: '20261121041500' })
      const streams = createEventStreams({ runs, clock: hand.clock, archive: keep(ids, 3), finishOrder }, 4)
      const text = await readAll(streams, '20261120100000.3', () => hand.pending())
      expect(text).toContain('"after":"20261120100000","until":"20261120100005"')
      const told = new Set([...text.matchAll(/^event: result\nid: (\d+)/gm)].map(([, id]) => id))
      expect(told).toEqual(new Set(ids.slice(5)))
    })
  })
})
