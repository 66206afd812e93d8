/** Names of addresses for a stage: what the journal knows, and PTR questions for the rest. */
import { askEach } from '../campaigns/satellite/ask-each.ts'
import { formatAskRecord, namesOfTrial, parseAskRecord, type AskRecord } from '../campaigns/satellite/ask-record.ts'
import { reverseName } from '../campaigns/satellite/reverse-name.ts'
import { RunError } from '../core/config-error.ts'
import { TYPE_PTR } from '../dns/rr-type.ts'
import { keepAll, mayAsk, readControl, readJournal, type SatelliteRun } from './satellite-run-context.ts'

/** Another server each time. */
const ATTEMPTS = 3
/** The servers are large ones, or the operator's own. */
const PER_SERVER = 50

/** Names of an address; `undefined` when nobody answered. */
export type FoundNames = ReadonlyMap<string, readonly string[] | undefined>

/** Asks for the names of addresses, those in the journal aside. @throws {RunError} When there is nobody to ask. */
export async function findNames(run: SatelliteRun, journal: string, addresses: readonly string[]): Promise<FoundNames> {
  const { context, directory } = run
  const { ptr_resolvers: given, seed, caps, timeout_ms: timeoutMs } = directory.plan
  const known = await readKnown(run, journal)
  const left = addresses.filter((address) => !known.has(address))
  if (run.isReplay || left.length === 0) return known
  const control = (await readControl(run)).map(({ address }) => address)
  const servers = given.length > 0 ? given.filter((address) => mayAsk(run, address)) : control
  if (servers.length === 0)
    throw new RunError('there is nobody who could be asked for the names of addresses', '--ptr-resolver ADDRESS')
  run.display.enter('names', addresses.length, addresses.length - left.length)
  const records = askEach(context, {
    asks: left.map((address) => ({ address, name: reverseName(address), type: TYPE_PTR })),
    servers,
    purpose: 'test',
    seed: `${seed}:${journal}`,
    caps: { ...caps, perResolver: PER_SERVER, perPrefix: PER_SERVER, perAs: 0 },
    attempts: ATTEMPTS,
    timeoutMs,
    signal: context.interrupted,
  })
  await keepAll(run, journal, formatRecords(records))
  return readKnown(run, journal)
}

/** Whether no name of an address says that it must not be asked; nobody knows where the names are not known. */
export function isNameAllowed({ optOut }: SatelliteRun, names: FoundNames, address: string): boolean {
  const found = names.get(address)
  return found !== undefined && optOut.findName(found) === undefined
}

async function readKnown(run: SatelliteRun, journal: string): Promise<FoundNames> {
  const known = new Map<string, readonly string[] | undefined>()
  for await (const line of readJournal(run, journal)) {
    const record = parseAskRecord(line)
    if (record !== undefined) known.set(record.address, namesOfTrial(record.trial))
  }
  return known
}

async function* formatRecords(records: AsyncIterable<AskRecord>): AsyncGenerator<object, void, void> {
  for await (const record of records) yield formatAskRecord(record)
}
