/** What a stage of a run has: its directory, what it reads of the stages before, who must not be asked, and its display. */
import { convertRecord } from '../campaigns/satellite/convert-record.ts'
import { openScan } from '../campaigns/satellite/open-scan.node.ts'
import { parseOptOut, type OptOut } from '../campaigns/satellite/opt-out.ts'
import { readScanFile } from '../campaigns/satellite/read-scan.ts'
import { DEFAULT_CONTROL, parseResolvers, type ListedResolver } from '../campaigns/satellite/resolver-list.ts'
import { formatScanPath, type ScanFileKind } from '../campaigns/satellite/scan-file-names.ts'
import { splitLines } from '../campaigns/satellite/split-lines.ts'
import { RunError } from '../core/config-error.ts'
import { joinPath } from '../core/files.ts'
import { parseIp } from '../core/ip-address.ts'
import type { JsonFields, SatelliteRow } from '../model/satellite-row.ts'
import { openLineLog, readLineLog } from '../store/line-log.ts'
import type { CliContext } from './cli-context.ts'
import type { RunDirectory } from './satellite-run-directory.ts'
import type { RunDisplay } from './satellite-run-display.ts'

/** A page with two bodies of 64 KiB, escaped. */
const LINE_OCTETS_MAX = 4 * 1024 * 1024

/** A run with a stage in it. */
export interface SatelliteRun {
  readonly context: CliContext
  readonly directory: RunDirectory
  readonly display: RunDisplay
  /** Whether nothing may be asked of anybody: the journals are all there is. */
  readonly isReplay: boolean
  readonly optOut: OptOut
}

/** Reads who must not be asked. @throws {ConfigError} */
export async function readOptOut(context: CliContext, directory: RunDirectory): Promise<OptOut> {
  const text = await directory.readInput('opt-out')
  return parseOptOut([{ path: '--opt-out', text }], context.addressPlan)
}

/** Whether an address may be asked: public, and not opted out. */
export function mayAsk({ context, optOut }: SatelliteRun, address: string): boolean {
  const octets = parseIp(address)
  return octets !== undefined && context.addressPlan.isPublic(octets) && optOut.findAddress(address) === undefined
}

/** The control resolvers that may be asked. @throws {ConfigError} */
export async function readControl(run: SatelliteRun): Promise<readonly ListedResolver[]> {
  const text = await run.directory.readInput('control')
  const listed = run.directory.input('control') === undefined ? DEFAULT_CONTROL : parseResolvers(text, '--control')
  return listed.filter(({ address, hostName }) => mayAsk(run, address) && !isNamedOut(run, hostName))
}

/** Whether a host does not want to be asked, by its name. */
export function isNamedOut({ optOut }: SatelliteRun, hostName: string | null): boolean {
  return hostName !== null && optOut.findName([hostName]) !== undefined
}

/** Whether a stage has left a file. */
export async function hasStageFile({ context, directory }: SatelliteRun, kind: ScanFileKind): Promise<boolean> {
  return (await context.files.info(joinPath(directory.path, formatScanPath(kind, directory.plan.format)))) !== undefined
}

/** Records that an earlier stage wrote, in the words of v2.2. @throws {RunError} When there is no such file. */
export async function* readStageRecords(
  run: SatelliteRun,
  kind: ScanFileKind,
  stage: string,
): AsyncGenerator<JsonFields, void, void> {
  for await (const record of readStageFile(run, kind, stage)) {
    if (record.type === 'record') yield convertRecord(kind, record.fields, 'v2.2')
  }
}

/** Rows of pairs that an earlier stage wrote. @throws {RunError} When there is no such file. */
export async function* readStageRows(
  run: SatelliteRun,
  kind: ScanFileKind,
  stage: string,
): AsyncGenerator<SatelliteRow, void, void> {
  for await (const record of readStageFile(run, kind, stage)) if (record.type === 'row') yield record.row
}

async function* readStageFile(
  { directory }: SatelliteRun,
  kind: ScanFileKind,
  stage: string,
): ReturnType<typeof readScanFile> {
  const path = joinPath(directory.path, formatScanPath(kind, directory.plan.format))
  for await (const file of openScan(path)) {
    if ('problem' in file) {
      throw new RunError(`${path}: ${file.problem}`, `candor satellite ${stage} ${directory.path}`)
    }
    yield* readScanFile(file)
  }
}

/** The whole lines of a journal; none when it was never begun. */
export async function* readJournal(run: SatelliteRun, name: string): AsyncGenerator<string, void, void> {
  const path = run.directory.journal(name)
  for await (const { text } of splitLines(readLineLog(run.context.files, path), LINE_OCTETS_MAX)) {
    if (text !== undefined && text !== '') yield text
  }
}

/** Appends what `source` gives to a journal, and counts it on the display. @returns How many there were. */
export async function keepAll(run: SatelliteRun, name: string, source: AsyncIterable<object>): Promise<number> {
  if (run.isReplay) return 0
  const log = await openLineLog(run.context.files, run.directory.journal(name))
  let count = 0
  try {
    for await (const record of source) {
      await log.append(record)
      count++
      run.display.advance()
    }
  } finally {
    await log.close()
  }
  return count
}
