/**
 * Writes the sets and what else is known: each file is replaced as a whole.
 *
 * Invariant: nothing is replaced where the sets came out empty and were not before, unless that was asked for.
 *
 * Format: docs/formats/domains.md
 */
import { formatIsoTime } from '../../core/clock.ts'
import { FileError, joinPath, readText, type Files } from '../../core/files.ts'
import type { DomainStore } from '../../model/domain.ts'
import { currentScore } from '../../verdicts/domain-health.ts'
import type { DomainCounters } from './domain-metrics.ts'
import { formatDomainMetrics, type ScoreSummary } from './domain-metrics-text.ts'
import { toDomainRecord } from './domain-record.ts'
import { collectDomainSets, eachDomain, type DomainSets } from './domain-sets.ts'
import type { ResolverPool } from './resolver-pool.ts'
import { formatDurableSets, type NftSets } from './format-nft-sets.ts'
import { formatDnsmasqSets, formatIpsetSets, formatSmartdnsSet } from './set-formats.ts'

const PUBLIC_MODE = 0o644
const DIRECTORY_MODE = 0o755
const CHUNK_CHARS = 262_144
const OLD_OCTETS_MAX = 67_108_864

/** Where and how the sets are written. */
export interface SetOutput {
  readonly directory: string
  readonly names: NftSets
  readonly allowEmpty: boolean
}

/** What is written. */
export interface SetSources {
  readonly store: Pick<DomainStore, 'page' | 'countStates'>
  readonly pool: ResolverPool
  readonly counters: DomainCounters
}

/** What was written. */
export interface WrittenSets {
  /** `false` where an empty result was held back. */
  readonly isWritten: boolean
  readonly v4: number
  readonly v6: number
  readonly stale: number
  /** `null` where nothing was written. */
  readonly scores: ScoreSummary | null
}

/** Writes all files. @throws {FileError} When one cannot be written; those before it are there. */
export async function writeDomainSets(
  files: Files,
  { store, pool, counters }: SetSources,
  output: SetOutput,
  atMs: number,
): Promise<WrittenSets> {
  const { directory, names } = output
  await files.makeDirectory(directory, DIRECTORY_MODE)
  const sets = await collectDomainSets(store, atMs)
  const counts = { v4: sets.v4.length, v6: sets.v6.length, stale: sets.staleCount }
  const isEmpty = counts.v4 + counts.v6 === 0
  if (isEmpty && !output.allowEmpty && (await hadAddresses(files, directory)))
    return { isWritten: false, scores: null, ...counts }
  counters.staleServed += sets.staleCount
  const write = (name: string, text: string): Promise<void> =>
    files.writeAtomic(joinPath(directory, name), text, PUBLIC_MODE)
  const scores = await writeRecords(files, joinPath(directory, 'domains.jsonl'), store, atMs)
  await write('addresses-v4.txt', toLines(sets.v4))
  await write('addresses-v6.txt', toLines(sets.v6))
  await write('names.txt', toLines(sets.names))
  await write('wildcards.txt', toLines(sets.wildcards))
  await write('smartdns.list', formatSmartdnsSet(sets.wildcards))
  await write('dnsmasq.conf', formatDnsmasqSets(sets.wildcards, names))
  await write('sets.ipset', formatIpsetSets(sets, names))
  await write('sets.nft', formatDurableSets(names, sets))
  const states = store.countStates()
  await write('metrics.prom', formatDomainMetrics({ counters, members: pool.members(), states, scores }))
  await write('sets.json', `${JSON.stringify(toSetsRecord(sets, atMs))}\n`)
  return { isWritten: true, scores, ...counts }
}

function toSetsRecord(sets: DomainSets, atMs: number): object {
  return {
    written_at: formatIsoTime(atMs),
    domains: sets.names.length + sets.wildcards.length,
    wildcards: sets.wildcards.length,
    stale_domains: sets.staleCount,
    addresses_v4: sets.v4,
    addresses_v6: sets.v6,
  }
}

/** One line for each domain; too many for one text. */
async function writeRecords(
  files: Files,
  path: string,
  store: SetSources['store'],
  atMs: number,
): Promise<ScoreSummary> {
  const temporary = `${path}.tmp`
  const file = await files.openAppend(temporary, PUBLIC_MODE, 0)
  const encoder = new TextEncoder()
  const summary = { count: 0, sum: 0, min: 0, max: 0 }
  try {
    let text = ''
    await eachDomain(store, async (row) => {
      const score = currentScore(row.health, atMs) / 1000
      summary.min = summary.count === 0 ? score : Math.min(summary.min, score)
      summary.max = summary.count === 0 ? score : Math.max(summary.max, score)
      summary.count++
      summary.sum += score
      text += `${JSON.stringify(toDomainRecord(row, atMs))}\n`
      if (text.length < CHUNK_CHARS) return
      await file.append(encoder.encode(text))
      text = ''
    })
    await file.append(encoder.encode(text))
    await file.sync()
  } finally {
    await file.close()
  }
  await files.rename(temporary, path)
  return summary
}

/** Whether what was written last had addresses. What cannot be read counts as full. */
async function hadAddresses(files: Files, directory: string): Promise<boolean> {
  const path = joinPath(directory, 'sets.nft')
  try {
    return (await readText(files, path, OLD_OCTETS_MAX)).includes('\nadd element ')
  } catch (error) {
    if (!(error instanceof FileError)) throw error
    return error.code !== 'ENOENT'
  }
}

function toLines(items: readonly string[]): string {
  return items.map((item) => `${item}\n`).join('')
}
