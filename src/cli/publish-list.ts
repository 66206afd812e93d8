/** `candor publish list`: what is published, and in which form it lies there. */
import type { Command } from 'commander'
import { joinPath } from '../core/files.ts'
import { listArchives } from '../publish/archive-index.ts'
import { parsePublishedName } from '../model/published-name.ts'
import type { CliContext } from './cli-context.ts'
import { addPublishOptions, formatRecords, readPublishPlan } from './publish-options.ts'

/** One published name. */
interface PublishedRecord {
  readonly name: string
  /** `file`, `gz`, or the archive that it lies in. */
  readonly form: string
  /** Octets on the disk. */
  readonly size_octets: number
}

/** Adds `candor publish list`. */
export function registerPublishList(publish: Command, context: CliContext): void {
  const command = publish.command('list').description('list what is published, and in which form it lies there')
  addPublishOptions(command, false)
  command.action(async () => {
    const { directory, format } = await readPublishPlan(command, context)
    const records = await listPublished(context, directory)
    await context.stdout.write(formatRecords(records, format))
    await context.say(`${records.length} names are published from ${directory}`)
  })
}

/** Every name once, newest report first; the form that a reader gets. */
async function listPublished({ files }: CliContext, directory: string): Promise<readonly PublishedRecord[]> {
  const found = new Map<string, PublishedRecord>()
  for (const { month, index } of await listArchives(files, directory)) {
    for (const { name, compressedOctets } of index?.entries ?? [])
      found.set(name, { name, form: `archives/${month}.tar.gz`, size_octets: compressedOctets })
  }
  const names = (await files.list(directory)).toSorted((a, b) => b.length - a.length)
  for (const name of names) {
    const published = parsePublishedName(name)
    if (published === undefined) continue
    const info = await files.info(joinPath(directory, name))
    const form = published.isCompressed ? 'gz' : 'file'
    // A plain file is looked at last, because it is what a reader gets.
    if (info?.kind === 'file') found.set(published.plain, { name: published.plain, form, size_octets: info.sizeOctets })
  }
  const momentOf = (name: string): string => parsePublishedName(name)?.moment ?? 'z'
  return [...found.values()].toSorted((a, b) => {
    const [left, right] = [`${momentOf(a.name)} ${a.name}`, `${momentOf(b.name)} ${b.name}`]
    return left < right ? 1 : -1
  })
}
