/** A directory of publication as a year of runs leaves it, generated, and what each published name must answer. */
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, onTestFinished } from 'vitest'
import { formatCompactTime } from '../../src/core/clock.ts'
import { nodeFiles } from '../../src/platform/node-files.ts'
import { openPublishedDirectory } from '../../src/publish/published-directory.ts'
import { writeManifests } from '../../src/publish/write-manifests.ts'

/** One published directory. */
export interface PublishedYear {
  readonly directory: string
  /** Published name → its content. */
  readonly contents: ReadonlyMap<string, string>
}

/** What the directory is to have. */
export interface YearOptions {
  /** Unix milliseconds of the newest run. */
  readonly endsAtMs: number
  /** Days between the oldest run and the newest. */
  readonly days: number
  readonly runsPerDay: number
}

/** Makes a directory that is removed when the test ends. */
export async function makeTestDirectory(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'candor-year-'))
  onTestFinished(() => rm(directory, { recursive: true }))
  return directory
}

/**
 * Makes directories that tests share, and removes them when those tests have ended. It is called where tests are described:
 * vitest passes over an `afterAll` inside of a hook.
 */
export function keepLastingDirectories(): () => Promise<string> {
  const directories: string[] = []
  afterAll(async () => {
    for (const directory of directories) await rm(directory, { recursive: true })
  })
  return async () => {
    const directory = await mkdtemp(join(tmpdir(), 'candor-year-'))
    directories.push(directory)
    return directory
  }
}

/** Writes the reports, `latest.json` and the lists. Every 97th run is named as older scanners did. */
export async function publishYear(
  { endsAtMs, days, runsPerDay }: YearOptions,
  parent?: string,
): Promise<PublishedYear> {
  const directory = join(parent ?? (await makeTestDirectory()), 'public')
  await mkdir(directory)
  const contents = new Map<string, string>()
  const count = days * runsPerDay
  for (let index = 0; index < count; index++) {
    const runId = formatCompactTime(endsAtMs - (index * 86_400_000) / runsPerDay)
    const moment = `${runId.slice(0, 8)}_${runId.slice(8)}`
    const isOlder = index % 97 === 96
    const results = Array.from({ length: 20 }, (_, relay) => ({ exit_nickname: `relay${relay}`, status: 'success' }))
    const data = JSON.stringify({ metadata: { run_id: runId, index }, results })
    contents.set(isOlder ? `dns_health_${moment}.json` : `dnshealth_${moment}.json`, data)
    contents.set(`report_${moment}.md`, `# Report of ${runId}\n`)
    if (index === 0) contents.set('latest.json', data)
  }
  for (const [name, content] of contents) await writeFile(join(directory, name), content)
  await writeManifests(nodeFiles, directory)
  return { directory, contents }
}

/** @returns Names of the manifests that do not answer as they did when they were published. */
export async function findBroken(directory: string, contents: ReadonlyMap<string, string>): Promise<readonly string[]> {
  const source = openPublishedDirectory(nodeFiles, directory)
  const broken: string[] = []
  for (const manifest of ['files.json', 'files-all.json']) {
    for (const name of JSON.parse(await readFile(join(directory, manifest), 'utf8')) as readonly string[]) {
      const octets = await source.read(name)
      if (new TextDecoder().decode(octets) !== contents.get(name)) broken.push(`${manifest}: ${name}`)
    }
  }
  return broken
}
