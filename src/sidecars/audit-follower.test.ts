import { appendFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { makeTemporaryDirectory } from '../../test/contract/temporary-directory.ts'
import { nodeFiles } from '../platform/node-files.ts'
import { createAuditFollower, type AuditFollower, type AuditPosition } from './audit-follower.ts'

const BEGINNING: AuditPosition = { atMs: 0, lines: 0 }
const FIRST_MS = Date.parse('2026-11-20T20:00:00.000Z')

/** Line `number`, two in each millisecond. */
function line(number: number): string {
  const at = new Date(FIRST_MS + Math.floor(number / 2))
    .toISOString()
    .replace('T', ' ')
    .replace('.', ',')
    .replace('Z', '')
  return `[${at}] 127.0.0.1 query h${number}.zone.example, type 1, time 1ms, speed: -0.1ms, result 198.51.100.1\n`
}

function lines(from: number, to: number): string {
  return Array.from({ length: to - from }, (_, index) => line(from + index)).join('')
}

function open(directory: string, from = BEGINNING): AuditFollower {
  return createAuditFollower({ files: nodeFiles, directory, name: 'audit.log', from })
}

async function takeNumbers(follower: AuditFollower): Promise<readonly number[]> {
  const numbers: number[] = []
  for (let isMore = true; isMore;) {
    const taken = await follower.take()
    ;({ isMore } = taken)
    for (const { name } of taken.observations) numbers.push(Number(/\d+/.exec(name)?.[0]))
  }
  return numbers
}

/** What SmartDNS does with a full file. */
function rotate(directory: string, name: string): void {
  const pending = join(directory, 'audit.log.pending')
  renameSync(join(directory, 'audit.log'), pending)
  writeFileSync(join(directory, `audit.log-${name}.gz`), gzipSync(readFileSync(pending)))
  rmSync(pending)
}

const upTo = (from: number, to: number): readonly number[] =>
  Array.from({ length: to - from }, (_, index) => from + index)

describe('createAuditFollower', () => {
  test('waits for a file, and takes what is appended, a line only when it is whole', async () => {
    const directory = makeTemporaryDirectory()
    const follower = open(directory)
    expect(await takeNumbers(follower)).toEqual([])
    const path = join(directory, 'audit.log')
    writeFileSync(path, lines(0, 3) + line(3).slice(0, 40))
    expect(await takeNumbers(follower)).toEqual([0, 1, 2])
    appendFileSync(path, line(3).slice(40) + line(4))
    expect(await takeNumbers(follower)).toEqual([3, 4])
    await follower.close()
  })

  test('takes each line once over rotations, one and two between two looks', async () => {
    const directory = makeTemporaryDirectory()
    const path = join(directory, 'audit.log')
    writeFileSync(path, lines(0, 5))
    const follower = open(directory)
    expect(await takeNumbers(follower)).toEqual(upTo(0, 5))
    appendFileSync(path, lines(5, 7))
    rotate(directory, '20261120-200001')
    writeFileSync(path, lines(7, 9))
    expect(await takeNumbers(follower)).toEqual(upTo(5, 9))
    rotate(directory, '20261120-200002')
    writeFileSync(path, lines(9, 13))
    rotate(directory, '20261120-200002-1')
    writeFileSync(path, lines(13, 14))
    expect(await takeNumbers(follower)).toEqual(upTo(9, 14))
    await follower.close()
  })

  test('waits for a file that is being packed instead of passing over it', async () => {
    const directory = makeTemporaryDirectory()
    const path = join(directory, 'audit.log')
    writeFileSync(path, lines(0, 2))
    const follower = open(directory)
    expect(await takeNumbers(follower)).toEqual([0, 1])
    rotate(directory, '20261120-200001')
    writeFileSync(join(directory, 'audit.log.pending'), lines(2, 5))
    writeFileSync(path, lines(5, 6))
    expect(await takeNumbers(follower)).toEqual([])
    rmSync(join(directory, 'audit.log.pending'))
    writeFileSync(join(directory, 'audit.log-20261120-200002.gz'), gzipSync(lines(2, 5)))
    expect(await takeNumbers(follower)).toEqual(upTo(2, 6))
    await follower.close()
  })

  test('goes on at every position of an earlier process, in packed files too', async () => {
    const directory = makeTemporaryDirectory()
    const path = join(directory, 'audit.log')
    writeFileSync(path, lines(0, 6))
    rotate(directory, '20261120-200001')
    writeFileSync(path, lines(6, 11))
    const whole = open(directory)
    expect(await takeNumbers(whole)).toEqual(upTo(0, 11))
    await whole.close()
    for (let taken = 0; taken < 11; taken++) {
      const atMs = FIRST_MS + Math.floor(taken / 2)
      const follower = open(directory, { atMs, lines: (taken % 2) + 1 })
      expect(await takeNumbers(follower)).toEqual(upTo(taken + 1, 11))
      await follower.close()
    }
  })

  test('counts malformed lines and damaged packed files, and goes on behind them', async () => {
    const directory = makeTemporaryDirectory()
    writeFileSync(join(directory, 'audit.log-20261120-195900.gz'), 'no gzip at all')
    writeFileSync(join(directory, 'audit.log'), `${line(0)}rubbish\n${line(1)}`)
    const follower = open(directory)
    const taken = await follower.take()
    expect(taken.observations).toHaveLength(2)
    expect(taken.malformed).toBe(2)
    await follower.close()
  })
})
