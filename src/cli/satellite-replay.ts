/**
 * `candor satellite replay`: makes the files of a run again from what was measured, and holds them beside those that are there.
 *
 * **Invariant**: nobody is asked anything.
 */
import { createHash } from 'node:crypto'
import { Option, type Command } from 'commander'
import { formatScanPath } from '../campaigns/satellite/scan-file-names.ts'
import { joinPath } from '../core/files.ts'
import type { CliContext } from './cli-context.ts'
import { formatRecords } from './format-records.ts'
import { addRecordsOption, chooseRecords } from './satellite-options.ts'
import { openReplay } from './satellite-run-directory.ts'
import type { RunPlan } from './satellite-run-options.ts'
import { runStages } from './satellite-run-stages.ts'

interface ReplayOptions {
  readonly output: string
  readonly format?: RunPlan['format']
  readonly records?: 'table' | 'jsonl'
}

const FILE_MODE = 0o644
const CHUNK_OCTETS = 262_144
/** Directories, of which `parquet` is made of files that are compared; and what says when what was done. */
const NOT_COMPARED: ReadonlySet<string> = new Set(['raw', 'parquet', 'log.json'])
/** Files of stages that a run was given instead of making them. */
const GIVEN = [
  ['probe', 'resolvers_raw'],
  ['filter', 'resolvers'],
] as const

/** Adds the command to `candor satellite`. */
export function registerSatelliteReplay(satellite: Command, context: CliContext): void {
  const command = satellite
    .command('replay')
    .description('make the files of a run again from the octets that were measured, and compare')
    .argument('<directory>', 'the directory of a run')
    .requiredOption('--output <directory>', 'gets the files; empty or new')
    .addOption(
      new Option('--format <flavour>', 'another flavour than that of the run').choices(['v1', 'v2.0', 'v2.1', 'v2.2']),
    )
  addRecordsOption(command)
  command
    .addHelpText('after', '\nExample:\n  candor satellite replay CP_Satellite-2026-01-31-12-00-00 --output again')
    .action(async (source: string, options: ReplayOptions) => {
      await replay(context, source, options)
    })
}

async function replay(context: CliContext, source: string, options: ReplayOptions): Promise<void> {
  const { output, format, records } = options
  const flags = { ...(format === undefined ? {} : { format }), ...(records === undefined ? {} : { records }) }
  const { directory: opened, begun, ended } = await openReplay(context, source, output, flags)
  await using directory = opened
  for (const [stage, kind] of GIVEN) {
    const from = joinPath(source, formatScanPath(kind, begun.format))
    if (!ended.includes(stage))
      await copyFile(context, from, joinPath(output, formatScanPath(kind, directory.plan.format)))
  }
  const quiet = { ...context, stdout: { ...context.stdout, write: () => Promise.resolve() } }
  const isWhole = await runStages(quiet, directory, { stages: ended, flags, isResumed: false, isReplay: true })
  if (!isWhole || directory.plan.format !== begun.format) return
  const compared = await compareFiles(context, source, output)
  await context.stdout.write(formatRecords(compared, chooseRecords(context, records) === 'table'))
  const different = compared.filter(({ equal }) => !equal).length
  await context.say(`${compared.length} files, ${different === 0 ? 'all equal' : `${different} different`}`)
}

async function compareFiles(
  context: CliContext,
  source: string,
  output: string,
): Promise<readonly { readonly file: string; readonly octets: number; readonly equal: boolean }[]> {
  const paths = ['', 'raw'].map(async (parent) => {
    const names = await context.files.list(joinPath(output, parent))
    return names.filter((name) => !NOT_COMPARED.has(name)).map((name) => joinPath(parent, name))
  })
  const files = (await Promise.all(paths)).flat()
  return Promise.all(
    files.map(async (file) => {
      const made = await hashFile(context, joinPath(output, file))
      const old = await hashFile(context, joinPath(source, file))
      return { file, octets: made?.octets ?? 0, equal: made?.digest === old?.digest }
    }),
  )
}

async function hashFile(
  { files }: CliContext,
  path: string,
): Promise<{ readonly digest: string; readonly octets: number } | undefined> {
  const info = await files.info(path)
  if (info?.kind !== 'file') return undefined
  const hash = createHash('sha256')
  const file = await files.openRead(path)
  try {
    for (let octets = await file.read(CHUNK_OCTETS); octets.length > 0; octets = await file.read(CHUNK_OCTETS))
      hash.update(octets)
  } finally {
    await file.close()
  }
  return { digest: hash.digest('hex'), octets: info.sizeOctets }
}

async function copyFile({ files }: CliContext, from: string, to: string): Promise<void> {
  if ((await files.info(from)) === undefined) return
  const source = await files.openRead(from)
  const target = await files.openAppend(to, FILE_MODE, 0)
  try {
    for (let octets = await source.read(CHUNK_OCTETS); octets.length > 0; octets = await source.read(CHUNK_OCTETS))
      await target.append(octets)
    await target.sync()
  } finally {
    await source.close()
    await target.close()
  }
}
