/** `candor lab up`: builds a laboratory and holds it until it is interrupted. */
import { type Command, Option } from 'commander'
import { ConfigError } from '../core/config-error.ts'
import { checkLimit, type Limit } from '../core/limit.ts'
import { type Fault, FAULTS } from '../lab/faults.ts'
import {
  type Laboratory,
  type LaboratoryOptions,
  type StandingLaboratory,
  startLaboratory,
  startLaboratoryWithoutTor,
} from '../lab/laboratory.ts'
import type { TorNetworkProgress } from '../lab/tor-network-options.ts'
import { createSatelliteWorld, SATELLITE_SIZE } from '../lab/satellite-world.ts'
import { WORLDS } from '../lab/worlds.ts'
import { acquireRunLock } from '../store/run-lock.node.ts'
import type { CliContext } from './cli-context.ts'
import { formatDirectoryOption, laboratoryDirectoryOption } from './lab-directory.ts'

const AUTHORITIES: Limit = {
  default: 3,
  min: 1,
  max: 9,
  unit: 'relays',
  why: 'three vote as a real directory does, and each takes 100 MB',
}
const MIDDLES: Limit = { default: 1, min: 1, max: 50, unit: 'relays', why: 'exits are first hops for each other' }
const EXITS: Limit = { default: 8, min: 1, max: 190, unit: 'relays', why: 'one for each class of verdict' }
const RESOLVERS: Limit = {
  default: SATELLITE_SIZE.resolvers,
  min: 10,
  max: 1_000,
  unit: 'resolvers',
  why: 'as many as each rule needs cases; each is a socket',
}
const NAMES: Limit = { default: SATELLITE_SIZE.domains, min: 30, max: 120, unit: 'names', why: 'every kind of name' }
const TOR = 'tor'
const FIRST_HOP_DELAY: Limit = { default: 0, min: 0, max: 10_000, unit: 'ms', why: 'nothing is slow on loopback' }

interface UpOptions {
  readonly directory: string
  readonly authorities: string
  readonly middles: string
  readonly exits: string
  readonly seed?: string
  readonly fault: readonly string[]
  readonly firstHopDelay: string
  readonly worlds: string
  readonly resolvers: string
  readonly names: string
}

/** Adds `candor lab up`. */
export function registerLabUp(lab: Command, context: CliContext): void {
  const up = lab
    .command('up')
    .description('build a laboratory and hold it until it is interrupted')
    .addOption(laboratoryDirectoryOption())
    .option('--worlds <names>', 'what it consists of, with commas between', [TOR, ...WORLDS.keys()].join(','))
    .option('--resolvers <number>', 'resolvers of the satellite world', String(SATELLITE_SIZE.resolvers))
    .option('--names <number>', 'names of the satellite world', String(SATELLITE_SIZE.domains))
    .option('--authorities <number>', 'directory authorities', String(AUTHORITIES.default))
    .option('--middles <number>', 'relays that do not exit', String(MIDDLES.default))
    .option('--exits <number>', `exits; ${FAULTS.length} faults there are`, String(EXITS.default))
    .option('--seed <text>', 'decides which exit has which fault (default: a new one)')
    .addOption(
      new Option('--fault <name>', 'give the exits these faults in this order, in place of the seed’s')
        .argParser((value, earlier: readonly string[]) => [...earlier, ...value.split(',')])
        .default([], 'by seed'),
    )
    .option('--first-hop-delay <ms>', 'delay of the last middle, per round trip', String(FIRST_HOP_DELAY.default))
  up.action(async () => {
    const given = up.opts<UpOptions>()
    const options = checkOptions(context, given)
    const hasTor = checkWorlds(given.worlds).includes(TOR)
    const lock = await acquireRunLock(given.directory, 'candor lab up')
    try {
      await using laboratory = await build(context, options, hasTor)
      await introduce(context, laboratory, given.directory)
      await untilAborted(context.interrupted)
    } finally {
      await lock.release()
    }
    await context.say('The laboratory is gone.')
  })
}

