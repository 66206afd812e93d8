import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readdir, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { acquireRunLock } from './run-lock.node.ts'

async function dataDirectory(): Promise<string> {
  const parent = await mkdtemp(join(tmpdir(), 'candor-lock-'))
  onTestFinished(() => rm(parent, { recursive: true }))
  return join(parent, 'data')
}

describe('acquireRunLock', () => {
  test('lets one in, names it to the next, and lets the next in after release', async () => {
    const directory = await dataDirectory()
    const first = await acquireRunLock(directory, 'candor exits run')
    await expect(acquireRunLock(directory, 'candor serve')).rejects.toMatchObject({
      name: 'RunError',
      message: `the data directory ${directory} is in use by candor exits run (process ${process.pid})`,
    })
    await first.release()
    await first.release()
    await using second = await acquireRunLock(directory, 'candor serve')
    expect(second).toBeDefined()
  })

  test('keeps directory and files to the user', async () => {
    const directory = await dataDirectory()
    await using lock = await acquireRunLock(directory, 'test')
    expect(lock).toBeDefined()
    expect((await stat(directory)).mode & 0o777).toBe(0o700)
    for (const name of await readdir(directory)) {
      expect((await stat(join(directory, name))).mode & 0o777).toBe(0o600)
    }
  })

  test('is busy while another process holds it, and free after kill −9', async () => {
    const directory = await dataDirectory()
    const module = JSON.stringify(new URL('run-lock.node.ts', import.meta.url).href)
    const script = `const { acquireRunLock } = await import(${module})
      await acquireRunLock(${JSON.stringify(directory)}, 'the other one')
      console.log('held')
      setInterval(() => {}, 1000)`
    const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    await once(child.stdout, 'data')
    await expect(acquireRunLock(directory, 'test')).rejects.toThrow(`the other one (process ${child.pid})`)
    child.kill('SIGKILL')
    await once(child, 'exit')
    await using lock = await acquireRunLock(directory, 'test')
    expect(lock).toBeDefined()
  })

  test('says why a directory cannot be used', async () => {
    await expect(acquireRunLock('/dev/null/data', 'test')).rejects.toMatchObject({ name: 'RunError' })
  })
})
