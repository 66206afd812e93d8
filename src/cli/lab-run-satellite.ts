/** What `candor lab run` does around `satellite full`: proposes the laboratory's lists, and holds truth beside verdict. */
import { splitLines } from '../campaigns/satellite/split-lines.ts'
import { RunError } from '../core/config-error.ts'
import { type Files, joinPath } from '../core/files.ts'
import {
  compareSatellite,
  type JudgedPair,
  type PublishedPair,
  type WrittenFinding,
} from '../lab/satellite-comparison.ts'
import type { LaboratoryDescription } from '../lab/laboratory-description.ts'
import type { SatelliteDescription } from '../lab/satellite-world.ts'
import type { PairTruth } from '../lab/satellite-truth.ts'
import type { CliContext } from './cli-context.ts'

const LINE_OCTETS_MAX = 4 * 1024 * 1024
const READ_OCTETS = 1024 * 1024
const TREE_NAME = /^CP_Satellite-/
const CONSENT = 'i-have-permission-to-fetch'

const BEGINNINGS: ReadonlySet<string> = new Set(['full', 'run', 'discover', 'probe'])

/** Whether a command begins a measurement that the lists of the world are for. */
export function beginsSatelliteRun(command: readonly string[]): boolean {
  return command[0] === 'satellite' && BEGINNINGS.has(command[1] ?? '')
}

/** Whether a command is measured against the truth of the satellite world. */
export function isSatelliteRun(command: readonly string[]): boolean {
  return command[0] === 'satellite' && (command[1] === 'full' || command[1] === 'run')
}

/** The satellite world of a laboratory; `undefined` when it has none. */
export function findSatelliteWorld({ worlds }: LaboratoryDescription): SatelliteDescription | undefined {
  return worlds['satellite'] as SatelliteDescription | undefined
}

/** What is run instead of the command, and what was before. */
export interface SatelliteProposal {
  readonly words: readonly string[]
  /** Questions that have reached addresses that may not be asked. */
  readonly leftAlone: number
}

/**
 * Adds the options of the world where the user gave none, but for a run that goes on and has its own; says how many pairs
 * are not counted, before anything is asked.
 */
export async function proposeSatelliteOptions(
  context: CliContext,
  world: SatelliteDescription,
  command: readonly string[],
): Promise<SatelliteProposal> {
  const proposed = Object.entries(world.options).flatMap(([name, value]) =>
    findOption(command, name) === undefined ? [`--${name}`, value] : [],
  )
  const words = findOption(command, 'resume') === undefined ? [...command, ...proposed] : [...command]
  if (!command.includes(`--${CONSENT}`)) words.push(`--${CONSENT}`)
  await context.say(`candor ${words.map((word) => (/[^\w./:=-]/.test(word) ? `'${word}'` : word)).join(' ')}`)
  if (isSatelliteRun(command)) {
    await context.say(
      `${world.ambiguous_pairs} of ${world.pairs} pairs are ambiguous; they and the reasons: ${world.ambiguous}`,
    )
  }
  return { words, leftAlone: await countLeftAlone(context.files, world) }
}

/** @returns The value of an option, whichever way it is written; `undefined` without it. */
function findOption(command: readonly string[], name: string): string | undefined {
  const at = command.findLastIndex((word) => word === `--${name}` || word.startsWith(`--${name}=`))
  const word = command[at] ?? ''
  return at < 0 ? undefined : word.includes('=') ? word.slice(word.indexOf('=') + 1) : (command[at + 1] ?? '')
}

/** @returns The directory of the run: the one that went on, or the newest below the output directory. */
async function findTree(
  { files }: CliContext,
  words: readonly string[],
  startedAtMs: number,
): Promise<string | undefined> {
  const resumed = findOption(words, 'resume')
  if (resumed !== undefined) return resumed
  const parent = findOption(words, 'output') ?? '.'
  const names = (await files.list(parent)).filter((each) => TREE_NAME.test(each)).toSorted()
  const tree = joinPath(parent, names.at(-1) ?? '')
  return ((await files.info(tree))?.modifiedAtMs ?? 0) < startedAtMs ? undefined : tree
}

/** Prints precision and recall of the run. */
export async function compareSatelliteRun(
  context: CliContext,
  world: SatelliteDescription,
  { words, leftAlone }: SatelliteProposal,
  startedAtMs: number,
): Promise<void> {
  const tree = await findTree(context, words, startedAtMs)
  const isJudged =
    tree !== undefined && (await context.files.info(joinPath(tree, 'results_verified.json'))) !== undefined
  if (!isJudged) {
    await context.say('The run left no verdicts: nothing can be compared with the truth.')
    return
  }
  const { files } = context
  const truth = await readLines(files, world.truth, (fields) => fields as unknown as PairTruth)
  const judged = await readLines(files, joinPath(tree, 'findings.jsonl'), toJudgedPair)
  const published = await readLines(files, joinPath(tree, 'results_verified.json'), toPublishedPair)
  const score = compareSatellite(truth, judged, published)
  await context.say(`\n${score.text}`)
  for (const mistake of score.mistakes) await context.say(mistake)
  const left = await countLeftAlone(files, world)
  await context.say(
    `${left - leftAlone} questions reached the ${world.left_alone.length} addresses that are on the blocklist or opted out`,
  )
}

type Fields = Readonly<Record<string, unknown>>

function toJudgedPair(fields: Fields): JudgedPair {
  return {
    vp: String(fields['vp']),
    domain: String(fields['test_url']),
    findings: fields['findings'] as readonly WrittenFinding[],
    judgement: typeof fields['judgement'] === 'string' ? fields['judgement'] : null,
  }
}

function toPublishedPair(fields: Fields): PublishedPair {
  const reasons = fields['exclude_reason']
  return {
    vp: String(fields['vp']),
    domain: String(fields['test_url']),
    anomaly: fields['anomaly'] === true,
    reasons: Array.isArray(reasons) ? reasons.map(String) : [],
  }
}

/** @throws {RunError} When a line is no JSON object. */
async function readLines<T>(files: Files, path: string, convert: (fields: Fields) => T): Promise<readonly T[]> {
  const file = await files.openRead(path)
  const chunks = async function* (): AsyncGenerator<Uint8Array> {
    for (;;) {
      const octets = await file.read(READ_OCTETS)
      if (octets.length === 0) return
      yield octets
    }
  }
  const rows: T[] = []
  try {
    for await (const { text, number } of splitLines(chunks(), LINE_OCTETS_MAX)) {
      if (text === '') continue
      const parsed: unknown = text === undefined ? null : JSON.parse(text)
      if (typeof parsed !== 'object' || parsed === null) throw new RunError(`${path}:${number} is no JSON object`)
      rows.push(convert(parsed as Fields))
    }
  } finally {
    await file.close()
  }
  return rows
}

async function countLeftAlone(files: Files, world: SatelliteDescription): Promise<number> {
  if ((await files.info(world.questions)) === undefined) return 0
  const [counts = {}] = await readLines(files, world.questions, (fields) => fields)
  return world.left_alone.reduce((sum, address) => sum + Number(counts[address] ?? 0), 0)
}
