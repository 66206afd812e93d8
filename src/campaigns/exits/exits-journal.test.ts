import { describe, expect, test } from 'vitest'
import { exampleFingerprint, exampleResult } from '../../../test/exit-fixtures/example-report.ts'
import { exampleRunOptions } from '../../../test/sim/run-options.ts'
import { ConfigError, RunError } from '../../core/config-error.ts'
import type { ExitRunOptions } from '../../model/exit-options.ts'
import type { JournalEntry } from '../../model/journal.ts'
import { checkResumable, headerEntry, readPriorRun, resultEntry, type RunHeader } from './exits-journal.ts'

const options = exampleRunOptions()

function exampleHeader(changes: Partial<RunHeader> = {}): RunHeader {
  return {
    runId: options.runId,
    shard: '0/1',
    seed: options.seed,
    mode: 'wildcard',
    domain: 'exit.test',
    expect: options.expect,
    startedAt: '2026-01-31T12:00:00.000Z',
    consensusValidAfter: '2026-01-31T12:00:00.000Z',
    candidatesSha256: '00',
    candidates: [1, 2].map((number) => ({ fingerprint: exampleFingerprint(number), reason: 'exit_flag' })),
    ...changes,
  }
}

const opened = headerEntry(exampleHeader())
const first = resultEntry(exampleResult(1, 'success'))

describe('readPriorRun', () => {
  test('gives back the header and the results', () => {
    const prior = readPriorRun([opened, first])
    expect(prior?.header).toMatchObject(exampleHeader())
    expect([...(prior?.results.keys() ?? [])]).toEqual([exampleFingerprint(1)])
    expect([prior?.complete, prior?.unreadable]).toEqual([false, 0])
  })

  test('calls a run complete when it ended and every relay has its result', () => {
    const second = resultEntry(exampleResult(2, 'timeout'))
    const end: JournalEntry = { kind: 'end', at: '2026-01-31T13:00:00.000Z' }
    expect(readPriorRun([opened, first, end])?.complete).toBe(false)
    expect(readPriorRun([opened, first, second])?.complete).toBe(false)
    expect(readPriorRun([opened, first, second, end])?.complete).toBe(true)
  })

  test.each([
    { kind: 'result', result: null },
    { kind: 'result', result: { exit_fingerprint: 'FF', status: 'success' } },
    { kind: 'circuit', fingerprint: exampleFingerprint(2), record: { circuit: 1 } },
    { kind: 'issued', name: 7 },
    { kind: 'module', module: 'mine', fingerprint: exampleFingerprint(2) },
  ])('passes over an entry of another shape and counts it: %j', (entry) => {
    const prior = readPriorRun([opened, entry, first])
    expect([prior?.unreadable, prior?.results.size, prior?.circuits.size]).toEqual([1, 1, 0])
  })

  test('passes over kinds of a newer version without a word', () => {
    expect(readPriorRun([opened, { kind: '__proto__' }, { kind: 'later', what: 1 }])?.unreadable).toBe(0)
  })

  test('refuses a header that it cannot read', () => {
    expect(() => readPriorRun([{ kind: 'run', run_id: options.runId }, first])).toThrow(RunError)
  })

  test('has nothing to say of a journal that was torn at birth', () => {
    expect(readPriorRun([])).toBeUndefined()
  })
})

describe('checkResumable', () => {
  const differing = (header: Partial<RunHeader>, changes: Partial<ExitRunOptions>): string | undefined => {
    try {
      checkResumable(exampleHeader(header), { ...options, ...changes })
    } catch (error) {
      if (error instanceof ConfigError) return error.path
      throw error
    }
    return undefined
  }

  test('lets the same options pass', () => {
    expect(differing({}, {})).toBeUndefined()
  })

  test('names the option that differs', () => {
    expect(differing({}, { domain: 'other.test' })).toBe('--domain')
    expect(differing({}, { expect: ['198.51.100.54'] })).toBe('--expect')
    expect(differing({}, { mode: 'nxdomain' })).toBe('--mode')
    expect(differing({ shard: '1/3' }, {})).toBe('--shard')
  })

  test('goes on with the label that mode nxdomain made up', () => {
    const made = { mode: 'nxdomain', domain: 'abcdefghijklmnop.invalid' } as const
    expect(differing(made, { mode: 'nxdomain', domain: null, expect: [] })).toBeUndefined()
    expect(differing(made, { mode: 'nxdomain', nxdomainDomain: 'nothing.test' })).toBe('--nxdomain-domain')
  })

  test('goes on in the mode that auto fell back to', () => {
    expect(differing({ mode: 'nxdomain', domain: 'abcdefghijklmnop.invalid' }, { mode: 'auto' })).toBeUndefined()
    expect(differing({ mode: 'stable', domain: null }, { mode: 'auto' })).toBeUndefined()
  })
})
