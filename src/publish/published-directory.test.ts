import { appendFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gunzipSync, gzipSync } from 'node:zlib'
import { describe, expect, onTestFinished, test } from 'vitest'
import type { Files } from '../core/files.ts'
import type { PublishedFile } from '../model/published-source.ts'
import { nodeFiles } from '../platform/node-files.ts'
import { gunzip } from '../core/gzip.ts'
import { openPublishedDirectory } from './published-directory.ts'
import { runRetention } from './run-retention.ts'
import { tarCodec } from './tar-codec.node.ts'

async function makeDirectory(files: Readonly<Record<string, string | Uint8Array>>): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'candor-published-'))
  onTestFinished(() => rm(directory, { recursive: true }))
  for (const [name, content] of Object.entries(files)) await writeFile(join(directory, name), content)
  return directory
}

async function textOf(file: PublishedFile | undefined): Promise<string | undefined> {
  const content = await file?.read()
  return content instanceof Uint8Array ? new TextDecoder().decode(content) : undefined
}

const NAME = 'dnshealth_20260131_120000.json'

describe('openPublishedDirectory', () => {
  test('opens a file as it is', async () => {
    const source = openPublishedDirectory(nodeFiles, await makeDirectory({ [NAME]: '{"a":1}', 'latest.json': '{}' }))
    const file = await source.open(NAME, true)
    expect(file).toMatchObject({ sizeOctets: 7, encoding: null, varies: false })
    expect(await textOf(file)).toBe('{"a":1}')
    expect((await source.open(NAME, false))?.etag).toBe(file?.etag)
    expect(await source.names()).toEqual([NAME, 'latest.json'])
    expect(new TextDecoder().decode(await source.read('latest.json'))).toBe('{}')
  })

  test('answers under the old name when the file was compressed, with and without its encoding', async () => {
    const compressed = gzipSync('{"a":1}')
    const source = openPublishedDirectory(nodeFiles, await makeDirectory({ [`${NAME}.gz`]: compressed }))
    const packed = await source.open(NAME, true)
    expect(packed).toMatchObject({ encoding: 'gzip', varies: true, sizeOctets: compressed.length })
    const octets = await packed?.read()
    expect(octets instanceof Uint8Array && Buffer.from(octets).equals(compressed)).toBe(true)
    const plain = await source.open(NAME, false)
    expect(plain).toMatchObject({ encoding: null, varies: true, sizeOctets: 7 })
    expect(await textOf(plain)).toBe('{"a":1}')
    expect(plain?.etag).not.toBe(packed?.etag)
    const named = await source.open(`${NAME}.gz`, false)
    expect(named).toMatchObject({ encoding: 'gzip', varies: false, etag: packed?.etag })
    expect(await source.names()).toEqual([NAME])
  })

  test('gives the same file the same validator before and after it was compressed', async () => {
    const before = openPublishedDirectory(nodeFiles, await makeDirectory({ [NAME]: '{"a":1}' }))
    const after = openPublishedDirectory(nodeFiles, await makeDirectory({ [`${NAME}.gz`]: gzipSync('{"a":1}') }))
    expect((await after.open(NAME, false))?.etag).toBe((await before.open(NAME, false))?.etag)
  })

  test('reads reports out of the archive of their month, and the archive as a whole', async () => {
    const directory = await makeDirectory({ [NAME]: '{"a":1}', 'report_20260131_120000.md': '# a' })
    const plain = await openPublishedDirectory(nodeFiles, directory).open(NAME, false)
    const policy = { gzipAfterDays: 0, archiveAfterDays: 1, deleteAfterDays: 0 }
    const dependencies = { files: nodeFiles, codec: tarCodec, signal: new AbortController().signal }
    await runRetention({ ...dependencies, wallNowMs: Date.parse('2026-03-01T00:00:00Z') }, directory, policy)
    const source = openPublishedDirectory(nodeFiles, directory)
    const unpacked = await source.open(NAME, false)
    expect(unpacked).toMatchObject({ encoding: null, varies: true, sizeOctets: 7, etag: plain?.etag })
    expect(await textOf(unpacked)).toBe('{"a":1}')
    const packed = await source.open(NAME, true)
    const octets = await packed?.read()
    expect(packed).toMatchObject({ encoding: 'gzip', varies: true })
    expect(octets instanceof Uint8Array ? gunzipSync(octets).toString() : '').toBe('{"a":1}')
    expect(await source.open(`${NAME}.gz`, false)).toMatchObject({
      encoding: 'gzip',
      varies: false,
      etag: packed?.etag,
    })
    const whole = await source.open('archives/2026-01.tar.gz', true)
    const content = await new Response((await whole?.read()) ?? '').bytes()
    expect(content.length).toBe(whole?.sizeOctets)
    expect(Buffer.from(content).equals(await readFile(join(directory, 'archives/2026-01.tar.gz')))).toBe(true)
    expect(await source.open('dnshealth_20260130_120000.json', false)).toBeUndefined()
    // An archive that is not the one of its index is not read.
    await appendFile(join(directory, 'archives/2026-01.tar.gz'), 'x')
    expect(await source.open(NAME, false)).toBeUndefined()
    expect(await source.open('archives/2026-01.tar.gz', false)).toBeUndefined()
  })

  test('finds what retention moves while it is opened or read', async () => {
    const directory = await makeDirectory({ [NAME]: '{"a":1}' })
    const signal = new AbortController().signal
    const dependencies = { files: nodeFiles, codec: tarCodec, signal, wallNowMs: Date.parse('2026-03-01T00:00:00Z') }
    const retain = async (gzipAfterDays: number, archiveAfterDays: number): Promise<void> => {
      await runRetention(dependencies, directory, { gzipAfterDays, archiveAfterDays, deleteAfterDays: 0 })
    }
    const plain = await openPublishedDirectory(nodeFiles, directory).open(NAME, true)
    await retain(1, 0)
    expect(await textOf(plain)).toBe('{"a":1}')
    let moves = 0
    const moving: Files = {
      ...nodeFiles,
      read: async (path, octetsMax) => {
        if (path.endsWith('.gz') && moves++ === 0) await retain(1, 1)
        return nodeFiles.read(path, octetsMax)
      },
    }
    expect(await textOf(await openPublishedDirectory(moving, directory).open(NAME, false))).toBe('{"a":1}')
    expect(moves).toBe(1)
    expect(await textOf(plain)).toBe('{"a":1}')
  })

  test('gives latest.json a new validator when it is replaced', async () => {
    const directory = await makeDirectory({ 'latest.json': '{"run":1}' })
    const source = openPublishedDirectory(nodeFiles, directory)
    const first = await source.open('latest.json', true)
    await nodeFiles.writeAtomic(join(directory, 'latest.json'), '{"run":2}', 0o644)
    const second = await source.open('latest.json', true)
    expect(second?.etag).not.toBe(first?.etag)
    expect([await textOf(first), await textOf(second)]).toEqual(['{"run":1}', '{"run":2}'])
  })

  test('opens nothing that is damaged, no file, or not on the list', async () => {
    const directory = await makeDirectory({
      [`${NAME}.gz`]: gzipSync('{"a":1}').subarray(0, 20),
      'secret.json': '{}',
      'lock.db': '',
    })
    await nodeFiles.makeDirectory(join(directory, 'latest.json'), 0o755)
    const source = openPublishedDirectory(nodeFiles, directory)
    for (const name of [NAME, 'latest.json', 'files.json', 'secret.json', 'lock.db', '../lock.db', ''])
      expect(await source.open(name, false)).toBeUndefined()
    expect(await openPublishedDirectory(nodeFiles, join(directory, 'absent')).open(NAME, true)).toBeUndefined()
    expect(await source.names()).toEqual([NAME, 'latest.json'])
  })
})

describe('gunzip', () => {
  test('unpacks no more than it may', async () => {
    const bomb = new Uint8Array(gzipSync(new Uint8Array(1_000_000)))
    expect(await gunzip(bomb, 999_999)).toBeUndefined()
    expect((await gunzip(bomb, 1_000_000))?.length).toBe(1_000_000)
  })
})
