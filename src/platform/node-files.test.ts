import { mkdtemp, readdir, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { readText } from '../core/files.ts'
import { nodeFiles } from './node-files.ts'
import { nodeProcesses } from './node-processes.ts'

async function temporaryDirectory(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'candor-files-'))
  onTestFinished(() => rm(directory, { recursive: true }))
  return directory
}

const octets = (text: string): Uint8Array => new TextEncoder().encode(text)

describe('nodeFiles.read', () => {
  test('returns plain octets, also of files whose size the system does not know', async () => {
    const content = await nodeFiles.read('/proc/self/status', 100_000)
    expect(Object.getPrototypeOf(content)).toBe(Uint8Array.prototype)
    expect(new TextDecoder().decode(content)).toContain('Pid:')
  })

  test('takes a file of exactly the limit and refuses one octet more', async () => {
    const path = join(await temporaryDirectory(), 'f')
    await writeFile(path, 'x'.repeat(1_000))
    expect((await nodeFiles.read(path, 1_000)).length).toBe(1_000)
    await expect(nodeFiles.read(path, 999)).rejects.toMatchObject({ name: 'FileError', code: 'TOO_LARGE', path })
    await expect(nodeFiles.read('/proc/self/status', 10)).rejects.toMatchObject({ code: 'TOO_LARGE' })
    await expect(nodeFiles.read('/dev/zero', 300_000)).rejects.toMatchObject({ code: 'TOO_LARGE' })
  })

  test('names the code of the system', async () => {
    const directory = await temporaryDirectory()
    await expect(nodeFiles.read(join(directory, 'absent'), 10)).rejects.toMatchObject({ code: 'ENOENT' })
    await expect(nodeFiles.read(directory, 10_000)).rejects.toMatchObject({ code: 'EISDIR' })
  })
})

describe('nodeFiles.readPart', () => {
  test('reads from the middle, and less at the end', async () => {
    const path = join(await temporaryDirectory(), 'f')
    await writeFile(path, '0123456789')
    const part = async (offset: number, length: number): Promise<string> =>
      new TextDecoder().decode(await nodeFiles.readPart(path, offset, length))
    expect(await part(3, 4)).toBe('3456')
    expect(await part(8, 4)).toBe('89')
    expect(await part(10, 4)).toBe('')
    await expect(part(0, 0)).resolves.toBe('')
    await expect(nodeFiles.readPart(`${path}x`, 0, 1)).rejects.toMatchObject({ code: 'ENOENT' })
  })
})

describe('nodeFiles.writeAtomic', () => {
  test('writes text and octets with exactly the mode asked for, whatever the umask', async () => {
    const directory = await temporaryDirectory()
    const before = process.umask(0o077)
    onTestFinished(() => void process.umask(before))
    await nodeFiles.writeAtomic(join(directory, 'public'), 'grüße', 0o644)
    await nodeFiles.writeAtomic(join(directory, 'secret'), octets('s'), 0o600)
    expect((await stat(join(directory, 'public'))).mode & 0o777).toBe(0o644)
    expect((await stat(join(directory, 'secret'))).mode & 0o777).toBe(0o600)
    expect(await readText(nodeFiles, join(directory, 'public'), 100)).toBe('grüße')
  })

  test('replaces a file as a whole and leaves nothing else behind', async () => {
    const directory = await temporaryDirectory()
    const path = join(directory, 'f')
    await nodeFiles.writeAtomic(path, 'a long first content', 0o644)
    await nodeFiles.writeAtomic(path, 'short', 0o600)
    expect(await readText(nodeFiles, path, 100)).toBe('short')
    expect((await stat(path)).mode & 0o777).toBe(0o600)
    expect(await readdir(directory)).toEqual(['f'])
  })

  test('removes the temporary file when the last step fails', async () => {
    const directory = await temporaryDirectory()
    await nodeFiles.makeDirectory(join(directory, 'taken'), 0o700)
    await nodeFiles.writeAtomic(join(directory, 'taken', 'x'), '', 0o600)
    await expect(nodeFiles.writeAtomic(join(directory, 'taken'), 'x', 0o600)).rejects.toMatchObject({
      name: 'FileError',
    })
    expect(await readdir(directory)).toEqual(['taken'])
  })

  test('keeps the old file and removes the temporary one when the disk takes only a part', async () => {
    const directory = await temporaryDirectory()
    const path = join(directory, 'f')
    await nodeFiles.writeAtomic(path, 'old', 0o600)
    const module = JSON.stringify(new URL('node-files.ts', import.meta.url).href)
    const script = `const { nodeFiles } = await import(${module})
      const failed = await nodeFiles.writeAtomic(${JSON.stringify(path)}, new Uint8Array(1e6), 0o600).catch((e) => e)
      console.log(failed?.name, failed?.code)`
    const lines: string[] = []
    // A limit on the size of files stands in for a full disk: the write stops half-way.
    const child = await nodeProcesses.start(
      '/bin/sh',
      ['-c', 'ulimit -f 64; exec "$0" --input-type=module -e "$1"', process.execPath, script],
      { onLine: (line) => lines.push(line) },
    )
    await child.exited
    expect(lines).toEqual(['FileError EFBIG'])
    expect(await readdir(directory)).toEqual(['f'])
    expect(await readText(nodeFiles, path, 100)).toBe('old')
  })

  test('says ENOENT when there is no such directory', async () => {
    const directory = await temporaryDirectory()
    await expect(nodeFiles.writeAtomic(join(directory, 'no', 'f'), 'x', 0o600)).rejects.toMatchObject({
      code: 'ENOENT',
    })
  })
})

