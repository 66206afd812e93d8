/**
 * ZMap as a child process: probes ranges with the packet of the run, and leaves what came as JSON Lines.
 *
 * **Invariant**: ZMap gets every prefix that must not be probed as its own blocklist. Where somebody opted out in words that
 * ZMap does not know (systems, names of hosts), it is not started. Small ranges are probed by ourselves where it cannot run.
 *
 * **Sources**: zmap(1).
 */
import { isOnTheInternet } from '../campaigns/satellite/dns-asker.ts'
import { parseOptOut } from '../campaigns/satellite/opt-out.ts'
import { RESERVED_RANGES } from '../core/address-plan.ts'
import { ConfigError, RunError } from '../core/config-error.ts'
import { joinPath } from '../core/files.ts'
import { formatIp, formatPrefix, parsePrefix, type IpPrefix } from '../core/ip-address.ts'
import { randomInt } from '../core/random.ts'
import { requireAnnouncement } from './satellite-announcement.ts'
import type { SatelliteRun } from './satellite-run-context.ts'

const PROGRAM = 'zmap'
const PRIVATE_MODE = 0o600
const ERROR_LINES_MAX = 5
/** Above it our own prober does not go. */
const OWN_TARGETS_MAX = 1_048_576

/**
 * Probes the ranges of a run.
 *
 * @returns The path of the result; `undefined` when ZMap cannot be used here and the ranges are small enough for our own prober.
 * @throws {ConfigError | RunError}
 */
export async function runZmap(run: SatelliteRun, packet: Uint8Array): Promise<string | undefined> {
  const { context, directory, optOut } = run
  const result = directory.journal('zmap')
  if ((await context.files.info(result)) !== undefined) return result
  const ranges = readRanges(await directory.readInput('ranges'))
  const addresses = ranges.reduce((sum, { bits }) => sum + 2 ** (32 - bits), 0)
  const program = await context.processes.which(PROGRAM)
  const problem =
    program === undefined
      ? 'zmap is not installed (Debian: apt install zmap)'
      : optOut.hasSystems || optOut.hasNames
        ? 'zmap cannot leave out systems and names of hosts, which stand in the opt-out list'
        : undefined
  if (program === undefined || problem !== undefined) return refuse(run, problem ?? '', addresses)
  await requireAnnouncement(context, directory, ranges.map(({ octets }) => formatIp(octets)).filter(isOnTheInternet))
  const files = await writeInputs(run, ranges, packet)
  const { caps, seed } = directory.plan
  const perPrefix = Math.max(1, Math.floor((caps.perPrefix * addresses) / 256))
  const part = `${result}.part`
  const config = directory.input('zmap-config')
  const args = [
    ...(config === undefined ? [] : [`--config=${config}`]),
    '--probe-module=udp',
    '--target-port=53',
    `--probe-args=file:${files.packet}`,
    `--whitelist-file=${files.ranges}`,
    `--blacklist-file=${files.blocklist}`,
    `--rate=${Math.min(Math.floor(caps.rate), perPrefix)}`,
    `--seed=${1 + randomInt(context.createRandom(`${seed}:zmap`), 0x7fff_fffe)}`,
    '--output-module=json',
    '--output-fields=saddr,data',
    '--output-filter=success = 1 && repeat = 0',
    `--output-file=${part}`,
    '--quiet',
    '--verbosity=1',
    '--disable-syslog',
  ]
  await context.files.remove(part)
  const errors = await runProgram(run, program, args)
  if (errors !== undefined) return refuse(run, `zmap could not probe: ${errors}`, addresses)
  if ((await context.files.info(part)) === undefined) await context.files.writeAtomic(part, '', PRIVATE_MODE)
  await context.files.rename(part, result)
  return result
}

async function refuse({ context }: SatelliteRun, problem: string, addresses: number): Promise<undefined> {
  if (addresses > OWN_TARGETS_MAX)
    throw new RunError(
      problem,
      `name at most ${OWN_TARGETS_MAX} addresses, which our own prober asks, or use --zmap-output`,
    )
  await context.say(`${problem}; our own prober asks the ${addresses} addresses`)
  return undefined
}

function readRanges(text: string): readonly IpPrefix[] {
  const words = text.split('\n').map((line) => line.replace(/#.*$/, '').trim())
  return words.flatMap((word, index) => {
    if (word === '') return []
    const prefix = parsePrefix(word)
    if (prefix?.octets.length === 4) return [prefix]
    throw new ConfigError(`--ranges:${index + 1}`, `\`${word}\` is no IPv4 prefix`, 'as in: 192.0.2.0/24')
  })
}

interface ZmapInputs {
  readonly packet: string
  readonly ranges: string
  readonly blocklist: string
}

/** Reserved ranges stay out, but those that the laboratory has of its own. */
async function writeInputs(
  { context, directory, optOut }: SatelliteRun,
  ranges: readonly IpPrefix[],
  packet: Uint8Array,
): Promise<ZmapInputs> {
  const { addressPlan, files } = context
  const text = await directory.readInput('blocklist')
  const { prefixes } = parseOptOut([{ path: '--blocklist', text }], addressPlan)
  const reserved = RESERVED_RANGES.filter(
    ({ prefix }) => prefix.octets.length === 4 && !addressPlan.isPublic(prefix.octets),
  )
  const blocked = [
    ...reserved.map(({ prefix }) => formatPrefix(prefix)),
    ...[...prefixes, ...optOut.prefixes].filter((prefix) => !prefix.includes(':')),
  ]
  const path = (name: string): string => joinPath(directory.path, 'journal', name)
  const inputs = { packet: path('zmap.pkt'), ranges: path('zmap-ranges.txt'), blocklist: path('zmap-blocklist.txt') }
  await files.writeAtomic(inputs.packet, packet, PRIVATE_MODE)
  await files.writeAtomic(inputs.ranges, `${ranges.map((range) => formatPrefix(range)).join('\n')}\n`, PRIVATE_MODE)
  await files.writeAtomic(inputs.blocklist, `${blocked.join('\n')}\n`, PRIVATE_MODE)
  return inputs
}

/** @returns Why it failed; `undefined` when it did not. @throws {RunError} When it was interrupted. */
async function runProgram(
  { context, display }: SatelliteRun,
  program: string,
  args: readonly string[],
): Promise<string | undefined> {
  const lines: string[] = []
  display.enter('zmap', 0)
  const child = await context.processes.start(program, args, {
    onLine: (line) => {
      lines.push(line)
      if (lines.length > ERROR_LINES_MAX) lines.shift()
    },
  })
  const stop = (): void => {
    child.kill('SIGTERM')
  }
  context.interrupted.addEventListener('abort', stop)
  const { code, signal } = await child.exited
  context.interrupted.removeEventListener('abort', stop)
  if (context.interrupted.aborted) throw new RunError('the probe was interrupted', 'the run goes on with --resume')
  return code === 0 ? undefined : lines.join(' ').trim() || `it ended with ${signal ?? `status ${code}`}`
}
