import { execFileSync } from 'node:child_process'
import { cp, readdir, readFile, rm, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { findBroken, makeTestDirectory, publishYear } from '../../test/publish-fixtures/published-year.ts'
import { FileError, type Files } from '../core/files.ts'
import { nodeFiles } from '../platform/node-files.ts'
import { readArchiveIndex } from './archive-index.ts'
import type { RetentionPolicy } from './plan-retention.ts'
import { openPublishedDirectory } from './published-directory.ts'
import { publishArtefacts } from './publish-artefacts.ts'
import { runRetention, type RetentionOutcome } from './run-retention.ts'
import { tarCodec } from './tar-codec.node.ts'

const NOW = Date.parse('2026-07-01T03:00:00Z')
const POLICY: RetentionPolicy = { gzipAfterDays: 30, archiveAfterDays: 180, deleteAfterDays: 365 }

function retain(directory: string, files: Files = nodeFiles, wallNowMs: number = NOW): Promise<RetentionOutcome> {
  const signal = new AbortController().signal
  return runRetention({ files, codec: tarCodec, wallNowMs, signal }, directory, POLICY)
}

/** Every file below a directory with its content. */
async function snapshot(directory: string): Promise<ReadonlyMap<string, string>> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true })
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name))
  const contents = await Promise.all(files.map((path) => readFile(path, 'base64')))
  return new Map(files.map((path, index) => [path.slice(directory.length + 1), contents[index] ?? '']))
}

/** Files that stop at a change with a number, before it or half way through it, as a process does that is killed. */
function killedAt(last: number, isHalfWay: boolean): Files {
  let changes = 0
  const killed = (path: string): Promise<never> => Promise.reject(new FileError('KILLED', path))
  const step = async <T>(path: string, action: () => Promise<T>, half?: () => Promise<unknown>): Promise<T> => {
    if (changes > last) return killed(path)
    if (changes++ !== last) return action()
    if (isHalfWay) await half?.()
    return killed(path)
  }
  return {
    ...nodeFiles,
    writeAtomic: (path, content, mode) =>
      step(
        path,
        () => nodeFiles.writeAtomic(path, content, mode),
        () => writeFile(path.replace(/([^/]+)$/, '.$1.0123456789ab.tmp'), content.slice(0, 10)),
      ),
    makeDirectory: (path, mode) => step(path, () => nodeFiles.makeDirectory(path, mode)),
    rename: (from, to) => step(from, () => nodeFiles.rename(from, to)),
    remove: (path) => step(path, () => nodeFiles.remove(path)),
    openAppend: async (path, mode, truncateTo) => {
      const file = await step(path, () => nodeFiles.openAppend(path, mode, truncateTo))
      return {
        get sizeOctets() {
          return file.sizeOctets
        },
        append: (octets) =>
          step(
            path,
            () => file.append(octets),
            () => file.append(octets.subarray(0, octets.length / 2)),
          ),
        sync: () => step(path, () => file.sync()),
        close: () => file.close(),
      }
    },
  }
}

