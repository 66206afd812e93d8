import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { makeTemporaryDirectory } from '../../test/contract/temporary-directory.ts'
import { FileError, type Files } from '../core/files.ts'
import { nodeFiles } from '../platform/node-files.ts'
import { openLineLog, readLineLog } from './line-log.ts'

async function readAll(path: string): Promise<string> {
  const decoder = new TextDecoder()
  let text = ''
  for await (const octets of readLineLog(nodeFiles, path)) text += decoder.decode(octets, { stream: true })
  return text
}

describe('openLineLog', () => {
  test('goes on behind the last whole line, wherever the file was cut off', async () => {
    const path = join(makeTemporaryDirectory(), 'log.jsonl')
    const whole = '{"a":1}\n{"b":"é"}\n{"c":3}\n'
    const octets = Buffer.from(whole)
    for (let end = 0; end <= octets.length; end++) {
      writeFileSync(path, octets.subarray(0, end))
      const kept = octets.subarray(0, octets.subarray(0, end).lastIndexOf(10) + 1).toString()
      expect(await readAll(path)).toBe(kept)
      const log = await openLineLog(nodeFiles, path)
      await log.append({ d: 4 })
      await log.close()
      expect(readFileSync(path, 'utf8')).toBe(`${kept}{"d":4}\n`)
    }
  })

  test('reads nothing where there is no file, and lines longer than a read', async () => {
    const path = join(makeTemporaryDirectory(), 'log.jsonl')
    expect(await readAll(path)).toBe('')
    const log = await openLineLog(nodeFiles, path)
    const record = { long: 'x'.repeat(700_000) }
    for (let count = 0; count < 3; count++) await log.append(record)
    await log.close()
    writeFileSync(path, `${readFileSync(path, 'utf8')}{"torn":"${'y'.repeat(300_000)}`)
    expect(await readAll(path)).toBe(`${JSON.stringify(record)}\n`.repeat(3))
  })

  test('accepts nothing more after a full disk', async () => {
    const path = join(makeTemporaryDirectory(), 'log.jsonl')
    const full = new FileError('ENOSPC', path)
    const files: Files = {
      ...nodeFiles,
      openAppend: async (...args) => ({ ...(await nodeFiles.openAppend(...args)), append: () => Promise.reject(full) }),
    }
    const log = await openLineLog(files, path)
    await log.append({ a: 1 })
    await expect(log.flush()).rejects.toBe(full)
    await expect(log.append({ b: 2 })).rejects.toBe(full)
    await expect(log.close()).rejects.toBe(full)
  })
})
