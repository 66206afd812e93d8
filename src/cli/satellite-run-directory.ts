/**
 * The directory of a run over open resolvers: its plan, copies of its inputs, its journals, and `log.json`.
 *
 * **Invariant**: whatever a stage needs is inside, so that a run can be moved, resumed and judged again. Who asked not to be
 * measured is only ever added to. One process at a time.
 *
 * Format: docs/formats/satellite.md
 */
import { formatCompactTime, formatIsoTime } from '../core/clock.ts'
import { ConfigError, RunError } from '../core/config-error.ts'
import { FileError, joinPath, readText, type Files } from '../core/files.ts'
import { acquireRunLock, type RunLock } from '../store/run-lock.node.ts'
import type { CliContext } from './cli-context.ts'
import { planOf, RUN_INPUTS, type RunFlags, type RunInput, type RunPlan } from './satellite-run-options.ts'

const JOURNAL = 'journal'
const PLAN_FILE = 'run.json'
const PLAN_OCTETS_MAX = 1_048_576
const INPUT_OCTETS_MAX = 1_073_741_824
const PUBLIC_MODE = 0o644
const PRIVATE_MODE = 0o600

/** The stages, in their order. */
const STAGE_NAMES = ['probe', 'filter', 'query', 'tag', 'detect', 'fetch', 'verify'] as const

/** Name of a stage. */
export type StageName = (typeof STAGE_NAMES)[number]

/** What a stage did. */
export interface StageOutcome {
  readonly counts: Readonly<Record<string, number>>
  /** What could not be done or read; any number above 0 makes the run incomplete. */
  readonly failures: Readonly<Record<string, number>>
  /** Why nothing was done; absent when something was. */
  readonly skipped?: string
}

interface StageEntry extends Partial<StageOutcome> {
  readonly start: string
  readonly end: string | null
}

/** What `log.json` says. */
interface RunLog {
  readonly start: string
  end: string | null
  readonly candor_version: string
  plan: RunPlan
  readonly stages: Partial<Record<StageName, StageEntry>>
}

/** A run on the disk. */
export interface RunDirectory extends AsyncDisposable {
  readonly path: string
  readonly plan: RunPlan
  /** Path of a journal. */
  journal(name: string): string
  /** Path of the copy of an input; `undefined` when none was given. */
  input(name: RunInput): string | undefined
  /** Content of an input; empty when none was given. @throws {FileError} */
  readInput(name: RunInput): Promise<string>
  /** Whether a stage has ended before. */
  isDone(stage: StageName): boolean
  begin(stage: StageName): Promise<void>
  end(stage: StageName, outcome: StageOutcome): Promise<void>
  /** Says that the whole run has ended. */
  finish(): Promise<void>
}

/** Name of a new run, as the published ones: `CP_Satellite-YYYY-MM-DD-HH-MM-SS`. */
export function runName(wallMs: number): string {
  const digits = formatCompactTime(wallMs)
  const part = (from: number, to: number): string => digits.slice(from, to)
  const date = `${part(0, 4)}-${part(4, 6)}-${part(6, 8)}`
  return `CP_Satellite-${date}-${part(8, 10)}-${part(10, 12)}-${part(12, 14)}`
}

/** Begins or goes on with a run in a directory. @throws {ConfigError | RunError | FileError} */
export async function openRunDirectory(context: CliContext, path: string, flags: RunFlags): Promise<RunDirectory> {
  const { files } = context
  await files.makeDirectory(path, 0o755)
  const journal = joinPath(path, JOURNAL)
  await files.makeDirectory(journal, 0o700)
  const lock = await acquireRunLock(journal, 'candor satellite')
  try {
    const begun = await readPlan(files, joinPath(journal, PLAN_FILE))
    const plan = planOf(flags, begun, () => context.newSeed())
    const inputs = await copyInputs(context, journal, flags)
    await files.writeAtomic(joinPath(journal, PLAN_FILE), `${JSON.stringify(plan, null, 2)}\n`, PRIVATE_MODE)
    const log = await readLog(context, joinPath(path, 'log.json'), plan)
    return createRunDirectory(context, path, { journal, plan, inputs, log, lock })
  } catch (error) {
    await lock.release()
    throw error
  }
}

/**
 * Makes the directory of a run out of the journals of another one, which is read only.
 *
 * @throws {ConfigError} When the old directory has no journals, or the new one is not empty.
 */
