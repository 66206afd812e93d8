/**
 * Goes through a published scan on behalf of a command: counts what each file held, puts aside what cannot be read, stops
 * when it is interrupted.
 */
import { isImported, openImported } from '../campaigns/satellite/columns/open-imported.ts'
import { openScan, type UnreadableFile } from '../campaigns/satellite/open-scan.node.ts'
import { readScanFile, type ScanFile, type ScanRecord } from '../campaigns/satellite/read-scan.ts'
import type { ScanFileKind } from '../campaigns/satellite/scan-file-names.ts'
import type { SatelliteFlavour } from '../model/satellite-row.ts'
import type { CliContext } from './cli-context.ts'
import { STATUS_INCOMPLETE, STATUS_INTERRUPTED } from './exit-status.ts'
import { formatRecords } from './format-records.ts'
import type { SatelliteTree } from './satellite-tree.ts'

/** Where lines go that cannot be read. */
export const QUARANTINE_FILE = 'quarantine.jsonl'

/** What one file of a scan held. */
export interface ScanFileSummary {
  readonly file: string
  readonly kind: ScanFileKind | null
  /** Several flavours within one file stand with a space between them. */
  readonly flavour: string | null
  readonly rows: number
  readonly quarantined: number
}

/** What a walk is told. */
export interface ScanWalk {
  readonly context: CliContext
  readonly path: string
  /** Gets `quarantine.jsonl`; `undefined` when nobody asks for it. */
  readonly tree: SatelliteTree | undefined
  /** Whether an earlier walk named the files that cannot be opened. */
  readonly isRepeated?: boolean
  /** Which files are read; all of them without it. */
  readonly wants?: (kind: ScanFileKind) => boolean
  /** @returns `quarantined` when it put the record aside. */
  readonly onRecord: (
    record: Exclude<ScanRecord, { readonly type: 'quarantined' }>,
    file: string,
  ) => Promise<'quarantined' | void> | void
}

/** The files of a scan, as published or as imported. */
export async function* openSource({ files }: CliContext, path: string): AsyncGenerator<ScanFile | UnreadableFile> {
  yield* (await isImported(files, path)) ? openImported(files, path) : openScan(path)
}

/** @returns What each file held, in the order in which they were read. */
export async function walkScan(walk: ScanWalk): Promise<readonly ScanFileSummary[]> {
  const summaries: ScanFileSummary[] = []
  for await (const file of openSource(walk.context, walk.path)) {
    if (walk.context.interrupted.aborted) break
    if ('problem' in file) {
      if (walk.isRepeated === true) continue
      await walk.tree?.write(QUARANTINE_FILE, { file: file.path, line: 0, reason: file.problem })
      summaries.push({ file: file.path, kind: null, flavour: null, rows: 0, quarantined: 1 })
      continue
    }
    if (walk.wants?.(file.kind) === false) continue
    const flavours = new Set<SatelliteFlavour>()
    let rows = 0
    let quarantined = 0
    for await (const record of readScanFile(file)) {
      if (walk.context.interrupted.aborted) break
      if (record.type === 'quarantined') {
        quarantined++
        await walk.tree?.write(QUARANTINE_FILE, record.quarantined)
        continue
      }
      if (record.type === 'row') flavours.add(record.row.flavour)
      if ((await walk.onRecord(record, file.path)) === 'quarantined') quarantined++
      else rows++
    }
    const flavour = flavours.size === 0 ? null : [...flavours].join(' ')
    summaries.push({ file: file.path, kind: file.kind, flavour, rows, quarantined })
  }
  return summaries
}

/** Writes the summary, says how it ended, and sets the exit status. */
export async function reportScan(
  context: CliContext,
  summaries: readonly ScanFileSummary[],
  format: 'table' | 'jsonl',
  directory: string,
): Promise<void> {
  await context.stdout.write(
    formatRecords(
      summaries.map((summary) => ({ ...summary })),
      format === 'table',
    ),
  )
  const sum = (field: 'rows' | 'quarantined'): number => summaries.reduce((total, each) => total + each[field], 0)
  const [rows, quarantined] = [sum('rows'), sum('quarantined')]
  await context.say(`${directory}: ${rows} records of ${summaries.length} files, ${quarantined} quarantined`)
  if (quarantined > 0 || summaries.length === 0) context.finish(STATUS_INCOMPLETE)
  if (context.interrupted.aborted) context.finish(STATUS_INTERRUPTED)
}
