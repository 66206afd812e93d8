/**
 * Two guards against our own side: when many names die at once it is the resolvers, and when many queries fail at once it
 * is the way to them.
 *
 * Invariant: a guard judges no name. It says that what is seen now says nothing about names.
 *
 * Specification: docs/detectors/domain-guards.md
 */

/** When a guard is on. */
export interface GuardPolicy {
  /** How far it looks back, in milliseconds. */
  readonly windowMs: number
  /** More than this share of the samples… */
  readonly share: number
  /** … of so many at least. */
  readonly samplesMin: number
}

/** > 5 % of the names that were alive within a week are denied within 10 minutes. */
export const NX_GUARD_POLICY: GuardPolicy = { windowMs: 600_000, share: 0.05, samplesMin: 50 }
/** > 30 % of the queries fail within a minute. */
export const STORM_GUARD_POLICY: GuardPolicy = { windowMs: 60_000, share: 0.3, samplesMin: 50 }
/** A name was alive if it had an address within this time. */
const ALIVE_MS = 7 * 24 * 3_600_000
/** The window moves in steps of this share of itself. */
const STEPS = 60

interface Step {
  readonly step: number
  samples: number
  bad: number
}

/** Counts what is good and bad within a window that moves with time. */
export class WindowGuard {
  private readonly policy: GuardPolicy
  private readonly steps: Step[] = []

  constructor(policy: GuardPolicy) {
    this.policy = policy
  }

  /** Adds samples of one time; times may only grow. */
  add(atMs: number, isBad: boolean, count = 1): void {
    const step = Math.floor(atMs / (this.policy.windowMs / STEPS))
    let last = this.steps.at(-1)
    if (last === undefined || last.step !== step) {
      last = { step, samples: 0, bad: 0 }
      this.steps.push(last)
    }
    last.samples += count
    if (isBad) last.bad += count
    this.forget(step)
  }

  /** Whether the guard is on. */
  isOn(atMs: number): boolean {
    const { samples, bad } = this.counts(atMs)
    return samples >= this.policy.samplesMin && bad > this.policy.share * samples
  }

  /** What the window holds now. */
  counts(atMs: number): { readonly samples: number; readonly bad: number } {
    this.forget(Math.floor(atMs / (this.policy.windowMs / STEPS)))
    let [samples, bad] = [0, 0]
    for (const step of this.steps) {
      samples += step.samples
      bad += step.bad
    }
    return { samples, bad }
  }

  private forget(step: number): void {
    // Times from the future belong to a clock that was set back since.
    while (this.steps[0] !== undefined && (this.steps[0].step <= step - STEPS || this.steps[0].step > step))
      this.steps.shift()
  }
}

/** Whether a name counts for the guard against denials: it had an address within a week. */
export function wasAlive(lastOkAtMs: number | null, atMs: number): boolean {
  return lastOkAtMs !== null && atMs - lastOkAtMs <= ALIVE_MS
}
