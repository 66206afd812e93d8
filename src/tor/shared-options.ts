/**
 * Options of somebody else's Tor that we change for the length of a run, and give back.
 *
 * With `__LeaveStreamsUnattached` left at 1 every new stream of its users would hang (seen with 0.4.9.11: eight seconds
 * and counting, and those that hang stay so after the option is restored until somebody attaches them). Therefore the
 * old values are on disk before anything is changed, and whoever finds the record restores them: the run itself, a
 * watchdog beside it, or the next run.
 *
 * Invariant: nothing is changed that is not recorded; nothing is restored in a Tor that was restarted meanwhile.
 */
import { RunError } from '../core/config-error.ts'
import { FileError, joinPath, readText } from '../core/files.ts'
import { NetError } from '../net/net.ts'
import { connectControl, formatControlAddress, type ControlAddress } from './control-address.ts'
import { authenticate, readProtocolInfo } from './control-auth.ts'
import { ControlError, type ControlClient } from './control-client.ts'
import { quoteControlValue, unquoteControlValue } from './control-parser.ts'
import { giveWaitingStreamsToTor } from './streams.ts'
import { equalLists, type TorCapabilities } from './tor-process.ts'

const RECORD_OCTETS_MAX = 1_048_576
/** Circuits of one run: ten digits and a line end each, for a few hundred thousand. */
const CIRCUITS_OCTETS_MAX = 8_388_608
const VALUES_MAX = 64

/** An option as it was before us. */
interface RecordedOption {
  readonly name: string
  /** `null` where the default was in force. */
  readonly values: readonly string[] | null
}

/** What stands in the file. */
interface SharedTorRecord {
  readonly control: ControlAddress
  readonly torPid: number
  readonly ownerPid: number
  readonly ownerCommandLine: readonly string[]
  readonly options: readonly RecordedOption[]
}

/** Where the record of a control address stands. */
export function sharedTorRecordPath(stateDirectory: string, control: ControlAddress): string {
  const name = formatControlAddress(control).replaceAll(/[^A-Za-z0-9.]+/g, '_')
  return joinPath(stateDirectory, `shared-tor-${name}.json`)
}

/** Where the ids of a run's circuits stand, one on a line. */
export function circuitListPath(recordPath: string): string {
  return `${recordPath}.circuits`
}

/**
 * Records the current values of options. Nothing is changed yet.
 *
 * @throws {ControlError} @throws {FileError}
 */
export async function recordOptions(
  { files, processes }: TorCapabilities,
  client: ControlClient,
  recordPath: string,
  control: ControlAddress,
  names: readonly string[],
): Promise<void> {
  const options: RecordedOption[] = []
  for (const name of names) options.push({ name, values: await readOption(client, name) })
  const record: SharedTorRecord = {
    control,
    torPid: await readTorPid(client),
    ownerPid: processes.pid,
    ownerCommandLine: (await processes.commandLine(processes.pid)) ?? [],
    options,
  }
  await files.writeAtomic(recordPath, `${JSON.stringify(record)}\n`, 0o600)
}

/** The values of an option; `null` where the default is in force. @throws {ControlError} */
export async function readOption(client: ControlClient, name: string): Promise<readonly string[] | null> {
  const reply = await client.expectOk(`GETCONF ${name}`)
  const values: string[] = []
  for (const { text } of reply.lines.slice(0, VALUES_MAX)) {
    const equals = text.indexOf('=')
    if (equals < 0) return null
    values.push(unquoteControlValue(text.slice(equals + 1)))
  }
  return values
}

/** Whether a run recorded options and is still there. */
export async function isRecordHeld({ files, processes }: TorCapabilities, recordPath: string): Promise<boolean> {
  const record = await readRecord(files, recordPath)
  if (record === undefined || record.ownerPid === processes.pid) return false
  return equalLists(await processes.commandLine(record.ownerPid), record.ownerCommandLine)
}

