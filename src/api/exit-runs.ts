/**
 * Every run over the exits as one: the one that goes on, and those that were kept.
 *
 * Invariant: a run is closed when nothing of it will change; only then may an answer about it be kept by caches.
 */
import type { ExitArchive, ExitRecord, ExitRow, KeptEvidence } from '../model/exit-archive.ts'
import type { ExitMetadata } from '../model/exit-result.ts'
import type { ExitRunView, RunViewSource } from '../model/run-view.ts'
import { EXIT_ROW_FIELDS } from './exit-schemas.ts'
import { refuse, type Refusal } from './operation.ts'
import { createTruthLookup, type ListedExit, type TruthLookup } from './select-exits.ts'

/** A run, wherever it comes from. */
export interface FoundRun {
  readonly runId: string
  readonly isClosed: boolean
  /** What the run was; `null` while it goes on. */
  readonly metadata: ExitMetadata | null
  readonly evidence: KeptEvidence
  /** `false` when only the numbers of the run are left. */
  readonly hasRows: boolean
  /** The run at hand, where it is that one. */
  readonly view: ExitRunView | undefined
}

/** Finds runs. */
export interface ExitRuns {
  /** @param run - 14 digits; `current` for the run at hand; `undefined` for the newest valid one. */
  find(run: string | undefined): Promise<FoundRun | undefined>
  /** The relays of a run; `undefined` when they were given up. */
  rows(run: FoundRun): Promise<readonly ListedExit[] | undefined>
  record(run: FoundRun, fingerprint: string): Promise<ExitRecord | undefined>
}

/** Joins the run at hand with the archive, where there is one. */
export function createExitRuns(runs: RunViewSource, archive: ExitArchive | undefined): ExitRuns {
  const findAtHand = (): FoundRun | undefined => {
    const view = runs.view()
    if (view.runId === null) return undefined
    const { runId, metadata } = view
    return { runId, isClosed: isFinal(metadata), metadata, evidence: 'all', hasRows: true, view }
  }
  const findKept = async (run: string | undefined): Promise<FoundRun | undefined> => {
    const kept = run === undefined ? await archive?.latest() : await archive?.run(run)
    if (kept === undefined) return undefined
    const { runId, metadata, evidence, hasRows } = kept
    const view = runs.view()
    return {
      runId,
      isClosed: isFinal(metadata),
      metadata,
      evidence,
      hasRows,
      view: view.runId === runId ? view : undefined,
    }
  }
  return {
    find: async (run) => {
      const atHand = findAtHand()
      if (run === 'current') return atHand
      if (run !== undefined && atHand?.runId === run) return atHand
      return (await findKept(run)) ?? (run === undefined ? atHand : undefined)
    },
    rows: async ({ runId, view }) => (view === undefined ? archive?.rows(runId) : view.results),
    record: async ({ runId, view }, fingerprint) => {
      if (view === undefined) return archive?.record(runId, fingerprint)
      const result = view.results.find((candidate) => candidate.exit_fingerprint === fingerprint)
      return result === undefined ? undefined : { result, hasEvidence: true }
    },
  }
}

/** @returns Whether nothing can be added: an interrupted run may be resumed, and a part be put together with others. */
export function isFinal(metadata: ExitMetadata | null): boolean {
  return metadata !== null && !metadata.interrupted && metadata.shard === '0/1'
}

/** @returns What is true about the relays of a run, where that is known. */
export function truthOfRun({ view }: FoundRun): TruthLookup {
  return view === undefined ? () => undefined : createTruthLookup(view)
}

/** @returns A run with its relays, or why there is none. */
export async function findRows(
  runs: ExitRuns,
  wanted: string | undefined,
): Promise<{ readonly run: FoundRun; readonly rows: readonly ListedExit[] } | Refusal> {
  const run = await runs.find(wanted)
  if (run === undefined) return refuse('not-found', 'There is no such run (yet).')
  const rows = await runs.rows(run)
  if (rows === undefined) return refuse('not-found', 'Only the numbers of this run are left; its rows were given up.')
  return { run, rows }
}

/** @returns Whether what a run says, asked for as `wanted`, will never change: `current` and the newest one do. */
export function isForEver(run: FoundRun, wanted: string | undefined): boolean {
  return run.isClosed && wanted === run.runId
}

/** @returns The fields of a row, also of a whole result. */
export function pickExitRow(row: ListedExit): ExitRow {
  const fields = Object.keys(EXIT_ROW_FIELDS).map((name) => [name, row[name as keyof ExitRow]])
  return Object.fromEntries(fields) as ExitRow
}
