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

/** Adds the options of the world where the user gave none; says how many pairs are not counted, before anything is asked. */
export async function proposeSatelliteOptions(
  context: CliContext,
  world: SatelliteDescription,
  command: readonly string[],
): Promise<SatelliteProposal> {
  const isGiven = (name: string): boolean =>
    command.some((word) => word === `--${name}` || word.startsWith(`--${name}=`))
  const proposed = Object.entries(world.options).flatMap(([name, value]) => (isGiven(name) ? [] : [`--${name}`, value]))
  const words = [...command, ...proposed, ...(isGiven(CONSENT) ? [] : [`--${CONSENT}`])]
  await context.say(`candor ${words.map((word) => (/[^\w./:=-]/.test(word) ? `'${word}'` : word)).join(' ')}`)
  await context.say(
    `${world.ambiguous_pairs} of ${world.pairs} pairs are ambiguous; they and the reasons: ${world.ambiguous}`,
  )
  return { words, leftAlone: await countLeftAlone(context.files, world) }
}

/** Prints precision and recall of the newest tree below the output directory. */
export async function compareSatelliteRun(
  context: CliContext,
  world: SatelliteDescription,
  { words, leftAlone }: SatelliteProposal,
  startedAtMs: number,
): Promise<void> {
  const parent = words[words.lastIndexOf('--output') + 1] ?? ''
  const name = (await context.files.list(parent))
    .filter((each) => TREE_NAME.test(each))
    .toSorted()
    .at(-1)
  const info = name === undefined ? undefined : await context.files.info(joinPath(parent, name))
  if (name === undefined || (info?.modifiedAtMs ?? 0) < startedAtMs) {
    await context.say(`The run left no tree in ${parent}: nothing can be compared with the truth.`)
    return
  }
  const tree = joinPath(parent, name)
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
