/**
 * The stage `query`: every resolver is asked for every name; what came stands in the journal `query.jsonl`, and the files of
 * the stage are made of that alone.
 */
import { convertRow } from '../campaigns/satellite/convert-row.ts'
import { convertRecord } from '../campaigns/satellite/convert-record.ts'
import { parseDomains } from '../campaigns/satellite/domain-list.ts'
import { formatHex } from '../dns/octets-text.ts'
import { NumberSet } from '../campaigns/satellite/number-set.ts'
import {
  formatPairRecord,
  parsePairRecord,
  type PairKind,
  type PairRecord,
} from '../campaigns/satellite/pair-record.ts'
import { hasExtraPackets, packetsOfPair, rowOfPair } from '../campaigns/satellite/pair-row.ts'
import { queryPairs } from '../campaigns/satellite/query-pairs.ts'
import { formatScanPath } from '../campaigns/satellite/scan-file-names.ts'
import { writePackets } from '../campaigns/satellite/write-evidence.ts'
import { ConfigError } from '../core/config-error.ts'
import { createHash } from 'node:crypto'
import { openLineLog } from '../store/line-log.ts'
import type { StageOutcome } from './satellite-run-directory.ts'
import { keepAll, mayAsk, readJournal, readStageRecords, type SatelliteRun } from './satellite-run-context.ts'
import { findNames, isNameAllowed } from './satellite-run-names.ts'
import { withStageTree, type SatelliteTree } from './satellite-tree.ts'

const JOURNAL = 'query'

/** Who is asked, by kind, in the order of `resolvers.json`. */
type Resolvers = ReadonlyMap<PairKind, readonly string[]>

/** Measures what is not measured yet, and writes the files. @throws {ConfigError | RunError | FileError} */
export async function runQueryStage(run: SatelliteRun): Promise<StageOutcome> {
  const { plan } = run.directory
  const domains = parseDomains(await run.directory.readInput('domains'), '--domains')
  if (domains.length === 0) {
    throw new ConfigError(
      '--domains',
      'there is no name to be tested',
      'candor satellite query DIRECTORY --domains FILE',
    )
  }
  const resolvers = await readResolvers(run)
  const allowed = await findAllowed(run, [...resolvers.values()].flat())
  const unmeasured = run.isReplay ? 0 : await measure(run, resolvers, domains, allowed)
  const isWhole = !run.context.interrupted.aborted
  const counts = await withStageTree(run.context.files, run.directory.path, (tree) => writeFiles(run, tree))
  const total = domains.length * allowed.size
  run.context.log.info('cli.satellite.queried', { pairs: counts['pairs'] ?? 0, seed: plan.seed })
  return { counts: { ...counts, planned: total }, failures: { not_measured: isWhole ? unmeasured : 0 } }
}

async function readResolvers(run: SatelliteRun): Promise<Resolvers> {
  const found = new Map<PairKind, string[]>([
    ['control', []],
    ['resolver', []],
    ['non_resolver', []],
  ])
  for await (const { vp, name } of readStageRecords(run, 'resolvers', 'filter')) {
    if (typeof vp !== 'string') continue
    const kind = name === 'control' ? 'control' : name === 'non-resolver' ? 'non_resolver' : 'resolver'
    const list = found.get(kind) ?? []
    if (!list.includes(vp)) list.push(vp)
  }
  return found
}

/** Who may be asked now: somebody may have opted out since the resolvers were found. */
async function findAllowed(run: SatelliteRun, addresses: readonly string[]): Promise<ReadonlySet<string>> {
  const open = addresses.filter((address) => mayAsk(run, address))
  if (!run.optOut.hasNames) return new Set(open)
  const names = await findNames(run, 'names', open)
  return new Set(open.filter((address) => isNameAllowed(run, names, address)))
}

