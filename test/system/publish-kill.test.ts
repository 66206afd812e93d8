/** Retention and sync as processes that are killed −9 while they work. */
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { startObjectStore } from '../../src/lab/object-store.ts'
import { nodeClock } from '../../src/platform/node-clock.ts'
import { findBroken, makeTestDirectory, publishYear } from '../publish-fixtures/published-year.ts'
import { findMissing } from '../publish-fixtures/store-reader.ts'
import { HOME } from '../tidy/source-tree.ts'

const KEYS = { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'a-secret-that-nobody-may-see' }

function startCandor(argv: readonly string[]): ChildProcess {
  const environment = {
    CANDOR_STORE_LAB_ACCESS_KEY_ID: KEYS.accessKeyId,
    CANDOR_STORE_LAB_SECRET_ACCESS_KEY: KEYS.secretAccessKey,
  }
  const env = { ...process.env, ...environment }
  return spawn(process.execPath, [join(HOME, 'src/cli/main.ts'), ...argv], { env, stdio: 'ignore' })
}

/** @returns The exit status, when it ended by itself. */
async function endOf(child: ChildProcess): Promise<number | null> {
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
  return child.exitCode
}

/** Runs a command and kills it as soon as `isTime`. @returns Whether it was killed before it ended. */
async function killWhen(argv: readonly string[], isTime: () => Promise<boolean>): Promise<boolean> {
  const child = startCandor(argv)
  while (child.exitCode === null && !(await isTime())) {
    await new Promise((resolve) => {
      setTimeout(resolve, 1)
    })
  }
  child.kill('SIGKILL')
  return (await endOf(child)) === null
}

describe('candor publish', () => {
  test('retention that is killed loses nothing, and completes', async () => {
    const { directory, contents } = await publishYear({ endsAtMs: Date.now() - 86_400_000, days: 380, runsPerDay: 1 })
    const argv = ['publish', 'retention', '--directory', directory, '--data-dir', await makeTestDirectory()]
    const count = async (pattern: RegExp): Promise<number> =>
      (await readdir(directory, { recursive: true })).filter((name) => pattern.test(name)).length
    const loose = await count(/\.(?:json|md)$/)
    let kills = 0
    // More and more of the work is done: deleting, compressing, archiving.
    for (const gone of [5, 40, 120, 220, 330, 420, 500]) {
      kills += Number(await killWhen(argv, async () => loose - (await count(/\d\.(?:json|md)$/)) >= gone))
      expect(await findBroken(directory, contents)).toEqual([])
    }
    for (const archives of [1, 3])
      kills += Number(await killWhen(argv, async () => (await count(/\.tar\.gz$/)) >= archives))
    expect(await findBroken(directory, contents)).toEqual([])
    expect(kills).toBeGreaterThan(4)
    expect(await endOf(startCandor(argv))).toBe(0)
    expect(await findBroken(directory, contents)).toEqual([])
    expect(await count(/^dns.*\.json$/)).toBe(29)
    expect(await count(/\.tmp$/)).toBeLessThanOrEqual(kills)
  })

  test('sync that is killed shows no list that names a missing file, and completes', async () => {
    await using server = await startObjectStore({ ...KEYS, region: 'us-east-1', bucket: 'results', clock: nodeClock })
    const { directory } = await publishYear({ endsAtMs: Date.now(), days: 60, runsPerDay: 2 })
    const state = await makeTestDirectory()
    const config = join(state, 'candor.toml')
    await writeFile(config, `[[publish.stores]]\nname = "lab"\nendpoint = "${server.url}"\nbucket = "results"\n`)
    const argv = ['publish', 'sync', '--config', config, '--directory', directory, '--data-dir', state]
    let kills = 0
    for (const objects of [1, 30, 90, 160, 239, 241, 242]) {
      kills += Number(await killWhen(argv, () => Promise.resolve(server.objects.size >= objects)))
      expect(findMissing(server.objects)).toEqual([])
    }
    expect(kills).toBeGreaterThan(3)
    expect(await endOf(startCandor(argv))).toBe(0)
    expect(server.objects.size).toBe(243)
    expect(findMissing(server.objects)).toEqual([])
    expect(server.requests.every(({ status }) => status < 400)).toBe(true)
  })
})
