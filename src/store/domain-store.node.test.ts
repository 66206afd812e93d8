import { DatabaseSync } from 'node:sqlite'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { makeTemporaryDirectory } from '../../test/contract/temporary-directory.ts'
import type { DomainChange, DomainRow, DomainTrace, ListedDomain } from '../model/domain.ts'
import { openDomainStore } from './domain-store.node.ts'

const AT_MS = 1_770_000_000_000

function list(...names: readonly string[]): readonly ListedDomain[] {
  return names.map((name) => ({ name, isWildcard: false, labels: ['one'] }))
}

const TRACE: DomainTrace = {
  atMs: AT_MS,
  pass: 'check',
  outcome: 'OK',
  reason: 'scored',
  scoreBeforeMilli: 0,
  scoreAfterMilli: 8_000,
  stateBefore: 'SUSPECT',
  stateAfter: 'STABLE',
  isDisputed: false,
  attempts: [],
  addresses: [],
}

function change(row: DomainRow | undefined, fields: Partial<DomainRow['health']>, atMs = AT_MS): DomainChange {
  if (row === undefined) throw new Error('there is no such row')
  return { id: row.id, health: { ...row.health, ...fields }, trace: { ...TRACE, atMs } }
}

describe('openDomainStore', () => {
  test('keeps health when a name leaves the list and comes back', async () => {
    const directory = makeTemporaryDirectory()
    await using store = await openDomainStore(directory, 'test')
    expect(store.replaceList(list('a.example', 'b.example'), AT_MS)).toEqual({ added: 2, kept: 0, left: 0 })
    store.commit([change(store.find('a.example'), { scoreMilli: 8_000, state: 'STABLE', refreshAtMs: AT_MS + 60_000 })])
    expect(store.replaceList(list('b.example', 'c.example'), AT_MS)).toEqual({ added: 1, kept: 1, left: 1 })
    expect(store.find('a.example')).toMatchObject({ isListed: false })
    expect(store.page({}, 0, 10).map(({ name }) => name)).toEqual(['b.example', 'c.example'])
    expect(store.replaceList(list('a.example'), AT_MS)).toEqual({ added: 1, kept: 0, left: 2 })
    expect(store.find('a.example')).toMatchObject({ isListed: true, health: { scoreMilli: 8_000 } })
    expect([...store.countStates()].filter(([, count]) => count > 0)).toEqual([['STABLE', 1]])
  })

  test('says what is due, the longest first, and nothing in quarantine for the live pass', async () => {
    await using store = await openDomainStore(makeTemporaryDirectory(), 'test')
    store.replaceList(list('a.example', 'b.example', 'c.example'), AT_MS)
    store.commit([
      change(store.find('a.example'), { refreshAtMs: AT_MS - 10, nextCheckAtMs: AT_MS + 100 }),
      change(store.find('b.example'), { refreshAtMs: null, nextCheckAtMs: AT_MS + 100, confirmAtMs: AT_MS - 5 }),
      change(store.find('c.example'), { refreshAtMs: 0, nextCheckAtMs: AT_MS + 100 }),
    ])
    expect(store.dueForRefresh(AT_MS, 10).map(({ name }) => name)).toEqual(['c.example', 'a.example'])
    expect(store.dueForCheck(AT_MS, 10).map(({ name }) => name)).toEqual(['b.example'])
    expect([store.nextDueAtMs(), store.dueForRefresh(AT_MS, 1).length]).toEqual([0, 1])
  })

  test('keeps the last twenty traces of a name, and texts, all or nothing', async () => {
    const directory = makeTemporaryDirectory()
    {
      await using store = await openDomainStore(directory, 'test')
      store.replaceList(list('a.example'), AT_MS)
      for (let i = 0; i < 25; i++) store.commit([change(store.find('a.example'), {}, AT_MS + i)])
      const bad = change(store.find('a.example'), { scoreMilli: 0.5 })
      expect(() => {
        store.commit([change(store.find('a.example'), { state: 'HARD' }), bad], new Map([['key', 'bad']]))
      }).toThrow(/could not be kept/)
      store.commit([], new Map([['key', 'good']]))
    }
    await using again = await openDomainStore(directory, null)
    expect(again.find('a.example')?.health.state).toBe('SUSPECT')
    const traces = again.traces(again.find('a.example')?.id ?? 0, 100)
    expect([traces.length, traces[0]?.atMs, traces.at(-1)?.atMs]).toEqual([20, AT_MS + 24, AT_MS + 5])
    expect(again.text('key')).toBe('good')
  })

  test('is held by one program, and refuses a newer schema', async () => {
    const directory = makeTemporaryDirectory()
    {
      await using store = await openDomainStore(directory, 'the first')
      await expect(openDomainStore(directory, 'the second')).rejects.toThrow(/in use by the first/)
      expect(store.nextDueAtMs()).toBeNull()
    }
    {
      using database = new DatabaseSync(join(directory, 'domains', 'domains.db'))
      database.exec('PRAGMA user_version = 99')
    }
    await expect(openDomainStore(directory, null)).rejects.toThrow(/schema version 99/)
  })
})