async function measure(
  run: SatelliteRun,
  resolvers: Resolvers,
  domains: readonly string[],
  allowed: ReadonlySet<string>,
): Promise<number> {
  const { context, directory } = run
  const { plan } = directory
  const done = await openPlan(run, resolvers, domains)
  const pairs = domains.length * allowed.size
  let unmeasured = 0
  let firstNumber = 0
  run.display.enter('query', pairs, done.size)
  for (const [kind, addresses] of resolvers) {
    const records = queryPairs(context, {
      resolvers: addresses,
      domains,
      kind,
      firstNumber,
      controlName: plan.liveness_name,
      policy: plan.policy,
      seed: plan.seed,
      caps: plan.caps,
      timeoutMs: plan.timeout_ms,
      isDone: (number) => done.has(number),
      mayAsk: (address) => allowed.has(address),
      signal: context.interrupted,
      onUnmeasured: () => {
        unmeasured++
      },
    })
    await keepAll(run, JOURNAL, mapRecords(records))
    firstNumber += addresses.length * domains.length
    if (context.interrupted.aborted) break
  }
  return unmeasured
}

async function* mapRecords(records: AsyncIterable<PairRecord>): AsyncGenerator<object, void, void> {
  for await (const record of records) yield formatPairRecord(record)
}

/** What a journal begins with says what it measures. @returns The pairs that are measured. @throws {ConfigError} */
async function openPlan(run: SatelliteRun, resolvers: Resolvers, domains: readonly string[]): Promise<NumberSet> {
  const { seed, policy, liveness_name: controlName } = run.directory.plan
  const asked = JSON.stringify([[...resolvers], domains, seed, policy, controlName])
  const plan = createHash('sha256').update(asked).digest('hex')
  const done = new NumberSet()
  let known: string | undefined
  for await (const line of readJournal(run, JOURNAL)) {
    known ??= line
    const record = parsePairRecord(line)
    if (record !== undefined) done.add(record.number)
  }
  if (known === undefined) {
    const log = await openLineLog(run.context.files, run.directory.journal(JOURNAL))
    await log.append({ plan })
    await log.close()
  } else if (known !== JSON.stringify({ plan })) {
    throw new ConfigError(
      run.directory.path,
      'this run has begun to ask other resolvers, other names, or in another order',
      'resume it without options, or begin a new one',
    )
  }
  return done
}

async function writeFiles(run: SatelliteRun, tree: SatelliteTree): Promise<Readonly<Record<string, number>>> {
  const { format } = run.directory.plan
  const addresses = new Set<string>()
  const seen = new NumberSet()
  const counts = { pairs: 0, control: 0, queries: 0, answered: 0, datagrams: 0 }
  for (const kind of ['raw', 'control_response', 'response', 'addresses', 'packets'] as const)
    await tree.touch(formatScanPath(kind, format))
  for await (const line of readJournal(run, JOURNAL)) {
    const record = parsePairRecord(line)
    if (record === undefined || !seen.add(record.number)) continue
    counts.pairs++
    counts.queries += record.trials.length
    if (record.kind === 'control') counts.control++
    const datagrams = record.trials.flatMap(({ attempts }) => attempts.flatMap(({ responses }) => responses))
    counts.datagrams += datagrams.length
    if (datagrams.length > 0) counts.answered++
    await writePair(tree, record, format)
    const answers = rowOfPair(record, format).trials.filter(({ purpose }) => purpose === 'test')
    for (const { address } of answers.flatMap((trial) => trial.answers)) addresses.add(address)
  }
  for (const address of addresses) {
    await tree.write(formatScanPath('addresses', format), convertRecord('addresses', { response: address }, format))
  }
  return { ...counts, addresses: addresses.size }
}

async function writePair(
  tree: SatelliteTree,
  record: PairRecord,
  format: SatelliteRun['directory']['plan']['format'],
): Promise<void> {
  const { resolver, domain } = record
  const { role, fields } = convertRow(rowOfPair(record, format), format)
  await tree.write(formatScanPath(role, format), fields)
  for (const { purpose, attempts } of record.trials) {
    if (purpose === 'control') continue
    for (const { octets } of attempts.flatMap(({ responses }) => responses)) {
      const raw = { vp: resolver, test_url: domain, data: formatHex(octets) }
      await tree.write(formatScanPath('raw', format), convertRecord('raw', raw, format))
    }
  }
  if (record.kind !== 'control' && hasExtraPackets(record)) {
    const packets = writePackets(resolver, domain, await packetsOfPair(record))
    await tree.write(formatScanPath('packets', format), packets)
  }
}