export async function openReplay(context: CliContext, source: string, path: string, flags: RunFlags): Promise<Replay> {
  const { files } = context
  const journal = joinPath(source, JOURNAL)
  const begun = await readPlan(files, joinPath(journal, PLAN_FILE))
  if (begun === undefined)
    throw new ConfigError(
      source,
      'this is no directory of a run',
      'candor satellite replay CP_Satellite-… --output NEW',
    )
  if ((await files.list(path)).length > 0)
    throw new ConfigError('--output', `the directory ${path} is not empty`, `--output ${path}-2`)
  await files.makeDirectory(path, 0o755)
  const lock = await acquireRunLock(journal, 'candor satellite replay')
  try {
    const plan = planOf(flags, begun, () => begun.seed)
    const inputs = await copyInputs(context, journal, {})
    const before = await readLog(context, joinPath(source, 'log.json'), begun)
    const log = await readLog(context, joinPath(path, 'log.json'), plan)
    const ended = STAGE_NAMES.filter((stage) => typeof before.stages[stage]?.end === 'string')
    return { directory: createRunDirectory(context, path, { journal, plan, inputs, log, lock }), begun, ended }
  } catch (error) {
    await lock.release()
    throw error
  }
}

/** A run that is made again. */
export interface Replay {
  readonly directory: RunDirectory
  /** What the old one was measured and written with. */
  readonly begun: RunPlan
  /** The stages that had ended in the old one. */
  readonly ended: readonly StageName[]
}

interface OpenedRun {
  readonly journal: string
  readonly plan: RunPlan
  readonly inputs: ReadonlySet<RunInput>
  readonly log: RunLog
  readonly lock: RunLock
}

function createRunDirectory(
  context: CliContext,
  path: string,
  { journal, plan, inputs, log, lock }: OpenedRun,
): RunDirectory {
  const { files, clock } = context
  const now = (): string => formatIsoTime(clock.wallNowMs())
  const writeLog = (): Promise<void> =>
    files.writeAtomic(joinPath(path, 'log.json'), `${JSON.stringify(log, null, 2)}\n`, PUBLIC_MODE)
  const inputPath = (name: RunInput): string | undefined =>
    inputs.has(name) ? joinPath(journal, 'inputs', `${name}.txt`) : undefined
  return {
    path,
    plan,
    journal: (name) => joinPath(journal, `${name}.jsonl`),
    input: inputPath,
    readInput: async (name) => {
      const file = inputPath(name)
      return file === undefined ? '' : readText(files, file, INPUT_OCTETS_MAX)
    },
    isDone: (stage) => typeof log.stages[stage]?.end === 'string',
    begin: async (stage) => {
      log.stages[stage] = { start: now(), end: null }
      log.end = null
      await writeLog()
    },
    end: async (stage, outcome) => {
      log.stages[stage] = { start: log.stages[stage]?.start ?? now(), end: now(), ...outcome }
      await writeLog()
    },
    finish: async () => {
      log.end = now()
      await writeLog()
    },
    [Symbol.asyncDispose]: () => lock.release(),
  }
}

async function readPlan(files: Files, path: string): Promise<RunPlan | undefined> {
  if ((await files.info(path)) === undefined) return undefined
  return JSON.parse(await readText(files, path, PLAN_OCTETS_MAX)) as RunPlan
}

/** A log that a kill cut off is never seen: it is replaced as a whole. */
async function readLog(context: CliContext, path: string, plan: RunPlan): Promise<RunLog> {
  const start = formatIsoTime(context.clock.wallNowMs())
  const fresh: RunLog = { start, end: null, candor_version: context.version, plan, stages: {} }
  if ((await context.files.info(path)) === undefined) return fresh
  const text = await readText(context.files, path, PLAN_OCTETS_MAX)
  try {
    const { start: begun, stages } = JSON.parse(text) as RunLog
    return { ...fresh, start: begun, stages }
  } catch (cause) {
    throw new RunError(`${path} is no log of a run`, 'name the directory of a run', { cause })
  }
}

/** What is given now replaces what was given before; the opt-out list is added to it. */
async function copyInputs(context: CliContext, journal: string, flags: RunFlags): Promise<ReadonlySet<RunInput>> {
  const { files } = context
  const directory = joinPath(journal, 'inputs')
  await files.makeDirectory(directory, 0o700)
  const found = new Set<RunInput>()
  for (const name of RUN_INPUTS) {
    const copy = joinPath(directory, `${name}.txt`)
    const given = flags[name.replaceAll(/-(\w)/g, (_match, letter: string) => letter.toUpperCase())]
    const isThere = (await files.info(copy)) !== undefined
    if (typeof given === 'string') {
      const octets = await readInput(files, `--${name}`, given)
      const before = name === 'opt-out' && isThere ? await readText(files, copy, INPUT_OCTETS_MAX) : ''
      const text = new TextDecoder().decode(octets)
      const isNew = before === '' || !before.includes(text)
      if (isNew) await files.writeAtomic(copy, before === '' ? octets : `${before}\n${text}`, PRIVATE_MODE)
    }
    if (isThere || typeof given === 'string') found.add(name)
  }
  return found
}

async function readInput(files: Files, option: string, path: string): Promise<Uint8Array> {
  try {
    return await files.read(path, INPUT_OCTETS_MAX)
  } catch (error) {
    if (!(error instanceof FileError)) throw error
    throw new ConfigError(`${option} ${path}`, `the file cannot be read: ${error.code}`, `${option} FILE`, {
      cause: error,
    })
  }
}
