import { describe, expect, test } from 'vitest'
import { createRunView } from '../../test/web-fixtures/exit-run-fixture.ts'
import { createSettableRun } from '../../test/web-fixtures/settable-run.ts'
import type { Clock } from '../core/clock.ts'
import { createEventStreams } from './event-stream.ts'

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

async function readText(reader: ReadableStreamDefaultReader<Uint8Array>): Promise<string> {
  const { value } = await reader.read()
  return new TextDecoder().decode(value)
}

describe('createEventStreams', () => {
  test('begins with where the run stands, then tells each new result once', async () => {
    const run = createSettableRun(createRunView(3))
    const streams = createEventStreams(run, createHandClock().clock, 4)
    const reader = streams.open(undefined)?.getReader()
    expect(await readText(reader!)).toMatch(/^event: run\nid: 20261120221806\.3\ndata: \{.*"finished":3.*\}\n\n$/)
    run.set(createRunView(5))
    const text = await readText(reader!)
    expect(text.match(/^id: .*$/gm)).toEqual(['id: 20261120221806.4', 'id: 20261120221806.5', 'id: 20261120221806.5'])
    await reader?.cancel()
  })

  test('goes on after the last id that the client has seen', async () => {
    const streams = createEventStreams(createSettableRun(createRunView(6)), createHandClock().clock, 4)
    const reader = streams.open('20261120221806.4')?.getReader()
    const text = await readText(reader!)
    expect(text.match(/^event: result$/gm)).toHaveLength(2)
    await reader?.cancel()
  })

  test.each(['20200101000000.4', 'nonsense', '20261120221806.9999999'])('survives the last id %s', async (lastId) => {
    const streams = createEventStreams(createSettableRun(createRunView(6)), createHandClock().clock, 4)
    const reader = streams.open(lastId)?.getReader()
    expect(await readText(reader!)).toContain('event: run\nid: 20261120221806.6\n')
    await reader?.cancel()
  })

  test('refuses a stream above its bound and takes it when another has ended', async () => {
    const run = createSettableRun(createRunView(1))
    const hand = createHandClock()
    const streams = createEventStreams(run, hand.clock, 1)
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
    const reader = createEventStreams(run, createHandClock().clock, 1).open(undefined)?.getReader()
    for (let finished = 1; finished <= 30; finished++) run.set(createRunView(finished))
    const texts = [await readText(reader!), await readText(reader!)]
    expect(texts.join('').match(/^event: result$/gm)).toHaveLength(30)
    await reader?.cancel()
  })

  test('says that it is still here while nothing happens', async () => {
    const hand = createHandClock()
    const reader = createEventStreams(createSettableRun(createRunView(1)), hand.clock, 1)
      .open(undefined)
      ?.getReader()
    await readText(reader!)
    const next = readText(reader!)
    hand.run()
    expect(await next).toBe(': still here\n\n')
    await reader?.cancel()
  })
})
