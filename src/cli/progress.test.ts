import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { createBuildingView, createRunView } from '../../test/web-fixtures/exit-run-fixture.ts'
import { createSettableRun } from '../../test/web-fixtures/settable-run.ts'
import { createCliCapabilities } from '../../test/contract/simulated-cli.ts'
import type { Clock } from '../core/clock.ts'
import { createCliContext, type CliContext } from './cli-context.ts'
import { formatDuration, formatProgress, startProgress } from './progress.ts'
import { runCli } from './run-cli.ts'
import { makeTemporaryDirectory } from '../../test/contract/temporary-directory.ts'

/** A clock whose timers fire when the test says so. */
function createHandClock(): Clock & { fire(): Promise<void> } {
  const pending = new Set<() => void>()
  return {
    nowMs: () => 0,
    wallNowMs: () => 0,
    setTimer: (_delayMs, callback) => {
      pending.add(callback)
      return {
        cancel: () => {
          pending.delete(callback)
        },
      }
    },
    fire: async () => {
      const due = [...pending]
      pending.clear()
      for (const callback of due) callback()
      await new Promise((resolve) => {
        setTimeout(resolve, 20)
      })
    },
  }
}

function createContext(isTerminal: boolean, clock: Clock): { context: CliContext; texts: { stderr: string } } {
  const { capabilities, texts } = createCliCapabilities({ isTerminal })
  return { context: createCliContext({ ...capabilities, clock }, runCli), texts }
}

describe('startProgress', () => {
  test('rewrites one line on a terminal', async () => {
    const clock = createHandClock()
    const { context, texts } = createContext(true, clock)
    const run = createSettableRun(createBuildingView('starting 12 relays'))
    const progress = startProgress(run, context, null)
    await clock.fire()
    run.set(createRunView(2))
    await clock.fire()
    await progress.stop()
    const shown = texts.stderr.split('\r\u001B[K')
    expect(shown[1]).toBe('starting 12 relays')
    expect(shown[2]).toMatch(/^2\/\d+ relays/)
    expect(texts.stderr.match(/\n/g)).toHaveLength(1)
  })

  test('writes a line for each phase, and within a phase only now and then, elsewhere', async () => {
    const clock = createHandClock()
    const { context, texts } = createContext(false, clock)
    const run = createSettableRun(createRunView(1, 'preflight'))
    const progress = startProgress(run, context, null)
    await clock.fire()
    for (const done of [1, 2, 3]) {
      run.set(createRunView(done, 'scanning'))
      await clock.fire()
    }
    expect(texts.stderr.trim().split('\n')).toHaveLength(2)
    await progress.stop()
    expect(texts.stderr.trim().split('\n').at(-1)).toMatch(/^3\/\d+ relays/)
    expect(texts.stderr).not.toContain('\u001B')
  })

  test('says nothing with --quiet, and keeps the status file all the same', async () => {
    const clock = createHandClock()
    const { context, texts } = createContext(true, clock)
    context.setVerbosity('warn', true)
    const path = join(makeTemporaryDirectory(), 'status.json')
    const view = createRunView(3)
    const progress = startProgress(createSettableRun(view), context, path)
    await clock.fire()
    await progress.stop()
    expect(texts.stderr).toBe('')
    const status = JSON.parse(readFileSync(path, 'utf8')) as { done: number; counts: Record<string, number> }
    expect(status.done).toBe(view.done)
    expect(Object.values(status.counts).reduce((sum, count) => sum + count, 0)).toBe(view.results.length)
  })

  test('counts the finished results anew: joining the log may have changed them', async () => {
    const clock = createHandClock()
    const { context, texts } = createContext(true, clock)
    const all = createRunView(Infinity)
    const running = createRunView(all.candidates, 'scanning')
    const run = createSettableRun({ ...running, metadata: null })
    const progress = startProgress(run, context, null)
    await clock.fire()
    const finished = createRunView(all.candidates, 'done')
    const results = running.results.map((result) => ({ ...result, status: 'timeout' as const }))
    run.set({ ...finished, results })
    await progress.stop()
    expect(finished.metadata).not.toBeNull()
    expect(texts.stderr).toMatch(new RegExp(` · ${results.length} timeout · [^·]*\n$`))
  })

  test('goes on when the status file cannot be written', async () => {
    const clock = createHandClock()
    const { context, texts } = createContext(false, clock)
    const progress = startProgress(createSettableRun(createRunView(1)), context, '/nonexistent/status.json')
    await clock.fire()
    await progress.stop()
    expect(texts.stderr).toContain('cli.status_file.failed')
  })
})

describe('formatProgress', () => {
  test('shows relays, rate, time left and what was found', () => {
    const view = { ...createRunView(2), candidates: 8, done: 2, inFlight: 4, relaysPerSecond: 3.25, secondsLeft: 75 }
    const line = formatProgress(view, new Map([['success', 1] as const, ['wrong_ip', 1] as const]))
    expect(line).toContain('2/8 relays (25 %) · 3.3/s · 1:15 left · 4 in flight · 1 wrong_ip, 1 success')
  })
})

describe('formatDuration', () => {
  test.each([
    [0, '0:00'],
    [7.4, '0:07'],
    [750, '12:30'],
    [3723, '1:02:03'],
  ])('formats %d seconds as %s', (seconds, text) => {
    expect(formatDuration(seconds)).toBe(text)
  })
})
