import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { FileError, type Files } from '../core/files.ts'
import { nodeFiles } from '../platform/node-files.ts'
import { publishArtefacts, type RunArtefacts } from './publish-artefacts.ts'

interface Directory extends AsyncDisposable {
  readonly path: string
  read(name: string): Promise<string>
  json(name: string): Promise<unknown>
}

async function makeDirectory(): Promise<Directory> {
  const parent = await mkdtemp(join(tmpdir(), 'candor-publish-'))
  const path = join(parent, 'public')
  const read = (name: string): Promise<string> => readFile(join(path, name), 'utf8')
  return {
    path,
    read,
    json: async (name) => JSON.parse(await read(name)) as unknown,
    [Symbol.asyncDispose]: () => rm(parent, { recursive: true }),
  }
}

function artefacts(day: number, isLatest = true, suffix = ''): RunArtefacts {
  const moment = `202601${day}_120000`
  return {
    data: {
      name: `dnshealth_${moment}${suffix}.json`,
      content: JSON.stringify({ metadata: { run_id: moment.replace('_', '') }, results: [] }),
    },
    report: { name: `report_${moment}${suffix}.md`, content: `# Report ${day}\n` },
    isLatest,
  }
}

/** Files that fail at the call with a number, counted from 0, as a process does that is killed there. */
function failingAt(failing: number): Files {
  let calls = 0
  const step = <T>(path: string, action: () => Promise<T>): Promise<T> =>
    calls++ === failing ? Promise.reject(new FileError('EIO', path)) : action()
  return {
    ...nodeFiles,
    writeAtomic: (path, content, mode) => step(path, () => nodeFiles.writeAtomic(path, content, mode)),
    makeDirectory: (path, mode) => step(path, () => nodeFiles.makeDirectory(path, mode)),
    list: (path) => step(path, () => nodeFiles.list(path)),
    read: (path, maxOctets) => step(path, () => nodeFiles.read(path, maxOctets)),
  }
}

describe('publishArtefacts', () => {
  test('writes data, report, latest and manifests, in this order and for everybody to read', async () => {
    await using directory = await makeDirectory()
    const written = await publishArtefacts(nodeFiles, directory.path, artefacts(30))
    expect(written.map((path) => path.slice(directory.path.length + 1))).toEqual([
      'dnshealth_20260130_120000.json',
      'report_20260130_120000.md',
      'latest.json',
      'files-all.json',
      'files.json',
    ])
    for (const path of written) expect((await stat(path)).mode & 0o777).toBe(0o644)
    expect((await stat(directory.path)).mode & 0o777).toBe(0o755)
    expect(await directory.read('latest.json')).toBe(await directory.read('dnshealth_20260130_120000.json'))
    expect(await directory.json('files.json')).toEqual(['dnshealth_20260130_120000.json'])
    expect((await readdir(directory.path)).length).toBe(5)
  })

  test('adds runs to the manifests, newest first', async () => {
    await using directory = await makeDirectory()
    await publishArtefacts(nodeFiles, directory.path, artefacts(29))
    await publishArtefacts(nodeFiles, directory.path, artefacts(30))
    expect(await directory.json('files.json')).toEqual([
      'dnshealth_20260130_120000.json',
      'dnshealth_20260129_120000.json',
    ])
    expect(await directory.json('latest.json')).toMatchObject({ metadata: { run_id: '20260130120000' } })
  })

  test('does not put an older run, finished late, before a newer one', async () => {
    await using directory = await makeDirectory()
    await publishArtefacts(nodeFiles, directory.path, artefacts(30))
    await publishArtefacts(nodeFiles, directory.path, artefacts(29))
    expect(await directory.json('latest.json')).toMatchObject({ metadata: { run_id: '20260130120000' } })
    expect(await directory.json('files.json')).toHaveLength(2)
  })

  test('lets a part of a run change neither latest nor manifests', async () => {
    await using directory = await makeDirectory()
    await publishArtefacts(nodeFiles, directory.path, artefacts(30, true, '_shard-0-of-3'))
    expect(await readdir(directory.path)).toEqual([
      'dnshealth_20260130_120000_shard-0-of-3.json',
      'report_20260130_120000_shard-0-of-3.md',
    ])
  })

  test('names a run that is not to be the latest', async () => {
    await using directory = await makeDirectory()
    await publishArtefacts(nodeFiles, directory.path, artefacts(30, false))
    expect(await readdir(directory.path)).not.toContain('latest.json')
    expect(await directory.json('files.json')).toEqual(['dnshealth_20260130_120000.json'])
  })

  test.each(['{', 'null', '{"metadata":7}', '{"metadata":{"run_id":"later"}}'])(
    'replaces a damaged latest.json: %s',
    async (damaged) => {
      await using directory = await makeDirectory()
      await nodeFiles.makeDirectory(directory.path, 0o755)
      await writeFile(join(directory.path, 'latest.json'), damaged)
      await publishArtefacts(nodeFiles, directory.path, artefacts(30))
      expect(await directory.json('latest.json')).toMatchObject({ metadata: { run_id: '20260130120000' } })
    },
  )

  test('leaves no manifest that names a missing file, wherever it is killed, and the next run repairs the rest', async () => {
    let failures = 0
    for (let failing = 0; failing < 20; failing++) {
      await using directory = await makeDirectory()
      await publishArtefacts(nodeFiles, directory.path, artefacts(28))
      const outcome = await publishArtefacts(failingAt(failing), directory.path, artefacts(29)).catch(
        (error: unknown) => error,
      )
      if (outcome instanceof FileError) failures += 1
      for (const manifest of ['files.json', 'files-all.json']) {
        for (const name of (await directory.json(manifest)) as readonly string[]) {
          await expect(directory.json(name)).resolves.toHaveProperty('metadata')
        }
      }
      await expect(directory.json('latest.json')).resolves.toHaveProperty('metadata.run_id')
      await publishArtefacts(nodeFiles, directory.path, artefacts(30))
      const names = (await directory.json('files.json')) as readonly string[]
      const reports = (await readdir(directory.path)).filter((name) => name.startsWith('dnshealth_'))
      expect(names.toSorted()).toEqual(reports.toSorted())
    }
    // Directory, data, report, reading latest, latest, two lists, reading and writing two manifests.
    expect(failures).toBe(11)
  })

  test('says when latest.json cannot be read', async () => {
    await using directory = await makeDirectory()
    await nodeFiles.makeDirectory(join(directory.path, 'latest.json'), 0o755)
    await expect(publishArtefacts(nodeFiles, directory.path, artefacts(30))).rejects.toThrow(FileError)
  })
})
