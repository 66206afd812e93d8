/**
 * The stage `filter`: which of those who answered are resolvers of infrastructure that live, who else is asked, and where they
 * are.
 */
import { askEach, type EachAsk } from '../campaigns/satellite/ask-each.ts'
import { formatAskRecord, parseAskRecord, sourceOfTrial, type AskRecord } from '../campaigns/satellite/ask-record.ts'
import { convertRecord } from '../campaigns/satellite/convert-record.ts'
import { locationOf } from '../campaigns/satellite/country-name.ts'
import { findInfrastructureName } from '../campaigns/satellite/infrastructure-policy.ts'
import { answerOfTrial } from '../campaigns/satellite/pair-record.ts'
import { isRightAnswer, readProbeAnswer } from '../campaigns/satellite/probe-answers.ts'
import { parseResolvers } from '../campaigns/satellite/resolver-list.ts'
import { formatScanPath, type ScanFileKind } from '../campaigns/satellite/scan-file-names.ts'
import { RunError } from '../core/config-error.ts'
import { parseIp } from '../core/ip-address.ts'
import { shuffle } from '../core/random.ts'
import { formatName, parseName } from '../dns/name.ts'
import { TYPE_A } from '../dns/rr-type.ts'
import { groupByPrefix } from '../measure/resolver-groups.ts'
import type { JsonFields } from '../model/satellite-row.ts'
import { reverseName } from '../campaigns/satellite/reverse-name.ts'
import type { StageOutcome } from './satellite-run-directory.ts'
import {
  hasStageFile,
  isNamedOut,
  keepAll,
  mayAsk,
  readControl,
  readJournal,
  readStageRecords,
  type SatelliteRun,
} from './satellite-run-context.ts'
import { findNames, isNameAllowed, type FoundNames } from './satellite-run-names.ts'
import { withStageTree } from './satellite-tree.ts'

const LIVENESS_ATTEMPTS = 2
const EXPECTED_ATTEMPTS = 3

/** One line of `resolvers.json`. */
interface ChosenResolver {
  readonly address: string
  /** Name of its address, `control`, `special` or `non-resolver`. */
  readonly name: string
}

/** Filters. @throws {ConfigError | RunError | FileError} */
export async function runFilterStage(run: SatelliteRun): Promise<StageOutcome> {
  const { directory, context } = run
  const candidates = await readCandidates(run)
  const names = await findNames(run, 'names', candidates.right)
  const infrastructure = chooseInfrastructure(run, candidates.right, names)
  const living = await askAddresses(run, 'liveness', directory.plan.liveness_name, infrastructure, (record) =>
    answerOfTrial(record.trial).addresses.length > 0 ? 'alive' : undefined,
  )
  const chosen = await listResolvers(
    run,
    infrastructure.filter(({ address }) => living.has(address)),
  )
  const whoami = directory.plan.whoami_name
  const asked = chosen.filter(({ name }) => name !== 'control' && name !== 'non-resolver')
  const upstreams =
    whoami === null
      ? new Map<string, string>()
      : await askAddresses(run, 'whoami', whoami, asked, ({ trial }) => sourceOfTrial(trial))
  await withStageTree(context.files, directory.path, async (tree) => {
    const { format } = directory.plan
    const write = (kind: ScanFileKind, fields: JsonFields): Promise<void> =>
      tree.write(formatScanPath(kind, format), convertRecord(kind, fields, format))
    for (const kind of ['resolvers_ip', 'resolvers_ptr', 'resolvers_err', 'resolvers', 'upstreams'] as const)
      await tree.touch(formatScanPath(kind, format))
    for (const address of candidates.right) {
      await write('resolvers_ip', { vp: address, response: candidates.answers.get(address) ?? '' })
      const found = names.get(address)
      if (found !== undefined && found.length > 0) await write('resolvers_ptr', { vp: address, names: found })
      else await write('resolvers_err', { vp: address, error: describeMissing(address, found) })
    }
    for (const { address, name } of chosen) await write('resolvers', describeResolver(run, address, name))
    for (const [address, upstream] of upstreams) await write('upstreams', { vp: address, upstream })
  })
  const unnamed = candidates.right.filter((address) => names.get(address) === undefined).length
  return {
    counts: {
      probed: candidates.count,
      right_answer: candidates.right.length,
      infrastructure: infrastructure.length,
      alive: living.size,
      resolvers: chosen.length,
    },
    failures: { names_not_asked: context.interrupted.aborted ? 0 : unnamed },
  }
}

interface Candidates {
  readonly count: number
  /** In an order of their own: numbers of pairs, and with them the ids of queries, must not depend on who answered first. */
  readonly right: readonly string[]
  readonly answers: ReadonlyMap<string, string>
}

/** Those who recurse and tell the truth, as far as they may be asked. */
async function readCandidates(run: SatelliteRun): Promise<Candidates> {
  const answers = new Map<string, string>()
  let count = 0
  if (!(await hasStageFile(run, 'resolvers_raw'))) return { count, right: [], answers }
  const expected = await findExpected(run)
  for await (const fields of readStageRecords(run, 'resolvers_raw', 'probe')) {
    count++
    const answer = readProbeAnswer(fields)
    if (answer === undefined || !mayAsk(run, answer.address) || !isRightAnswer(answer, expected)) continue
    if (!answers.has(answer.address))
      answers.set(answer.address, answer.answers.find((each) => expected.has(each)) ?? '')
  }
  return { count, right: [...answers.keys()].toSorted(compareText), answers }
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}

