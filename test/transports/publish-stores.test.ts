import { cp, readdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import type { Clock } from '../../src/core/clock.ts'
import { createSeededRandom } from '../../src/core/random.ts'
import {
  startObjectStore,
  type ObjectStoreServer,
  type StoreFault,
  type StoreRequest,
} from '../../src/lab/object-store.ts'
import { nodeClock } from '../../src/platform/node-clock.ts'
import { nodeFiles } from '../../src/platform/node-files.ts'
import { nodeHttp } from '../../src/platform/node-http.ts'
import type { ObjectStore } from '../../src/publish/object-store.ts'
import { publishArtefacts } from '../../src/publish/publish-artefacts.ts'
import { runRetention } from '../../src/publish/run-retention.ts'
import { createS3Store } from '../../src/publish/s3-store.ts'
import { sha256 } from '../../src/publish/sha256.ts'
import type { SyncOutcome } from '../../src/publish/sync-store.ts'
import { syncStores } from '../../src/publish/sync-stores.ts'
import { writeManifests } from '../../src/publish/write-manifests.ts'
import { tarCodec } from '../../src/publish/tar-codec.node.ts'
import { makeTestDirectory, publishYear } from '../publish-fixtures/published-year.ts'
import { findMissing } from '../publish-fixtures/store-reader.ts'

const NOW = Date.parse('2026-07-01T03:00:00Z')
const KEYS = { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'a-secret-that-nobody-may-see' }
const SIGNAL = new AbortController().signal
/** Pauses between attempts pass at once. */
const HASTY: Clock = {
  ...nodeClock,
  setTimer: (delayMs, callback) => nodeClock.setTimer(Math.min(delayMs, 2), callback),
}

type FaultScript = (request: StoreRequest) => StoreFault | undefined

function startStore(fault?: FaultScript): Promise<ObjectStoreServer> {
  const options = { ...KEYS, region: 'nyc3', bucket: 'results', clock: nodeClock }
  return startObjectStore(fault === undefined ? options : { ...options, fault })
}

function open(server: ObjectStoreServer, name = 'one', attempts = 1, keys = KEYS, timeoutMs = 5000): ObjectStore {
  const options = { name, endpoint: server.url, bucket: 'results', region: 'nyc3', acl: null, authorities: null }
  return createS3Store(
    { http: nodeHttp, clock: HASTY, random: createSeededRandom('seed'), signal: SIGNAL },
    { ...options, prefix: 'exits/', attempts, timeoutMs },
    keys,
  )
}

let syncs = 0

async function sync(
  stores: readonly ObjectStore[],
  directory: string,
  stateDirectory: string,
  wallNowMs: number = NOW,
): Promise<readonly SyncOutcome[]> {
  const options = { concurrency: 3, deleteAfterDays: 365, dryRun: false }
  // Each sync is three minutes after the one before.
  syncs += 1
  const clock = { wallNowMs: (): number => wallNowMs + syncs * 180_000 }
  return syncStores({ files: nodeFiles, clock, signal: SIGNAL }, stores, { directory, stateDirectory }, options)
}

function retain(directory: string, wallNowMs: number): Promise<unknown> {
  const policy = { gzipAfterDays: 30, archiveAfterDays: 180, deleteAfterDays: 365 }
  return runRetention({ files: nodeFiles, codec: tarCodec, wallNowMs, signal: SIGNAL }, directory, policy)
}

function puts(server: ObjectStoreServer): readonly string[] {
  return server.requests.filter(({ method }) => method === 'PUT').map(({ key }) => key.replace('exits/', ''))
}

/**
 * Syncs a directory as it is and again after retention, with one request that fails, and lets a reader look at each.
 *
 * @returns Whether there was a request of that number.
 */
async function failOnce(directory: string, fault: StoreFault, failing: number): Promise<boolean> {
  const missing: string[] = []
  let wasHit = false
  let isOver = false
  await using server = await startStore(({ number }) => {
    missing.push(...findMissing(server.objects, 'exits/'))
    if (number !== failing || isOver) return undefined
    wasHit = true
    return fault
  })
  const place = join(await makeTestDirectory(), 'public')
  await cp(directory, place, { recursive: true })
  const state = await makeTestDirectory()
  await sync([open(server)], place, state)
  await retain(place, NOW)
  for (let repeated = 0; repeated < 3; repeated++) await sync([open(server)], place, state)
  isOver = true
  const [last] = await sync([open(server)], place, state)
  expect(last).toMatchObject({ uploaded: 0, removed: 0, failure: null })
  expect(missing).toEqual([])
  const local = (await readdir(place, { recursive: true })).filter((name) => name !== 'archives')
  const there = [...server.objects.keys()].map((key) => key.replace('exits/', ''))
  expect(new Set(there)).toEqual(new Set(local))
  return wasHit
}

describe('syncStores', () => {
  test('uploads data, report, latest and lists in this order, with type, time to keep and hash', async () => {
    await using server = await startStore()
    const { directory, contents } = await publishYear({ endsAtMs: NOW - 3_600_000, days: 2, runsPerDay: 1 })
    await writeFile(join(directory, 'candor.toml'), 'secret = 1')
    const state = await makeTestDirectory()
    const [outcome] = await sync([open(server)], directory, state)
    expect(outcome).toMatchObject({ store: 'one', uploaded: 7, removed: 0, unchanged: 0, failure: null })
    expect(puts(server).map((name) => name.replace(/\d{8}_\d{6}/, 'M'))).toEqual([
      'dnshealth_M.json',
      'dnshealth_M.json',
      'report_M.md',
      'report_M.md',
      'latest.json',
      'files-all.json',
      'files.json',
    ])
    for (const [name, content] of contents) {
      const object = server.objects.get(`exits/${name}`)
      expect(new TextDecoder().decode(object?.octets)).toBe(content)
      expect(object?.headers).toMatchObject({
        'content-type': name.endsWith('.md') ? 'text/markdown; charset=utf-8' : 'application/json; charset=utf-8',
        'cache-control': name === 'latest.json' ? 'public, max-age=60' : 'public, max-age=31536000, immutable',
        'x-amz-meta-sha256': expect.stringMatching(/^[0-9a-f]{64}$/) as string,
      })
    }
    expect(server.objects.get('exits/files.json')?.headers['cache-control']).toBe('public, max-age=60')
    const before = server.requests.length
    expect((await sync([open(server)], directory, state))[0]).toMatchObject({
      uploaded: 0,
      unchanged: 7,
      failure: null,
    })
    expect(server.requests.length - before).toBe(1)
  })

  test('compares by hash when it remembers nothing, and mends what is not the same', async () => {
    await using server = await startStore()
    const { directory } = await publishYear({ endsAtMs: NOW - 3_600_000, days: 3, runsPerDay: 1 })
    await sync([open(server)], directory, await makeTestDirectory())
    const state = await makeTestDirectory()
    expect((await sync([open(server)], directory, state))[0]).toMatchObject({ uploaded: 0, unchanged: 9 })
    const name = (await readdir(directory)).find((file) => file.startsWith('report')) ?? ''
    const damaged = new TextEncoder().encode('#'.repeat((await nodeFiles.info(join(directory, name)))?.sizeOctets ?? 0))
    const put = await open(server).put(name, damaged, await sha256(damaged), {
      contentType: 'text/markdown',
      cacheControl: '',
      contentEncoding: null,
    })
    expect(put.ok).toBe(true)
    expect((await sync([open(server)], directory, state))[0]).toMatchObject({
      uploaded: 1,
      unchanged: 8,
      failure: null,
    })
    await writeFile(join(state, 'publish/store-one.json'), '{"local":7')
    expect((await sync([open(server)], directory, state))[0]).toMatchObject({
      uploaded: 0,
      unchanged: 9,
      failure: null,
    })
  })

  test.each<readonly [string, StoreFault]>([
    ['refused', { kind: 'status', status: 403, code: 'AccessDenied' }],
    ['failing', { kind: 'status', status: 500, code: 'InternalError' }],
    ['cut before its effect', { kind: 'cut', when: 'before' }],
    ['cut after its effect', { kind: 'cut', when: 'after' }],
  ])(
    'shows no list that names a missing file, whichever request is %s, and the next sync completes',
    async (_name, fault) => {
      const { directory } = await publishYear({ endsAtMs: NOW - 3_600_000, days: 2, runsPerDay: 1 })
      for (const age of [210, 211, 370]) {
        const { contents } = await publishYear({ endsAtMs: NOW - age * 86_400_000, days: 1, runsPerDay: 1 })
        for (const [name, content] of contents)
          if (name !== 'latest.json') await writeFile(join(directory, name), content)
      }
      await writeManifests(nodeFiles, directory)
      let failing = 0
      for (let wasHit = true; wasHit; failing++) wasHit = await failOnce(directory, fault, failing)
      expect(failing).toBeGreaterThan(25)
    },
    120_000,
  )

  test('tries again what may pass, and not what will not', async () => {
    const { directory } = await publishYear({ endsAtMs: NOW - 3_600_000, days: 1, runsPerDay: 1 })
    const everySecond: FaultScript = ({ number }) =>
      number % 2 === 0 ? { kind: 'status', status: 503, code: 'SlowDown' } : undefined
    await using flaky = await startStore(everySecond)
    expect((await sync([open(flaky, 'flaky', 2)], directory, await makeTestDirectory()))[0]?.failure).toBeNull()
    await using closed = await startStore()
    const store = open(closed, 'closed', 5, { ...KEYS, secretAccessKey: 'another' })
    const [outcome] = await sync([store], directory, await makeTestDirectory())
    expect(outcome?.failure).toBe('GET of the list: 403 SignatureDoesNotMatch')
    expect(closed.requests).toHaveLength(1)
  })

  test('lets a store that is down or slow hold up no other, and catches it up', async () => {
    const { directory } = await publishYear({ endsAtMs: NOW - 3_600_000, days: 5, runsPerDay: 2 })
    const state = await makeTestDirectory()
    let isDown = true
    const whenDown =
      (fault: StoreFault): FaultScript =>
      () =>
        isDown ? fault : undefined
    await using up = await startStore()
    await using broken = await startStore(whenDown({ kind: 'status', status: 500, code: 'InternalError' }))
    await using cut = await startStore(whenDown({ kind: 'cut', when: 'before' }))
    const gone = await startStore()
    await gone[Symbol.asyncDispose]()
    await using slow = await startStore(whenDown({ kind: 'slow', delayMs: 60_000 }))
    const others = [open(broken, 'broken', 2), open(cut, 'cut', 2), open(gone, 'gone', 2)]
    const stores = [...others, open(slow, 'slow', 1, KEYS, 300), open(up, 'up', 2)]
    const first = await sync(stores, directory, state)
    expect(first.map(({ failure }) => failure)).toEqual([
      'GET of the list: 500 InternalError',
      'GET of the list: eof_error',
      'GET of the list: connection_refused',
      'GET of the list: generic_timeout_error',
      null,
    ])
    expect(up.objects.size).toBe(23)
    isDown = false
    const second = await sync([...others, open(slow, 'slow'), open(up, 'up')], directory, state)
    expect(second.map(({ uploaded }) => uploaded)).toEqual([23, 23, 0, 23, 0])
  })

  test('shows readers whole states while runs are published and files are moved', async () => {
    await using server = await startStore(({ number }) =>
      number % 7 === 6 ? { kind: 'cut', when: 'after' } : undefined,
    )
    const { directory } = await publishYear({ endsAtMs: NOW - 20 * 86_400_000, days: 8, runsPerDay: 2 })
    const state = await makeTestDirectory()
    const readers = { isReading: true, rounds: 0, missing: [] as string[] }
    const reading = (async () => {
      while (readers.isReading) {
        readers.missing.push(...findMissing(server.objects, 'exits/'))
        readers.rounds += 1
        await new Promise((resolve) => {
          setTimeout(resolve, 1)
        })
      }
    })()
    for (let round = 0; round < 6; round++) {
      const moment = `2026063${round % 2}_0${round}0000`.replace('20260631', '20260630')
      const publishing = publishArtefacts(nodeFiles, directory, {
        data: {
          name: `dnshealth_${moment}.json`,
          content: JSON.stringify({ metadata: { run_id: moment.replace('_', '') } }),
        },
        report: { name: `report_${moment}.md`, content: '#' },
        isLatest: true,
      })
      const at = NOW + round * 4 * 86_400_000
      const outcomes = await sync([open(server, 'one', 3)], directory, state, at)
      expect(outcomes[0]?.failure).toBeNull()
      await publishing
      await retain(directory, at)
    }
    await sync([open(server, 'one', 3)], directory, state, NOW + 30 * 86_400_000)
    readers.isReading = false
    await reading
    expect(readers.missing).toEqual([])
    expect(readers.rounds).toBeGreaterThan(5)
    expect(server.objects.has('exits/dnshealth_20260630_050000.json')).toBe(true)
    expect([...server.objects.keys()].filter((key) => key.endsWith('.json.gz')).length).toBeGreaterThan(10)
  })

  test('deletes what no list names any more when no reader can hold the list before', async () => {
    await using server = await startStore()
    const { directory } = await publishYear({ endsAtMs: NOW - 364 * 86_400_000, days: 2, runsPerDay: 1 })
    const places = { directory, stateDirectory: await makeTestDirectory() }
    const options = { concurrency: 3, deleteAfterDays: 365, dryRun: false }
    const at = async (wallNowMs: number): Promise<number> => {
      const dependencies = { files: nodeFiles, clock: { wallNowMs: () => wallNowMs }, signal: SIGNAL }
      const [outcome] = await syncStores(dependencies, [open(server)], places, options)
      return outcome?.removed ?? Number.NaN
    }
    expect(await at(NOW)).toBe(0)
    await retain(directory, NOW)
    const removed = [await at(NOW), await at(NOW + 1000), await at(NOW + 119_000), await at(NOW + 120_000)]
    // What is in an archive now goes at once: its name answers all the same.
    expect(removed).toEqual([2, 0, 0, 2])
    expect(findMissing(server.objects, 'exits/')).toEqual([])
  })

  test('removes nothing from a store because the directory is empty or new', async () => {
    await using server = await startStore()
    const { directory } = await publishYear({ endsAtMs: NOW - 3_600_000, days: 40, runsPerDay: 1 })
    const state = await makeTestDirectory()
    await sync([open(server)], directory, state)
    const before = [...server.objects.keys()]
    await rm(directory, { recursive: true })
    await nodeFiles.makeDirectory(directory, 0o755)
    expect((await sync([open(server)], directory, state))[0]).toMatchObject({ uploaded: 0, removed: 0, failure: null })
    expect([...server.objects.keys()]).toEqual(before)
  })

  test('uploads no list that names what is nowhere', async () => {
    await using server = await startStore()
    const { directory } = await publishYear({ endsAtMs: NOW - 3_600_000, days: 2, runsPerDay: 1 })
    const name = (await readdir(directory)).find((file) => file.startsWith('dnshealth')) ?? ''
    await rm(join(directory, name))
    const [outcome] = await sync([open(server)], directory, await makeTestDirectory())
    expect(outcome?.failure).toBe(`the lists name ${name}, which is not there`)
    expect(puts(server).filter((key) => /latest|files/.test(key))).toEqual([])
  })
})
