/** The profiles of pace: how hard a run presses on the network. */
import type { ExitPace } from '../model/exit-options.ts'

/**
 * The profiles by name. The plan's figures, except `fast`, which is ours: a bound of five circuits a second in place of
 * a pause. One retry pause for all: an exit's resolver needs a moment, and a new name is asked anyway.
 */
export const PACE_PROFILES: Readonly<Record<ExitPace['profile'], ExitPace>> = {
  conservative: pace('conservative', 3000, 2000, 0, 15_000, 3),
  default: pace('default', 2000, 1000, 0, 10_000, 2),
  aggressive: pace('aggressive', 1000, 500, 0, 5000, 1),
  fast: pace('fast', 0, 0, 5, 5000, 1),
}

function pace(
  profile: ExitPace['profile'],
  buildDelayMs: number,
  delayNoiseMs: number,
  circuitsPerSecond: number,
  queryTimeoutMs: number,
  attempts: number,
): ExitPace {
  return { profile, buildDelayMs, delayNoiseMs, circuitsPerSecond, queryTimeoutMs, attempts, retryDelayMs: 500 }
}