/**
 * Gives back what a record names, over a connection of its own, and forgets the record.
 *
 * @returns Whether there was something to restore and it was. `false` also when that Tor is gone or was restarted.
 * @throws {RunError} When the Tor runs and does not let us in: the record stays.
 */
export async function restoreRecordedOptions(
  machine: TorCapabilities,
  recordPath: string,
  password: string | null,
): Promise<boolean> {
  const record = await readRecord(machine.files, recordPath)
  if (record === undefined) return false
  let client: ControlClient
  try {
    client = await connectControl(machine.net, machine.clock, record.control)
  } catch (error) {
    if (!(error instanceof NetError)) throw error
    await forget(machine, recordPath)
    return false
  }
  try {
    await authenticate(client, machine.files, await readProtocolInfo(client), password)
    const isSame = (await readTorPid(client)) === record.torPid
    if (isSame) await restore(machine, client, record, recordPath)
    await forget(machine, recordPath)
    return isSame
  } catch (error) {
    if (!(error instanceof ControlError)) throw error
    throw new RunError(`cannot restore the options of the Tor at ${formatControlAddress(record.control)}`, '', {
      cause: error,
    })
  } finally {
    client.close()
  }
}

async function restore(
  { files }: TorCapabilities,
  client: ControlClient,
  { options }: SharedTorRecord,
  recordPath: string,
): Promise<void> {
  for (const { name, values } of options) {
    const command =
      values === null
        ? `RESETCONF ${name}`
        : `SETCONF ${values.map((value) => `${name}=${quoteControlValue(value)}`).join(' ')}`
    await client.expectOk(command)
  }
  await giveWaitingStreamsToTor(client)
  const circuits = await readTextIfAny(files, circuitListPath(recordPath), CIRCUITS_OCTETS_MAX)
  // Nothing is said about those that are gone.
  for (const id of circuits.split('\n')) if (/^\d{1,10}$/.test(id)) await client.command(`CLOSECIRCUIT ${id}`)
}

async function forget({ files }: TorCapabilities, recordPath: string): Promise<void> {
  await files.remove(circuitListPath(recordPath))
  await files.remove(recordPath)
}

async function readTorPid(client: ControlClient): Promise<number> {
  const reply = await client.expectOk('GETINFO process/pid')
  return Number((reply.lines[0]?.text ?? '').replace('process/pid=', ''))
}

async function readRecord(files: TorCapabilities['files'], path: string): Promise<SharedTorRecord | undefined> {
  try {
    const value: unknown = JSON.parse(await readTextIfAny(files, path, RECORD_OCTETS_MAX))
    return isRecord(value) ? value : undefined
  } catch (error) {
    if (error instanceof SyntaxError) return undefined
    throw error
  }
}

async function readTextIfAny(files: TorCapabilities['files'], path: string, maxOctets: number): Promise<string> {
  try {
    return await readText(files, path, maxOctets)
  } catch (error) {
    if (error instanceof FileError && error.code === 'ENOENT') return ''
    throw error
  }
}

function isRecord(value: unknown): value is SharedTorRecord {
  if (typeof value !== 'object' || value === null) return false
  const { control, torPid, ownerPid, ownerCommandLine, options } = value as Partial<
    Record<keyof SharedTorRecord, unknown>
  >
  return (
    typeof control === 'object' &&
    control !== null &&
    Number.isSafeInteger(torPid) &&
    Number.isSafeInteger(ownerPid) &&
    Array.isArray(ownerCommandLine) &&
    Array.isArray(options) &&
    options.every(isRecordedOption)
  )
}

function isRecordedOption(value: unknown): value is RecordedOption {
  if (typeof value !== 'object' || value === null) return false
  const { name, values } = value as Partial<Record<keyof RecordedOption, unknown>>
  const areValues = values === null || (Array.isArray(values) && values.every((item) => typeof item === 'string'))
  return typeof name === 'string' && /^\w+$/.test(name) && areValues
}
