import { mkdtemp, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { FileError, type AppendFile, type Files } from '../core/files.ts'
import { nodeFiles } from '../platform/node-files.ts'
import { nodeProcesses } from '../platform/node-processes.ts'
import { openJournal, readJournal } from './journal.ts'

const PATH = 'run.journal'

/** One file in memory on a disk of limited size, which counts its fsyncs. */
function createDisk(content = '', capacityOctets = Number.POSITIVE_INFINITY) {
  const disk = {
    octets: new TextEncoder().encode(content),
    capacityOctets,
    syncs: 0,
    /** Fails the n-th fsync from now. */
    failSyncIn: 0,
  }
  const openAppend = async (path: string, _mode: number, truncateTo?: number): Promise<AppendFile> => {
    if (truncateTo !== undefined) disk.octets = disk.octets.slice(0, truncateTo)
    return {
      get sizeOctets() {
        return disk.octets.length
      },
      append: async (octets) => {
        const kept = octets.subarray(0, Math.max(0, disk.capacityOctets - disk.octets.length))
        disk.octets = Uint8Array.from([...disk.octets, ...kept])
        if (kept.length < octets.length) throw new FileError('ENOSPC', path)
      },
      sync: async () => {
        await new Promise((resolve) => setTimeout(resolve, 1))
        disk.syncs++
        if (disk.failSyncIn > 0 && --disk.failSyncIn === 0) throw new FileError('EIO', path)
      },
      close: async () => {},
    }
  }
  const read = async (path: string): Promise<Uint8Array> => {
    if (path !== PATH) throw new FileError('ENOENT', path)
    return disk.octets
  }
  const files = { openAppend, read } as Partial<Files> as Files
  return { disk, files, text: () => new TextDecoder().decode(disk.octets) }
}

describe('openJournal', () => {
  test('writes one line per entry, which are read back in order', async () => {
    const { files } = createDisk()
    const journal = await openJournal(files, PATH, 0)
    await journal.append({ kind: 'run', seed: 'grün\n' })
    await journal.append({ kind: 'result', attempts: [{ ttl: 1 }], none: null })
    await journal.close()
    const content = await readJournal(files, PATH)
    expect(content.entries).toEqual([
      { kind: 'run', seed: 'grün\n' },
      { kind: 'result', attempts: [{ ttl: 1 }], none: null },
    ])
    expect(content).toMatchObject({ torn: false, malformedLines: [] })
  })

  test('acknowledges after the fsync, and lets entries that wait share one', async () => {
    const { disk, files } = createDisk()
    const journal = await openJournal(files, PATH, 0)
    await journal.append({ kind: 'first' })
    expect(disk.syncs).toBe(1)
    await Promise.all(Array.from({ length: 100 }, (_, i) => journal.append({ kind: 'n', i })))
    expect(disk.syncs).toBeLessThanOrEqual(3)
    await journal.close()
    expect((await readJournal(files, PATH)).entries).toHaveLength(101)
  })

  test('waits at closing for what was appended', async () => {
    const { files } = createDisk()
    const journal = await openJournal(files, PATH, 0)
    const appended = journal.append({ kind: 'a' })
    await journal.close()
    expect((await readJournal(files, PATH)).entries).toHaveLength(1)
    await appended
    await journal.close()
    await expect(journal.append({ kind: 'b' })).rejects.toThrow('closed')
  })

  test('goes on where the valid part ends', async () => {
    const { files, text } = createDisk('{"kind":"a"}\n{"kind":"b"')
    const { entries, validOctets, torn } = await readJournal(files, PATH)
    expect({ entries, torn }).toEqual({ entries: [{ kind: 'a' }], torn: true })
    const journal = await openJournal(files, PATH, validOctets)
    await journal.append({ kind: 'c' })
    await journal.close()
    expect(text()).toBe('{"kind":"a"}\n{"kind":"c"}\n')
  })

  test('refuses everything after the disk was full, and keeps only what it acknowledged', async () => {
    const { disk, files } = createDisk('', 60)
    const journal = await openJournal(files, PATH, 0)
    await journal.append({ kind: 'kept', n: 1 })
    const outcomes = await Promise.allSettled(
      [2, 3, 4].map((n) => journal.append({ kind: 'long', n, x: 'x'.repeat(30) })),
    )
    expect(outcomes.map(({ status }) => status)).toEqual(['rejected', 'rejected', 'rejected'])
    expect(outcomes[0]).toMatchObject({ reason: { name: 'FileError', code: 'ENOSPC' } })
    disk.capacityOctets = 1_000
    await expect(journal.append({ kind: 'late' })).rejects.toMatchObject({ code: 'ENOSPC' })
    await journal.close()
    const content = await readJournal(files, PATH)
    expect(content).toMatchObject({ entries: [{ kind: 'kept', n: 1 }], torn: false })
    const again = await openJournal(files, PATH, content.validOctets)
    await again.append({ kind: 'after' })
    await again.close()
    expect((await readJournal(files, PATH)).entries).toHaveLength(2)
  })

  test('does not read back what could not be synced', async () => {
    const { disk, files } = createDisk()
    const journal = await openJournal(files, PATH, 0)
    disk.failSyncIn = 1
    await expect(journal.append({ kind: 'lost' })).rejects.toMatchObject({ code: 'EIO' })
    await journal.close()
    expect((await readJournal(files, PATH)).entries).toEqual([])
  })

  test('takes an entry of more than 1 MiB for a bug', async () => {
    const { files } = createDisk()
    const journal = await openJournal(files, PATH, 0)
    await expect(journal.append({ kind: 'big', x: 'x'.repeat(1_048_576) })).rejects.toThrow('1 MiB')
    await journal.close()
  })
})

describe('readJournal', () => {
  test('takes a file that is not there for an empty journal', async () => {
    const { files } = createDisk()
    expect(await readJournal(files, 'absent')).toEqual({ entries: [], validOctets: 0, torn: false, malformedLines: [] })
  })

  test('names malformed lines in the middle and cuts those at the end', async () => {
    const lines = ['{"kind":"a"}', '{"kind":1}', '\0\0', '[]', '{"kind":"b"}', 'null', '{"kind":"c"}x', '']
    const { files } = createDisk(lines.join('\n'))
    const content = await readJournal(files, PATH)
    expect(content).toMatchObject({ entries: [{ kind: 'a' }, { kind: 'b' }], torn: true, malformedLines: [2, 3, 4] })
    expect(content.validOctets).toBe(lines.slice(0, 5).join('\n').length + 1)
  })

  test('refuses octets that are no UTF-8', async () => {
    const { disk, files } = createDisk('{"kind":"a?"}\n')
    disk.octets[disk.octets.indexOf(0x3f)] = 0xff
    expect(await readJournal(files, PATH)).toMatchObject({ entries: [], validOctets: 0, torn: true })
  })
})

describe('a journal on the disk', () => {
  async function journalPath(): Promise<string> {
    const directory = await mkdtemp(join(tmpdir(), 'candor-journal-'))
    onTestFinished(() => rm(directory, { recursive: true }))
    return join(directory, 'run.jsonl')
  }

  test.each([1, 2, 3])('has everything that was acknowledged before kill −9 (%i)', async () => {
    const path = await journalPath()
    const [journal, files] = ['journal.ts', '../platform/node-files.ts'].map((name) =>
      JSON.stringify(new URL(name, import.meta.url).href),
    )
    const script = `const { openJournal } = await import(${journal})
      const { nodeFiles } = await import(${files})
      const journal = await openJournal(nodeFiles, ${JSON.stringify(path)}, 0)
      const { writeSync } = await import('node:fs')
      const worker = async (worker) => {
        for (let i = 0; ; i++) {
          await journal.append({ kind: 'n', id: worker + ':' + i, filler: 'x'.repeat(i % 977) })
          writeSync(1, worker + ':' + i + '\\n')
        }
      }
      for (let n = 0; n < 8; n++) void worker(n)`
    const acknowledged: string[] = []
    const child = await nodeProcesses.start(process.execPath, ['--input-type=module', '-e', script], {
      onLine: (line, stream) => {
        if (stream === 'stdout' && /^\d:\d+$/.test(line)) acknowledged.push(line)
        if (acknowledged.length === 400) child.kill('SIGKILL')
      },
    })
    await child.exited
    const content = await readJournal(nodeFiles, path)
    const ids = new Set(content.entries.map((entry) => entry['id']))
    expect(acknowledged.length).toBeGreaterThanOrEqual(400)
    expect(acknowledged.filter((id) => !ids.has(id))).toEqual([])
    expect(content.malformedLines).toEqual([])
    const again = await openJournal(nodeFiles, path, content.validOctets)
    await again.append({ kind: 'resumed' })
    await again.close()
    expect(await readJournal(nodeFiles, path)).toMatchObject({
      entries: { length: content.entries.length + 1 },
      torn: false,
    })
    expect((await stat(path)).mode & 0o777).toBe(0o600)
  })

  test('keeps what it acknowledged and cuts the rest when the disk takes only a part', async () => {
    const path = await journalPath()
    const [journal, files] = ['journal.ts', '../platform/node-files.ts'].map((name) =>
      JSON.stringify(new URL(name, import.meta.url).href),
    )
    const script = `const { openJournal } = await import(${journal})
      const { nodeFiles } = await import(${files})
      const journal = await openJournal(nodeFiles, ${JSON.stringify(path)}, 0)
      const outcomes = []
      for (let i = 0; i < 40; i++) {
        const entry = { kind: 'n', i, filler: 'x'.repeat(3000) }
        outcomes.push(await journal.append(entry).then(() => 'kept', (error) => error.code))
      }
      await journal.close()
      console.log(JSON.stringify(outcomes))`
    const lines: string[] = []
    // A limit on the size of files stands in for a full disk: the write stops half-way.
    const child = await nodeProcesses.start(
      '/bin/sh',
      ['-c', 'ulimit -f 64; exec "$0" --input-type=module -e "$1"', process.execPath, script],
      { onLine: (line) => lines.push(line) },
    )
    await child.exited
    const outcomes = JSON.parse(lines.join('')) as string[]
    const kept = outcomes.filter((outcome) => outcome === 'kept').length
    expect(kept).toBeGreaterThan(0)
    expect(kept).toBeLessThan(40)
    expect(outcomes.slice(kept)).toEqual(Array.from({ length: 40 - kept }, () => 'EFBIG'))
    const content = await readJournal(nodeFiles, path)
    expect(content).toMatchObject({ torn: false, malformedLines: [] })
    expect(content.entries.map((entry) => entry['i'])).toEqual(Array.from({ length: kept }, (_, i) => i))
  })
})