describe('nodeFiles.openAppend', () => {
  test('appends in the order of the calls and counts the octets', async () => {
    const path = join(await temporaryDirectory(), 'log')
    const file = await nodeFiles.openAppend(path, 0o600)
    await Promise.all(Array.from({ length: 50 }, (_, i) => file.append(octets(`${i}\n`))))
    await file.sync()
    const expected = Array.from({ length: 50 }, (_, i) => `${i}\n`).join('')
    expect(file.sizeOctets).toBe(expected.length)
    await file.close()
    expect(await readText(nodeFiles, path, 1_000)).toBe(expected)
    expect((await stat(path)).mode & 0o777).toBe(0o600)
  })

  test('cuts an existing file first when asked, and keeps it otherwise', async () => {
    const path = join(await temporaryDirectory(), 'log')
    await writeFile(path, 'whole\ntorn')
    const cut = await nodeFiles.openAppend(path, 0o600, 6)
    expect(cut.sizeOctets).toBe(6)
    await cut.append(octets('next\n'))
    await cut.close()
    const kept = await nodeFiles.openAppend(path, 0o600)
    expect(kept.sizeOctets).toBe(11)
    await kept.close()
    expect(await readText(nodeFiles, path, 100)).toBe('whole\nnext\n')
  })

  test('says ENOSPC when the disk is full', async () => {
    const file = await nodeFiles.openAppend('/dev/full', 0o600)
    await expect(file.append(octets('x'))).rejects.toMatchObject({ name: 'FileError', code: 'ENOSPC' })
    await file.close()
  })
})

describe('nodeFiles', () => {
  test('tells what a name is', async () => {
    const directory = await temporaryDirectory()
    await writeFile(join(directory, 'f'), 'abc', { mode: 0o640 })
    await symlink('f', join(directory, 'link'))
    expect(await nodeFiles.info(join(directory, 'link'))).toMatchObject({ kind: 'file', sizeOctets: 3, mode: 0o640 })
    expect(await nodeFiles.info(directory)).toMatchObject({ kind: 'directory' })
    expect(await nodeFiles.info('/dev/null')).toMatchObject({ kind: 'other' })
    expect(await nodeFiles.info(join(directory, 'absent'))).toBeUndefined()
    expect(await nodeFiles.list(directory)).toEqual(['f', 'link'])
    expect(await nodeFiles.list(join(directory, 'absent'))).toEqual([])
  })

  test('makes directories with their parents and leaves the mode of an existing one alone', async () => {
    const path = join(await temporaryDirectory(), 'a', 'b')
    await nodeFiles.makeDirectory(path, 0o700)
    await nodeFiles.makeDirectory(path, 0o755)
    expect((await nodeFiles.info(path))?.mode).toBe(0o700)
    await writeFile(join(path, 'f'), '')
    await expect(nodeFiles.makeDirectory(join(path, 'f'), 0o700)).rejects.toMatchObject({ code: 'EEXIST' })
  })

  test('renames, and removes what may not be there', async () => {
    const directory = await temporaryDirectory()
    await nodeFiles.writeAtomic(join(directory, 'a'), '1', 0o600)
    await nodeFiles.rename(join(directory, 'a'), join(directory, 'b'))
    expect(await nodeFiles.list(directory)).toEqual(['b'])
    await nodeFiles.remove(join(directory, 'a'))
    await nodeFiles.remove(join(directory, 'b'))
    expect(await nodeFiles.list(directory)).toEqual([])
  })
})

describe('nodeFiles.openRead', () => {
  test('reads on where it stopped, and notices that the file was replaced or cut off', async () => {
    const path = join(await temporaryDirectory(), 'f')
    await writeFile(path, 'abcdef')
    const file = await nodeFiles.openRead(path)
    onTestFinished(() => file.close())
    expect(await file.read(4)).toEqual(octets('abcd'))
    expect(await file.read(4)).toEqual(octets('ef'))
    expect(await file.read(4)).toEqual(octets(''))
    await writeFile(path, 'g', { flag: 'a' })
    expect(await file.isAt(path)).toBe(true)
    expect(await file.read(4)).toEqual(octets('g'))
    await nodeFiles.writeAtomic(path, 'new', 0o600)
    expect(await file.isAt(path)).toBe(false)
    await nodeFiles.remove(path)
    expect(await file.isAt(path)).toBe(false)
    await expect(nodeFiles.openRead(path)).rejects.toMatchObject({ code: 'ENOENT' })
  })
})
