/** Names of the files of a run: `dnshealth_20260131_235959.json`, with `_shard-0-of-3` for a part of it. */
import { formatRunIdForFile } from './query-name.ts'
import { formatShardForFile, type Shard } from './shard.ts'

/** What is written of one run. */
export interface ArtefactNames {
  /** The records and their metadata. */
  readonly data: string
  /** The same for people, in Markdown. */
  readonly report: string
}

/**
 * Names the files of a run.
 *
 * @param module - `dnshealth`, or another module, whose report then carries its name too.
 */
export function nameArtefacts(module: string, runId: string, shard: Shard): ArtefactNames {
  const moment = `${formatRunIdForFile(runId)}${formatShardForFile(shard)}`
  const prefix = module === 'dnshealth' ? '' : `${module}_`
  return { data: `${module}_${moment}.json`, report: `${prefix}report_${moment}.md` }
}
