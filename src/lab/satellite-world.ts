/**
 * The satellite world: open resolvers in ten countries, web servers and block servers, control resolvers, the lists that a
 * measurement is given, and the truth.
 *
 * Invariant: everything follows from the seed and the size; the truth stands in files that no list names.
 */
import { joinPath } from '../core/files.ts'
import { writeSatelliteLists } from './satellite-lists.ts'
import {
  LIVENESS_NAME,
  planSatelliteWorld,
  PROBE_ANSWER,
  PROBE_NAME,
  type SatellitePlan,
  type SatelliteSize,
  WHOAMI_NAME,
} from './satellite-plan.ts'
import { startSatelliteServers, type SatelliteServers } from './satellite-servers.ts'
import { tellSatelliteTruth, type PairTruth } from './satellite-truth.ts'
import { startSiteServers } from './site-servers.ts'
import type { StartWorld, WorldMachine, WorldOptions } from './world.ts'

/** As large as the proof. */
export const SATELLITE_SIZE: SatelliteSize = { resolvers: 200, domains: 100 }

const FILE_MODE = 0o600
/** How often it is written down who was asked, in milliseconds. */
const COUNT_INTERVAL_MS = 1_000
/** Nobody in the laboratory is far away; a machine with other work may be slow. */
const TIMEOUT = '1s'

/** What the world says about itself in `laboratory.json`. */
export interface SatelliteDescription {
  readonly summary: string
  readonly command: string
  /** Options of `candor satellite full`, without the dashes. */
  readonly options: Readonly<Record<string, string>>
  /** Paths: the truth about each pair, and the pairs that are not counted, one JSON object a line. */
  readonly truth: string
  readonly ambiguous: string
  readonly pairs: number
  readonly ambiguous_pairs: number
  /** Path of a JSON object: address → questions that arrived there. */
  readonly questions: string
  /** Resolvers that a filter has to keep, and addresses that may never be asked anything. */
  readonly resolvers: readonly string[]
  readonly left_alone: readonly string[]
}

/** Makes the start function for a size. */
export function createSatelliteWorld(size: SatelliteSize): StartWorld {
  return async (machine, options) => {
    const plan = planSatelliteWorld(options.seed, size)
    const description = await writeFiles(machine, options, plan, size)
    await using undo = new AsyncDisposableStack()
    const sites = await startSiteServers(plan.groups, options.authority, machine.clock.wallNowMs())
    undo.defer(() => sites.close())
    const servers = await startSatelliteServers(machine, plan)
    undo.defer(() => {
      servers.close()
    })
    undo.defer(keepCounting(machine, servers, description.questions))
    const kept = undo.move()
    return {
      description: { ...description },
      routes: [...servers.routes, ...sites.routes],
      environment: settingsOf(description),
      close: () => kept.disposeAsync(),
    }
  }
}

async function writeFiles(
  { files }: WorldMachine,
  { directory, seed }: WorldOptions,
  plan: SatellitePlan,
  size: SatelliteSize,
): Promise<SatelliteDescription> {
  const write = async (name: string, lines: readonly string[]): Promise<string> => {
    const path = joinPath(directory, name)
    await files.writeAtomic(path, lines.map((line) => `${line}\n`).join(''), FILE_MODE)
    return path
  }
  const options: Record<string, string> = {
    'probe-name': PROBE_NAME,
    'probe-answer': PROBE_ANSWER,
    'liveness-name': LIVENESS_NAME,
    'whoami-name': WHOAMI_NAME,
    timeout: TIMEOUT,
    seed,
    output: joinPath(directory, 'runs'),
  }
  for (const [name, lines] of writeSatelliteLists(plan)) options[name] = await write(`${name}.txt`, lines)
  const truth = tellSatelliteTruth(plan)
  const ambiguous = truth.filter(({ ambiguity }) => ambiguity !== null)
  return {
    summary: `${size.resolvers} resolvers in ten countries, ${size.domains} names`,
    command: 'satellite full',
    options,
    truth: await write(
      'truth.jsonl',
      truth.map((pair) => JSON.stringify(pair)),
    ),
    ambiguous: await write('ambiguous.jsonl', ambiguous.map(formatAmbiguity)),
    pairs: truth.length,
    ambiguous_pairs: ambiguous.length,
    questions: joinPath(directory, 'questions.json'),
    resolvers: plan.resolvers.map(({ address }) => address),
    left_alone: plan.candidates
      .filter(({ kind }) => kind === 'blocklisted' || kind === 'opted_out_address' || kind === 'opted_out_ptr')
      .map(({ address }) => address),
  }
}

/** The same for a daemon inside, whose runs have a directory, a seed and a time-out of their own. */
function settingsOf({ options }: SatelliteDescription): Readonly<Record<string, string>> {
  const { output: _output, seed: _seed, timeout: _timeout, ...lists } = options
  const named = Object.entries(lists).map(
    ([name, value]) => [`CANDOR_SATELLITE_${name.replaceAll('-', '_').toUpperCase()}`, value] as const,
  )
  return { ...Object.fromEntries(named), CANDOR_SATELLITE_PERMISSION_TO_FETCH: 'true' }
}

function formatAmbiguity({ vp, domain, label, ambiguity }: PairTruth): string {
  return JSON.stringify({ vp, domain, label, reason: ambiguity })
}

/** Writes who was asked how often, whenever it has changed. @returns Ends it. */
function keepCounting({ clock, files }: WorldMachine, servers: SatelliteServers, path: string): () => Promise<void> {
  let written = -1
  let timer = clock.setTimer(0, () => {})
  let writing = Promise.resolve()
  const write = async (): Promise<void> => {
    const counts = servers.questions()
    const sum = [...counts.values()].reduce((total, count) => total + count, 0)
    if (sum === written) return
    written = sum
    await files.writeAtomic(path, `${JSON.stringify(Object.fromEntries(counts))}\n`, FILE_MODE)
  }
  const wait = (): void => {
    timer = clock.setTimer(COUNT_INTERVAL_MS, () => {
      writing = write().finally(wait)
    })
  }
  wait()
  return async () => {
    timer.cancel()
    await writing
    timer.cancel()
  }
}
