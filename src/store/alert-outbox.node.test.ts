import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { describe, expect, onTestFinished, test } from 'vitest'
import type { AlertMessage, AlertOutbox } from '../model/alert.ts'
import { openAlertStores, type AlertStores } from './alert-stores.node.ts'

const message = (id: string, changes: Partial<AlertMessage> = {}): AlertMessage => ({
  id,
  event: 'new',
  severity: 'medium',
  campaign: 'exits',
  createdAt: '2026-01-31T12:00:00.000Z',
  title: `about ${id}`,
  lines: [],
  items: [],
  tags: [],
  contacts: [],
  ...changes,
})

function makeDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'candor-outbox-'))
  onTestFinished(() => {
    rmSync(directory, { recursive: true })
  })
  return directory
}

async function openStores(directory = makeDirectory()): Promise<AlertStores> {
  const stores = await openAlertStores(directory, 'test')
  onTestFinished(async () => {
    await stores[Symbol.asyncDispose]()
  })
  return stores
}

async function put(outbox: AlertOutbox, ids: readonly string[], recipient = ''): Promise<void> {
  for (const id of ids) {
    await outbox.add(message(id))
    await outbox.route(id, [{ channel: 'ops', recipient }], 1_000)
  }
}

async function nextId(outbox: AlertOutbox, nowMs = 10_000): Promise<string | undefined> {
  return (await outbox.next('ops', nowMs, 'info'))?.message.id
}

describe('createAlertOutbox', () => {
  test('gives out in order, and never again what was sent', async () => {
    const { outbox } = await openStores()
    await put(outbox, ['a', 'b'])
    const first = await outbox.next('ops', 10_000, 'info')
    expect(first).toMatchObject({ message: { id: 'a', title: 'about a' }, delivery: { attempts: 0, partsDone: 0 } })
    await outbox.begin(first?.delivery.sequence ?? 0)
    await outbox.sent(first?.delivery.sequence ?? 0, 11_000)
    expect(await nextId(outbox)).toBe('b')
    expect(await outbox.status()).toEqual([
      {
        channel: 'ops',
        waiting: 1,
        sent: 1,
        dead: 0,
        oldestWaitingAtMs: 1_000,
        lastError: null,
        lastErrorAtMs: null,
        lastSentAtMs: 11_000,
      },
    ])
  })

  test('keeps a message and its deliveries once, however often they are added', async () => {
    const { outbox } = await openStores()
    expect(await outbox.add(message('a'))).toBe(true)
    expect(await outbox.add(message('a', { title: 'another' }))).toBe(false)
    expect((await outbox.unrouted()).map(({ title }) => title)).toEqual(['about a'])
    await outbox.route('a', [{ channel: 'ops', recipient: '' }], 1_000)
    await outbox.route('a', [{ channel: 'ops', recipient: '' }], 1_000)
    expect(await outbox.unrouted()).toEqual([])
    expect((await outbox.list(['waiting'], 10)).length).toBe(1)
  })

  test('gives out again what was being sent when the program was killed', async () => {
    const directory = makeDirectory()
    const before = await openAlertStores(directory, 'test')
    await put(before.outbox, ['a'])
    await before.outbox.begin(1)
    await before.outbox.progress(1, 2)
    await before[Symbol.asyncDispose]()
    const { outbox } = await openStores(directory)
    expect(await outbox.next('ops', 10_000, 'info')).toMatchObject({
      delivery: { state: 'sending', attempts: 1, partsDone: 2 },
    })
  })

  test('holds the next one up while the first waits for another try, until it has failed eight times', async () => {
    const { outbox } = await openStores()
    await put(outbox, ['a', 'b'])
    await outbox.begin(1)
    await outbox.retry(1, 'connection_refused', 2_000, 60_000)
    expect(await nextId(outbox)).toBeUndefined()
    expect(await nextId(outbox, 60_000)).toBe('a')
    for (let attempt = 2; attempt <= 8; attempt++) {
      await outbox.begin(1)
      await outbox.retry(1, 'connection_refused', 2_000, 60_000)
    }
    expect(await nextId(outbox)).toBe('b')
  })

  test('lets no recipient hold up another one', async () => {
    const { outbox } = await openStores()
    await put(outbox, ['a'], 'one@example.org')
    await put(outbox, ['b'], 'two@example.org')
    await outbox.begin(1)
    await outbox.retry(1, 'smtp_reply: 451', 2_000, 60_000)
    expect(await nextId(outbox)).toBe('b')
  })

  test('lets what is severe overtake what is held back', async () => {
    const { outbox } = await openStores()
    await put(outbox, ['a'])
    await outbox.add(message('b', { severity: 'critical' }))
    await outbox.route('b', [{ channel: 'ops', recipient: '' }], 1_000)
    expect((await outbox.next('ops', 10_000, 'critical'))?.message.id).toBe('b')
    expect(await nextId(outbox)).toBe('a')
  })

  test('keeps what was given up with its reason, and puts it back when asked', async () => {
    const { outbox } = await openStores()
    await put(outbox, ['a', 'b'])
    await outbox.begin(1)
    await outbox.bury(1, 'http_unexpected_status_code: 400', 5_000)
    expect(await nextId(outbox)).toBe('b')
    expect(await outbox.list(['dead'], 10)).toMatchObject([
      { messageId: 'a', title: 'about a', error: 'http_unexpected_status_code: 400', settledAtMs: 5_000 },
    ])
    expect(await outbox.status()).toMatchObject([{ dead: 1, lastError: 'http_unexpected_status_code: 400' }])
    expect(await outbox.revive('other', 6_000)).toBe(0)
    expect(await outbox.revive(null, 6_000)).toBe(1)
    expect(await nextId(outbox)).toBe('a')
  })

  test('gives up what waits for a channel that is gone', async () => {
    const { outbox } = await openStores()
    await put(outbox, ['a'])
    await outbox.abandon('ops', 5_000)
    expect(await outbox.list(['dead'], 10)).toMatchObject([{ error: 'channel_not_configured' }])
  })

  test('forgets what was sent long ago, and nothing that waits', async () => {
    const { outbox } = await openStores()
    await put(outbox, ['a', 'b', 'c'])
    await outbox.sent(1, 5_000)
    await outbox.bury(2, 'refused', 5_000)
    const later = Date.parse('2026-03-31T12:00:00Z')
    expect(await outbox.prune(later, 1_000)).toBe(1)
    expect((await outbox.list(['waiting', 'dead', 'sent'], 10)).map(({ messageId }) => messageId)).toEqual(['c', 'b'])
    expect(await outbox.prune(later, later)).toBe(1)
    expect((await outbox.list(['waiting', 'dead', 'sent'], 10)).map(({ messageId }) => messageId)).toEqual(['c'])
  })
})

describe('openAlertStores', () => {
  test('lets one program deliver and others look', async () => {
    const directory = makeDirectory()
    await openStores(directory)
    await expect(openAlertStores(directory, 'another')).rejects.toThrow('in use by')
    const looking = await openAlertStores(directory, null)
    expect(await looking.outbox.status()).toEqual([])
    await looking[Symbol.asyncDispose]()
    expect(statSync(join(directory, 'alerts', 'alerts.db')).mode & 0o777).toBe(0o600)
  })

  test('refuses what a newer program wrote', async () => {
    const directory = makeDirectory()
    await (await openAlertStores(directory, null))[Symbol.asyncDispose]()
    const database = new DatabaseSync(join(directory, 'alerts', 'alerts.db'))
    database.exec('PRAGMA user_version = 99')
    database.close()
    await expect(openAlertStores(directory, null)).rejects.toThrow('schema version 99')
  })
})