/** The right addresses of the probed name: as given, or what the control resolvers say. */
async function findExpected(run: SatelliteRun): Promise<ReadonlySet<string>> {
  const { probe_answers: given, probe_name: probed } = run.directory.plan
  if (given.length > 0) return new Set(given)
  const control = (await readControl(run)).map(({ address }) => ({ address, name: 'control' }))
  const found = new Set<string>()
  await askAddresses(run, 'expected', probed ?? '.', control, ({ trial }) => {
    for (const address of answerOfTrial(trial).addresses) found.add(address)
    return undefined
  })
  if (found.size === 0) {
    throw new RunError(
      'no control resolver knows an address of the probed name, so that no answer can be told right',
      '--probe-answer ADDRESS',
    )
  }
  return found
}

function chooseInfrastructure(
  run: SatelliteRun,
  addresses: readonly string[],
  names: FoundNames,
): readonly ChosenResolver[] {
  const { infrastructure, one_per_prefix: isOnePerPrefix, seed } = run.directory.plan
  const chosen = addresses.flatMap((address) => {
    const found = names.get(address) ?? []
    if (run.optOut.findName(found) !== undefined) return []
    const name = findInfrastructureName(infrastructure, address, found)
    return name === undefined ? [] : [{ address, name }]
  })
  if (!isOnePerPrefix) return chosen
  const prefixes = groupByPrefix(chosen.map(({ address }) => address))
  const taken = new Set<number>()
  const picked = new Set<string>()
  for (const index of shuffle(run.context.createRandom(`${seed}:prefixes`), [...chosen.keys()])) {
    const prefix = prefixes[index] ?? -1
    if (!taken.has(prefix)) picked.add(chosen[index]?.address ?? '')
    taken.add(prefix)
  }
  return chosen.filter(({ address }) => picked.has(address))
}

/** Asks each address for one name, those in the journal aside. @returns What `read` makes of it, where it makes something. */
async function askAddresses(
  run: SatelliteRun,
  journal: string,
  nameText: string,
  resolvers: readonly ChosenResolver[],
  read: (record: AskRecord) => string | undefined,
): Promise<ReadonlyMap<string, string>> {
  const { context, directory } = run
  const { seed, caps, timeout_ms: timeoutMs } = directory.plan
  const wanted = new Set(resolvers.map(({ address }) => address))
  const collect = async (): Promise<ReadonlyMap<string, AskRecord>> => {
    const known = new Map<string, AskRecord>()
    for await (const line of readJournal(run, journal)) {
      const record = parseAskRecord(line)
      if (record !== undefined && wanted.has(record.address)) known.set(record.address, record)
    }
    return known
  }
  const known = await collect()
  const left = [...wanted].filter((address) => !known.has(address))
  run.display.enter(journal, wanted.size, known.size)
  const asks = left.map((address): EachAsk => ({ address, name: parseName(nameText) ?? [], type: TYPE_A }))
  if (!run.isReplay && asks.length > 0) {
    const attempts = journal === 'liveness' ? LIVENESS_ATTEMPTS : EXPECTED_ATTEMPTS
    const plan = { asks, servers: undefined, purpose: 'control' as const, seed: `${seed}:${journal}`, caps }
    const records = askEach(context, { ...plan, attempts, timeoutMs, signal: context.interrupted })
    await keepAll(run, journal, formatRecords(records))
  }
  const found = new Map<string, string>()
  for (const [address, record] of await collect()) {
    const value = read(record)
    if (value !== undefined) found.set(address, value)
  }
  return found
}

async function* formatRecords(records: AsyncIterable<AskRecord>): AsyncGenerator<object, void, void> {
  for await (const record of records) yield formatAskRecord(record)
}

/** Infrastructure, then those whom the operator named; each address once, and the operator's word goes before. */
async function listResolvers(
  run: SatelliteRun,
  infrastructure: readonly ChosenResolver[],
): Promise<readonly ChosenResolver[]> {
  const listed = new Map<string, ChosenResolver>()
  for (const [input, name] of [
    ['special', 'special'],
    ['non-resolvers', 'non-resolver'],
  ] as const) {
    for (const { address, hostName } of parseResolvers(await run.directory.readInput(input), `--${input}`)) {
      if (mayAsk(run, address) && !isNamedOut(run, hostName)) listed.set(address, { address, name })
    }
  }
  for (const { address } of await readControl(run)) listed.set(address, { address, name: 'control' })
  const allowed = await withoutNamedOut(run, [...listed.values()])
  return [...infrastructure.filter(({ address }) => !listed.has(address)), ...allowed]
}

/** Where somebody opted out by a name, whoever's names nobody knows is not asked. */
async function withoutNamedOut(
  run: SatelliteRun,
  listed: readonly ChosenResolver[],
): Promise<readonly ChosenResolver[]> {
  if (!run.optOut.hasNames) return listed
  const addresses = listed.map(({ address }) => address)
  const names = await findNames(run, 'names', addresses)
  return listed.filter(({ address }) => isNameAllowed(run, names, address))
}

function describeResolver({ context, directory }: SatelliteRun, address: string, name: string): JsonFields {
  if (directory.plan.format !== 'v2.2') return { vp: address, name }
  const octets = parseIp(address)
  const { countryName, countryCode } = locationOf(
    (octets === undefined ? undefined : context.addressPlan.lookup(octets))?.country ?? '',
  )
  return { vp: address, name, location: { country_name: countryName ?? '', country_code: countryCode ?? '' } }
}

/** In the words of Go's resolver, as published. */
function describeMissing(address: string, names: readonly string[] | undefined): JsonFields {
  const isTimeout = names === undefined
  return {
    Err: isTimeout ? 'i/o timeout' : 'no such host',
    Name: `${formatName(reverseName(address))}.`,
    Server: '',
    IsTimeout: isTimeout,
    IsTemporary: isTimeout,
    IsNotFound: !isTimeout,
  }
}
