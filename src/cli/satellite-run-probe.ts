/**
 * The stage `probe`: who answers a query for a name of our own? Our own prober asks a list of addresses, ZMap ranges, or a ZMap
 * result is read.
 *
 * **Invariant**: nothing is probed without a list of those who must not be, and addresses of the Internet only a day after the
 * plan was announced.
 */
import { askEach } from '../campaigns/satellite/ask-each.ts'
import { formatAskRecord, parseAskRecord } from '../campaigns/satellite/ask-record.ts'
import { isOnTheInternet } from '../campaigns/satellite/dns-asker.ts'
import { parseOptOut } from '../campaigns/satellite/opt-out.ts'
import { readProbeAnswer } from '../campaigns/satellite/probe-answers.ts'
import { formatScanPath } from '../campaigns/satellite/scan-file-names.ts'
import { parseTargets } from '../campaigns/satellite/target-list.ts'
import { ConfigError, RunError } from '../core/config-error.ts'
import { joinPath } from '../core/files.ts'
import { shuffle } from '../core/random.ts'
import { encodeQuery } from '../dns/encode-message.ts'
import { parseName, type Name } from '../dns/name.ts'
import { formatHex } from '../dns/octets-text.ts'
import { TYPE_A } from '../dns/rr-type.ts'
import { splitLines } from '../campaigns/satellite/split-lines.ts'
import { parseFields } from '../campaigns/satellite/pair-record.ts'
import { readLineLog } from '../store/line-log.ts'
import type { StageOutcome } from './satellite-run-directory.ts'
import { keepAll, mayAsk, readJournal, type SatelliteRun } from './satellite-run-context.ts'
import { requireAnnouncement } from './satellite-announcement.ts'
import { findNames, isNameAllowed } from './satellite-run-names.ts'
import { withStageTree } from './satellite-tree.ts'
import { runZmap } from './satellite-zmap.ts'

const JOURNAL = 'probe'
const ATTEMPTS = 1
const LINE_OCTETS_MAX = 1_048_576
/** ZMap fills the id of its own queries; that of the file is of no meaning. */
const PACKET_ID = 0

/** Probes, or reads what was probed. @throws {ConfigError | RunError | FileError} */
export async function runProbeStage(run: SatelliteRun): Promise<StageOutcome> {
  const { directory, context } = run
  if (directory.input('blocklist') === undefined) throw noBlocklist()
  const name = probeName(run)
  const packet = encodeQuery({ id: PACKET_ID, name, type: TYPE_A, recursionDesired: true })
  await writePacket(run, packet)
  if (directory.input('zmap-output') !== undefined) return writeResult(run, directory.input('zmap-output') ?? '')
  if (directory.input('ranges') !== undefined) {
    const found = await runZmap(run, packet)
    if (found !== undefined) return writeResult(run, found)
  }
  const { targets, refused } = await readTargets(run)
  const onTheInternet = targets.filter((address) => isOnTheInternet(address))
  if (!run.isReplay) await requireAnnouncement(context, directory, onTheInternet)
  const done = new Set<string>()
  for await (const line of readJournal(run, JOURNAL)) done.add(parseAskRecord(line)?.address ?? '')
  const left = targets.filter((address) => !done.has(address))
  run.display.enter('probe', targets.length, targets.length - left.length)
  const { seed, caps, timeout_ms: timeoutMs } = directory.plan
  const records = askEach(context, {
    asks: shuffle(context.createRandom(`${seed}:probe`), left).map((address) => ({ address, name, type: TYPE_A })),
    servers: undefined,
    purpose: 'test',
    seed: `${seed}:probe`,
    caps,
    attempts: ATTEMPTS,
    timeoutMs,
    signal: context.interrupted,
  })
  await keepAll(run, JOURNAL, formatRecords(records))
  const counts = await withStageTree(context.files, directory.path, async (tree) => {
    const path = formatScanPath('resolvers_raw', directory.plan.format)
    await tree.touch(path)
    const asked = new Set<string>()
    let answered = 0
    for await (const line of readJournal(run, JOURNAL)) {
      const record = parseAskRecord(line)
      if (record === undefined || asked.has(record.address)) continue
      asked.add(record.address)
      const responses = record.trial.attempts.flatMap((attempt) => attempt.responses)
      if (responses.length > 0) answered++
      for (const { octets } of responses) await tree.write(path, { saddr: record.address, data: formatHex(octets) })
    }
    return { asked: asked.size, answered }
  })
  const notAsked = context.interrupted.aborted ? 0 : targets.length - counts.asked
  return { counts: { targets: targets.length, refused, ...counts }, failures: { not_asked: notAsked } }
}

