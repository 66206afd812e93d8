/**
 * Before a run: is the zone right when it is asked directly, and can anybody see it through Tor?
 *
 * Three exits at a time are asked, up to three times, because any one of them may be among those that the run is about
 * to find broken. One right answer shows that the zone is visible.
 */
import { RunError } from '../../core/config-error.ts'
import { shuffle } from '../../core/random.ts'
import type { Candidate } from './candidates.ts'
import { probeRelay } from './probe-relay.ts'
import type { ScanContext } from './scan-context.ts'
import type { ControlOutcome } from './zone-control.ts'

/** Exits asked at once. */
const BATCH = 3
/** Batches before the zone is given up. */
const BATCHES_MAX = 3

/** What the pre-flight found. */
export interface PreflightOutcome {
  readonly right: boolean
  /** One sentence: what was asked and what came back. */
  readonly description: string
}

/**
 * Asks the zone directly (where that is possible) and through exits.
 *
 * @param direct - The direct control; `undefined` where no server is known.
 * @param candidates - Exits to choose from; bad exits are not asked.
 */
export async function preflight(
  context: ScanContext,
  candidates: readonly Candidate[],
  direct: (() => Promise<ControlOutcome>) | undefined,
): Promise<PreflightOutcome> {
  if (direct !== undefined) {
    let outcome = await direct()
    if (!outcome.right) outcome = await direct()
    if (!outcome.right) return { right: false, description: `asked directly, ${outcome.description}` }
  }
  const good = candidates.filter(({ relay }) => !relay.flags.has('BadExit'))
  const exits = shuffle(context.random, good.length > 0 ? good : candidates)
  const seen: string[] = []
  for (let batch = 0; batch < BATCHES_MAX && !context.signal.aborted; batch++) {
    const some = exits.slice(batch * BATCH, (batch + 1) * BATCH)
    if (some.length === 0) break
    const found = await Promise.all(some.map((candidate) => seesZone(context, candidate)))
    if (found.includes('success')) return { right: true, description: `seen through exits` }
    seen.push(...found)
  }
  return { right: false, description: `through ${seen.length} exits, none gave the right answer (${summarize(seen)})` }
}

/** @throws {RunError} When the zone is not right; says how to mend it. */
export function refuseRun(outcome: PreflightOutcome, zone: string): never {
  throw new RunError(
    `the zone ${zone} fails its pre-flight: ${outcome.description}`,
    'ask it yourself: `dig ANYTHING.' +
      `${zone}\`; \`candor authority --help\` shows how to serve it, --mode auto falls back`,
  )
}

/** @returns `success`, or the code of what came back through this exit. */
async function seesZone(context: ScanContext, candidate: Candidate): Promise<string> {
  const probe = await probeRelay(context, candidate.relay, { prior: [], onCircuitDone: () => {} })
  const attempts = probe.circuits.flatMap((record) => record.attempts)
  if (attempts.some(({ status }) => status === 'success')) return 'success'
  return attempts.at(-1)?.error_code ?? probe.kind
}

function summarize(codes: readonly string[]): string {
  const groups = Map.groupBy(codes, (code) => code)
  return [...groups].map(([code, all]) => `${all.length} × ${code}`).join(', ') || 'no exit to ask'
}
