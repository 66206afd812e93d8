/**
 * `candor bulk --trusted --wildcards`: what was answered is asked again of resolvers that are trusted, and compared with
 * what random names beside it are answered.
 *
 * Each stage is a bulk run of its own with its own output and journal beside the output, so that `--resume` goes on in the
 * stage that was interrupted.
 *
 * Invariant: one record for each name, as without.
 */
import { createReadStream, createWriteStream } from 'node:fs'
import { createInterface } from 'node:readline'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { ConfigError } from '../core/config-error.ts'
import type { Random } from '../core/random.ts'
import { hasAnswers, parentName, randomChild, WildcardTable, type NamedRecord } from '../measure/bulk/wildcard-table.ts'
import { journalPath } from './bulk-journal.ts'
import type { BulkFlags } from './bulk-options.ts'
import { runBulk } from './bulk-run.ts'
import type { CliContext } from './cli-context.ts'

/** Addresses of wildcards rotate; three names see most of them. */
const PROBES_PER_PARENT = 3
/** Parents are held in memory. */
const PARENTS_MAX = 2_000_000

/** Runs the stages. @throws {ConfigError | RunError | FileError} */
export async function runRefinedBulk(context: CliContext, flags: BulkFlags): Promise<void> {
  const { output, trusted } = flags
  if (output === undefined || flags.format !== 'jsonl') {
    const reason = 'stages need files beside the output, and read JSON Lines'
    throw new ConfigError('--trusted or --wildcards', reason, 'candor bulk --output FILE --format jsonl')
  }
  const asked = `${output}.asked`
  const probed = `${output}.probed`
  const confirmed = `${output}.confirmed`
  const resolvers = trusted ?? flags.resolvers
  await context.say('asking')
  if (!(await runBulk(context, { ...flags, output: asked }))) return
  if (flags.wildcards === true) {
    const names = `${probed}.names`
    await makeList(context, flags, names, () => probeLines(asked, context.createRandom(context.newSeed())))
    await context.say('asking for random names beside those that were answered')
    if (!(await runBulk(context, { ...flags, names, output: probed, resolvers }))) return
  }
  if (trusted !== undefined) {
    const names = `${confirmed}.names`
    await makeList(context, flags, names, () => answeredLines(asked))
    await context.say('asking trusted resolvers for what was answered')
    if (!(await runBulk(context, { ...flags, names, output: confirmed, resolvers }))) return
  }
  const table = flags.wildcards === true ? await readWildcards(probed) : undefined
  const records = merge(asked, trusted === undefined ? undefined : confirmed, table)
  await pipeline(Readable.from(records), createWriteStream(`${output}.tmp`))
  await context.files.rename(`${output}.tmp`, output)
  for (const path of [asked, probed, confirmed])
    for (const file of [path, journalPath(path), `${path}.names`]) await context.files.remove(file)
}

/** Writes the input of a stage; a resumed run keeps the one it has, since queries are known by their numbers. */
async function makeList(
  context: CliContext,
  flags: BulkFlags,
  path: string,
  lines: () => AsyncIterable<string>,
): Promise<void> {
  if (flags.resume === true && (await context.files.info(path)) !== undefined) return
  await pipeline(Readable.from(lines()), createWriteStream(`${path}.tmp`))
  await context.files.rename(`${path}.tmp`, path)
}

async function* readRecords(path: string): AsyncGenerator<{ readonly line: string; readonly record: NamedRecord }> {
  for await (const line of createInterface({ input: createReadStream(path), crlfDelay: Number.POSITIVE_INFINITY }))
    yield { line, record: JSON.parse(line) as NamedRecord }
}

/** A name may begin with what begins a comment. */
function lineOf(name: string, type: string): string {
  return `${name.startsWith('#') ? '\\' : ''}${name} ${type}\n`
}

async function* answeredLines(asked: string): AsyncGenerator<string> {
  for await (const { record } of readRecords(asked)) if (hasAnswers(record)) yield lineOf(record.name, record.type)
}

async function* probeLines(asked: string, random: Random): AsyncGenerator<string> {
  const seen = new Set<string>()
  for await (const { record } of readRecords(asked)) {
    const parent = parentName(record.name).toLowerCase()
    const key = `${parent} ${record.type}`
    if (!hasAnswers(record) || seen.has(key)) continue
    if (seen.size === PARENTS_MAX)
      throw new ConfigError('--wildcards', `the names have more than ${PARENTS_MAX} parents`, 'split the list of names')
    seen.add(key)
    for (let i = 0; i < PROBES_PER_PARENT; i++) yield lineOf(randomChild(parent, random), record.type)
  }
}

async function readWildcards(probed: string): Promise<WildcardTable> {
  const table = new WildcardTable()
  for await (const { record } of readRecords(probed)) table.add(record)
  return table
}

/** The record of a trusted resolver stands for a name that was answered; the first one for every other. */
async function* merge(
  asked: string,
  confirmed: string | undefined,
  table: WildcardTable | undefined,
): AsyncGenerator<string> {
  for await (const { line, record } of readRecords(asked)) {
    if (confirmed !== undefined && hasAnswers(record)) continue
    yield withWildcard(line, record, table)
  }
  if (confirmed === undefined) return
  for await (const { line, record } of readRecords(confirmed)) yield withWildcard(line, record, table)
}

function withWildcard(line: string, record: NamedRecord, table: WildcardTable | undefined): string {
  if (table === undefined || !hasAnswers(record)) return `${line}\n`
  return `${line.slice(0, -1)},"matches_wildcard":${table.matches(record)}}\n`
}