/** @throws {ConfigError} When one is not known. */
function checkWorlds(text: string): readonly string[] {
  const names = text.split(',')
  const unknown = names.find((name) => name !== TOR && !WORLDS.has(name))
  if (unknown === undefined) return names
  throw new ConfigError('--worlds', `there is no world '${unknown}'`, `some of ${[TOR, ...WORLDS.keys()].join(',')}`)
}

/** @throws {ConfigError} */
function checkOptions(context: CliContext, given: UpOptions): LaboratoryOptions {
  const faults = given.fault.map(findFault)
  const number = (limit: Limit, value: string, path: string): number =>
    checkLimit(limit, /^\d+$/.test(value) ? Number(value) : Number.NaN, path)
  const size = {
    resolvers: number(RESOLVERS, given.resolvers, '--resolvers'),
    domains: number(NAMES, given.names, '--names'),
  }
  return {
    size: {
      authorities: number(AUTHORITIES, given.authorities, '--authorities'),
      middles: number(MIDDLES, given.middles, '--middles'),
      exits: faults.length > 0 ? faults.length : number(EXITS, given.exits, '--exits'),
    },
    seed: given.seed ?? context.newSeed(),
    worlds: new Map(
      [...WORLDS, ['satellite', createSatelliteWorld(size)] as const].filter(([name]) =>
        checkWorlds(given.worlds).includes(name),
      ),
    ),
    directory: given.directory,
    firstHopDelayMs: number(FIRST_HOP_DELAY, given.firstHopDelay, '--first-hop-delay'),
    ...(faults.length > 0 ? { faults } : {}),
    onProgress: createProgressReport(context),
  }
}

async function build(
  context: CliContext,
  options: LaboratoryOptions,
  hasTor: boolean,
): Promise<Laboratory | StandingLaboratory> {
  const { clock, net, files, processes, log } = context
  const machine = { clock, net, files, processes, log }
  const startedAtMs = clock.nowMs()
  const laboratory = hasTor
    ? await startLaboratory(machine, options)
    : await startLaboratoryWithoutTor(machine, options)
  await context.say(`Ready after ${((clock.nowMs() - startedAtMs) / 1000).toFixed(1)} s.`)
  return laboratory
}

function findFault(name: string): Fault {
  const found = FAULTS.find((fault) => fault.name === name)
  if (found !== undefined) return found
  throw new ConfigError('--fault', `there is no fault '${name}'`, `one of ${FAULTS.map((it) => it.name).join(', ')}`)
}

/** One line per step, so that a log stays short; counts only where something takes long. */
function createProgressReport(context: CliContext): (progress: TorNetworkProgress) => void {
  const sentences = {
    keys: 'Making the keys of',
    relays: 'Starting',
    consensus: 'Waiting for the consensus about',
  }
  let step = ''
  return (progress) => {
    if (progress.step === step) return
    step = progress.step
    void context.say(`${sentences[progress.step]} ${progress.total} relays …`)
  }
}

async function introduce(context: CliContext, laboratory: StandingLaboratory, directory: string): Promise<void> {
  const { seed, tor, worlds } = laboratory.describe()
  const inside = `candor lab run${formatDirectoryOption(directory)} --`
  if (tor !== null) {
    const { truth, skipped, zone } = tor
    await context.say(`${Object.keys(truth).length} exits with known faults (seed ${seed}); the zone is ${zone.name}.`)
    for (const [fault, reason] of Object.entries(skipped)) await context.say(`Without the fault ${fault}: ${reason}.`)
  }
  await context.say('In another terminal:\n')
  const commands = [...(tor === null ? [] : ['exits run']), ...Object.values(worlds).flatMap(commandOf)]
  for (const command of commands) await context.stdout.write(`${inside} ${command}\n`)
  await context.say('\nCtrl-C ends the laboratory.')
}

/** Each world says in its description which command shows it. */
function commandOf({ command }: Readonly<Record<string, unknown>>): readonly string[] {
  return typeof command === 'string' ? [command] : []
}

function untilAborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve()
    else
      signal.addEventListener(
        'abort',
        () => {
          resolve()
        },
        { once: true },
      )
  })
}
