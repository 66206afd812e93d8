import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { DatabaseSync } from 'node:sqlite'
import { describe, expect, onTestFinished, test } from 'vitest'
import { beginWriting, takeTurn } from './write-turns.node.ts'

describe('takeTurn', () => {
  test('does one piece of work after the other, and goes on after one that failed', async () => {
    const log: string[] = []
    const work = (name: string) => async () => {
      log.push(`${name} begins`)
      await pause(5)
      log.push(`${name} ends`)
      if (name === 'b') throw new Error('failed')
      return name
    }
    const results = await Promise.allSettled(['a', 'b', 'c'].map((name) => takeTurn('file', work(name))))
    expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled'])
    expect(log).toEqual(['a begins', 'a ends', 'b begins', 'b ends', 'c begins', 'c ends'])
  })

  test('lets writers of different files go on side by side', async () => {
    let release: () => void = () => undefined
    const held = takeTurn(
      'one',
      () =>
        new Promise<void>((resolve) => {
          release = resolve
        }),
    )
    expect(await takeTurn('other', () => Promise.resolve('done'))).toBe('done')
    release()
    await held
  })
})

describe('beginWriting', () => {
  test('waits for another writer without blocking the process', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'candor-turns-'))
    onTestFinished(() => rm(directory, { recursive: true }))
    const path = join(directory, 'database')
    const [one, other] = [new DatabaseSync(path), new DatabaseSync(path, { timeout: 0 })]
    one.exec('CREATE TABLE t (x); BEGIN IMMEDIATE')
    const waiting = beginWriting(other)
    await pause(60)
    expect(other.isTransaction).toBe(false)
    one.exec('COMMIT')
    await waiting
    expect(other.isTransaction).toBe(true)
    one.close()
    await expect(beginWriting(one)).rejects.toThrow('not open')
    other.close()
  })
})
