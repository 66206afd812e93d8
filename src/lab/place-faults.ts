/**
 * Which exit has which fault: decided by the seed alone.
 *
 * Invariant: the same seed and number give the same placement; nicknames tell nothing.
 */
import { createSeededRandom, shuffle } from '../core/random.ts'
import { type Fault, FAULTS, FEW_FAULTS } from './faults.ts'

/**
 * Places faults on exits.
 *
 * A small laboratory has the first faults of the table, a larger one all of them in order; exits beyond the table are
 * right, every second one with IPv6.
 *
 * @param skipped - Names of faults that cannot be had on this machine; a right exit stands in their place.
 * @returns One fault per exit, in the order of the exits.
 */
export function placeFaults(
  seed: string,
  exitCount: number,
  skipped: ReadonlySet<string> = new Set(),
): readonly Fault[] {
  const healthy = FAULTS.filter((it) => it.name === 'right' || it.name === 'right_ipv6')
  const order = exitCount <= FEW_FAULTS ? FAULTS.slice(0, exitCount) : FAULTS
  const chosen = Array.from({ length: exitCount }, (_, index) => {
    const wanted = order[index]
    const stand = healthy[index % healthy.length] as Fault
    return wanted === undefined || skipped.has(wanted.name) ? stand : wanted
  })
  return shuffle(createSeededRandom(`faults ${seed}`), chosen)
}