describe('runRetention', () => {
  test('keeps every published name of a year answering, and deletes the rest', async () => {
    const { directory, contents } = await publishYear({ endsAtMs: NOW - 6 * 3_600_000, days: 400, runsPerDay: 4 })
    const outcome = await retain(directory)
    expect(outcome.problems).toEqual([])
    const names = JSON.parse(await readFile(join(directory, 'files-all.json'), 'utf8')) as readonly string[]
    expect(names).toHaveLength(365 * 4 - 1)
    expect(await findBroken(directory, contents)).toEqual([])
    const reports = openPublishedDirectory(nodeFiles, directory)
    const oldest =
      names
        .at(-1)
        ?.replace(/^dns_?health_/, 'report_')
        .replace('.json', '.md') ?? ''
    expect(new TextDecoder().decode(await reports.read(oldest))).toBe(contents.get(oldest))
    const loose = (await readdir(directory)).filter((name) => name.startsWith('dns'))
    const count = (ending: string): number => loose.filter((name) => name.endsWith(ending)).length
    expect([count('.json'), count('.gz')]).toEqual([30 * 4 - 1, (31 + 28 + 31 + 30 + 31) * 4 + 1])
    const archives = await readdir(join(directory, 'archives'))
    expect(archives.filter((name) => name.endsWith('.tar.gz'))).toEqual(
      ['2025-07', '2025-08', '2025-09', '2025-10', '2025-11', '2025-12'].map((month) => `${month}.tar.gz`),
    )
    expect(await retain(directory)).toEqual({ done: [], problems: [], interrupted: false })
  }, 60_000)

  test('takes turns at the lists with a run that ends meanwhile', async () => {
    const { directory, contents } = await publishYear({ endsAtMs: NOW - 364 * 86_400_000, days: 4, runsPerDay: 1 })
    // Whoever has looked into the directory takes his time before he writes down what he saw.
    const slow: Files = {
      ...nodeFiles,
      list: async (path) => {
        const names = await nodeFiles.list(path)
        await new Promise((resolve) => {
          setTimeout(resolve, 40)
        })
        return names
      },
    }
    const name = 'dnshealth_20260701_000000.json'
    const content = JSON.stringify({ metadata: { run_id: '20260701000000' } })
    const publishing = publishArtefacts(slow, directory, {
      data: { name, content },
      report: { name: 'report_20260701_000000.md', content: '#' },
      isLatest: true,
    })
    await retain(directory)
    await publishing
    expect(await findBroken(directory, new Map([...contents, [name, content]]))).toEqual([])
    const all = JSON.parse(await readFile(join(directory, 'files-all.json'), 'utf8')) as readonly string[]
    expect([all[0], all.length]).toEqual([name, 2])
  })

  test('writes archives that tar unpacks', async () => {
    const { directory, contents } = await publishYear({ endsAtMs: NOW - 200 * 86_400_000, days: 3, runsPerDay: 1 })
    await retain(directory)
    const archive = (await readdir(join(directory, 'archives'))).find((name) => name.endsWith('.tar.gz')) ?? ''
    const target = await makeTestDirectory()
    execFileSync('tar', ['-xzf', join(directory, 'archives', archive), '-C', target])
    const unpacked = await readdir(target)
    expect(unpacked).toHaveLength(6)
    for (const name of unpacked) expect(await readFile(join(target, name), 'utf8')).toBe(contents.get(name))
  })

  test.each([false, true])(
    'loses nothing wherever it is killed (half way: %s), and completes when it is run again',
    async (isHalfWay) => {
      const recent = await publishYear({ endsAtMs: NOW - 3_600_000, days: 3, runsPerDay: 1 })
      const contents = new Map(recent.contents)
      for (const age of [40, 41, 200, 201, 380]) {
        const { directory, contents: more } = await publishYear({
          endsAtMs: NOW - age * 86_400_000,
          days: 1,
          runsPerDay: 1,
        })
        await rm(join(directory, 'latest.json'))
        await cp(directory, recent.directory, { recursive: true, filter: (path) => !/files|latest/.test(path) })
        for (const [name, content] of more) if (name !== 'latest.json') contents.set(name, content)
      }
      // A month that was archived when a report of it was still missing.
      await retain(recent.directory, nodeFiles, NOW - 365 * 86_400_000)
      const undisturbed = join(await makeTestDirectory(), 'public')
      await cp(recent.directory, undisturbed, { recursive: true })
      await retain(undisturbed)
      const end = await snapshot(undisturbed)
      let kills = 0
      for (; ; kills++) {
        const directory = join(await makeTestDirectory(), 'public')
        await cp(recent.directory, directory, { recursive: true })
        const files = killedAt(kills, isHalfWay)
        const outcome = await retain(directory, files).catch((error: unknown) => error)
        if (!(outcome instanceof FileError)) break
        expect(await findBroken(directory, contents)).toEqual([])
        const longAgo = new Date(NOW - 86_400_000)
        for (const name of await readdir(directory, { recursive: true }))
          if (name.endsWith('.tmp')) await utimes(join(directory, name), longAgo, longAgo)
        expect((await retain(directory)).problems).toEqual([])
        expect(await snapshot(directory)).toEqual(end)
      }
      expect(kills).toBeGreaterThan(30)
    },
    60_000,
  )

  test('leaves an archive as it is when a report of its month comes late', async () => {
    const { directory, contents } = await publishYear({ endsAtMs: NOW - 200 * 86_400_000, days: 2, runsPerDay: 1 })
    await retain(directory)
    const late = 'dnshealth_20251213_111111.json'
    await writeFile(join(directory, late), '{"late":true}')
    const before = await readFile(join(directory, 'archives/2025-12.tar.gz'))
    expect((await retain(directory)).done).toEqual([{ action: 'compress', name: late, reports: 1 }])
    expect((await readFile(join(directory, 'archives/2025-12.tar.gz'))).equals(before)).toBe(true)
    expect((await readdir(directory)).filter((name) => name.startsWith('dns'))).toEqual([`${late}.gz`])
    expect(await retain(directory)).toMatchObject({ done: [], problems: [] })
    expect(await findBroken(directory, new Map([...contents, [late, '{"late":true}']]))).toEqual([])
    expect(await readFile(join(directory, 'files-all.json'), 'utf8')).toContain(late)
  })

  test('removes what is archived already, and leaves what differs from it', async () => {
    const { directory, contents } = await publishYear({ endsAtMs: NOW - 200 * 86_400_000, days: 2, runsPerDay: 1 })
    await retain(directory)
    const [same = '', other = ''] = [...contents.keys()].filter((name) => name.startsWith('dnshealth'))
    await writeFile(join(directory, same), contents.get(same) ?? '')
    await writeFile(join(directory, other), '{"other":true}')
    const { problems } = await retain(directory)
    expect(problems).toEqual([`${other} is left: archives/2025-12.tar.gz has another content for it`])
    expect((await readdir(directory)).filter((name) => name.startsWith('dns'))).toEqual([other])
  })

  test('makes the index of an archive that has none, also of one from another hand', async () => {
    const { directory, contents } = await publishYear({ endsAtMs: NOW - 200 * 86_400_000, days: 2, runsPerDay: 1 })
    await retain(directory)
    const archive = join(directory, 'archives/2025-12.tar.gz')
    const target = await makeTestDirectory()
    execFileSync('tar', ['-xzf', archive, '-C', target])
    execFileSync('tar', ['-czf', archive, '-C', target, '.'])
    await retain(directory)
    expect(await findBroken(directory, contents)).toEqual([])
    expect((await readArchiveIndex(nodeFiles, directory, '2025-12'))?.entries).toHaveLength(4)
  })

  test.each([
    ['cut off', (octets: Uint8Array) => octets.subarray(0, octets.length / 2)],
    ['no archive at all', () => new TextEncoder().encode('this is no archive')],
  ])('leaves an archive that is %s as it is, and says so', async (_name, damage) => {
    const { directory } = await publishYear({ endsAtMs: NOW - 200 * 86_400_000, days: 2, runsPerDay: 1 })
    await retain(directory)
    const archive = join(directory, 'archives/2025-12.tar.gz')
    const damaged = damage(await readFile(archive))
    await writeFile(archive, damaged)
    const { problems } = await retain(directory)
    expect(problems).toEqual(['archives/2025-12.tar.gz is left as it is: the archive is damaged'])
    expect((await readFile(archive)).equals(damaged)).toBe(true)
  })

  test('leaves a month with a damaged file as it is, and says which', async () => {
    const { directory } = await publishYear({ endsAtMs: NOW - 200 * 86_400_000, days: 2, runsPerDay: 1 })
    await writeFile(join(directory, 'dnshealth_20251201_111111.json.gz'), 'no gzip')
    const { problems } = await retain(directory)
    expect(problems).toEqual(['2025-12 is not archived: dnshealth_20251201_111111.json is damaged'])
    expect((await readdir(directory)).filter((name) => name.startsWith('dnshealth'))).toHaveLength(3)
  })

  test('stops between two steps when it is interrupted', async () => {
    const { directory } = await publishYear({ endsAtMs: NOW - 40 * 86_400_000, days: 2, runsPerDay: 1 })
    const signal = AbortSignal.abort()
    const outcome = await runRetention({ files: nodeFiles, codec: tarCodec, wallNowMs: NOW, signal }, directory, POLICY)
    expect(outcome).toEqual({ done: [], problems: [], interrupted: true })
  })
})
