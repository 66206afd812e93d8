import { describe, expect, test } from 'vitest'
import { createBuildingView, createRunView } from '../../test/web-fixtures/exit-run-fixture.ts'
import { createSettableRun } from '../../test/web-fixtures/settable-run.ts'
import { createLatestRun } from './latest-run.ts'

describe('createLatestRun', () => {
  test('keeps the finished run until the next one asks exits', () => {
    const first = createSettableRun(createRunView(40))
    const latest = createLatestRun(first)
    const next = createSettableRun(createBuildingView('Starting Tor', 'starting_tor'))
    latest.follow(next)
    expect(latest.view()).toMatchObject({ phase: 'done', message: 'Next scan: Starting Tor' })
    expect(latest.view().results).toHaveLength(40)
    next.set(createRunView(2))
    expect(latest.view()).toMatchObject({ phase: 'scanning', done: 2 })
    expect([first.subscribers(), next.subscribers()]).toEqual([0, 1])
  })

  test('shows a run that failed before it asked anybody', () => {
    const latest = createLatestRun(createSettableRun(createRunView(40)))
    latest.follow(createSettableRun(createBuildingView('Tor is gone.', 'failed')))
    expect(latest.view()).toMatchObject({ phase: 'failed', message: 'Tor is gone.' })
  })

  test('shows the first run at once where there was none', () => {
    const latest = createLatestRun(createSettableRun(createBuildingView('No run has been made yet.', 'done')))
    latest.follow(createSettableRun(createBuildingView('Starting Tor', 'starting_tor')))
    expect(latest.view()).toMatchObject({ phase: 'starting_tor', message: 'Starting Tor' })
  })

  test('tells its subscribers about every run that it follows', () => {
    const first = createSettableRun(createRunView(40))
    const latest = createLatestRun(first)
    const messages: string[] = []
    const unsubscribe = latest.subscribe(() => messages.push(latest.view().message))
    const next = createSettableRun(createBuildingView('one', 'starting_tor'))
    latest.follow(next)
    next.set(createBuildingView('two', 'preflight'))
    unsubscribe()
    next.set(createBuildingView('three', 'preflight'))
    expect(messages).toEqual(['Next scan: one', 'Next scan: two'])
  })
})