/** A probe was asked for without a list of those who must not be probed. */
export function noBlocklist(): ConfigError {
  return new ConfigError(
    '--blocklist',
    'a probe does not start without a list of those who must not be probed',
    '--blocklist FILE (addresses and prefixes; an empty file says that there are none)',
  )
}

function probeName(run: SatelliteRun): Name {
  const text = run.directory.plan.probe_name
  const name = text === null ? undefined : parseName(text)
  if (name === undefined) {
    throw new ConfigError(
      '--probe-name',
      'a probe asks for a name whose addresses are known',
      '--probe-name probe.example.net',
    )
  }
  return name
}

async function* formatRecords(
  records: AsyncIterable<Parameters<typeof formatAskRecord>[0]>,
): AsyncGenerator<object, void, void> {
  for await (const record of records) yield formatAskRecord(record)
}

async function writePacket({ context, directory }: SatelliteRun, packet: Uint8Array): Promise<void> {
  const isAtTop = directory.plan.format === 'v1' || directory.plan.format === 'v2.2'
  const parent = isAtTop ? directory.path : joinPath(directory.path, 'raw')
  await context.files.makeDirectory(parent, 0o755)
  await context.files.writeAtomic(joinPath(parent, 'dns.pkt'), packet, 0o644)
}

/** Who may be probed: public, in no list of those who must not be, and by no name of theirs. */
async function readTargets(
  run: SatelliteRun,
): Promise<{ readonly targets: readonly string[]; readonly refused: number }> {
  const { directory, context } = run
  const option = directory.input('addresses') === undefined ? '--ranges' : '--addresses'
  const text = await directory.readInput(option === '--ranges' ? 'ranges' : 'addresses')
  if (directory.input('addresses') === undefined && directory.input('ranges') === undefined) {
    throw new ConfigError(
      '--addresses',
      'nobody is named who could be probed',
      '--addresses FILE, --ranges FILE or --zmap-output FILE',
    )
  }
  const blocklist = parseOptOut(
    [{ path: '--blocklist', text: await directory.readInput('blocklist') }],
    context.addressPlan,
  )
  const all = parseTargets(text, option)
  const open = all.filter((address) => mayAsk(run, address) && blocklist.findAddress(address) === undefined)
  if (!run.optOut.hasNames) return { targets: open, refused: all.length - open.length }
  const names = await findNames(run, 'probe-names', open)
  const targets = open.filter((address) => isNameAllowed(run, names, address))
  return { targets, refused: all.length - targets.length }
}

/** Copies a ZMap result, without those who must not be asked. */
async function writeResult(run: SatelliteRun, path: string): Promise<StageOutcome> {
  const { context, directory } = run
  const counts = { lines: 0, answered: 0, refused: 0 }
  let malformed = 0
  await withStageTree(context.files, directory.path, async (tree) => {
    const target = formatScanPath('resolvers_raw', directory.plan.format)
    await tree.touch(target)
    // The last line of a result may lack its end.
    const octets =
      (await context.files.info(path))?.kind === 'file' ? readWhole(run, path) : readLineLog(context.files, path)
    for await (const { text } of splitLines(octets, LINE_OCTETS_MAX)) {
      if (context.interrupted.aborted) throw new RunError('the run was interrupted')
      if (text === '') continue
      counts.lines++
      const fields = text === undefined ? undefined : parseFields(text)
      const answer = fields === undefined ? undefined : readProbeAnswer(fields)
      if (fields === undefined || answer === undefined) malformed++
      else if (!mayAsk(run, answer.address)) counts.refused++
      else {
        counts.answered++
        await tree.write(target, fields)
      }
    }
  })
  return { counts, failures: { malformed_lines: malformed } }
}

async function* readWhole({ context }: SatelliteRun, path: string): AsyncGenerator<Uint8Array, void, void> {
  const file = await context.files.openRead(path)
  try {
    for (let octets = await file.read(65_536); octets.length > 0; octets = await file.read(65_536)) yield octets
  } finally {
    await file.close()
  }
}
