/** Takes the hops of a circuit from the pools, within their caps. */
import type { Relay } from '../../tor/tor-session.ts'
import { allowedHops, pickFirstHop } from './first-hops.ts'
import type { ScanContext } from './scan-context.ts'

/**
 * Waits until an allowed first hop has room, and takes it (and a middle for three-hop circuits). Bounded by the run's
 * signal (deadline, stop).
 *
 * @param used - First hops that this exit was reached through; the one taken is added. A hop is used again only for want
 *   of another.
 * @returns Without the exit; empty when no hop is allowed for this exit at all.
 */
export async function takeHops(
  context: ScanContext,
  exit: Relay,
  used: Set<string>,
): Promise<readonly Relay[] | 'stopped'> {
  const { hops, hopRecord, random, options } = context
  while (!context.startSignal.aborted) {
    const fresh = allowedHops(hops, exit, used).length > 0
    const exclude = fresh ? used : new Set<string>()
    const first = pickFirstHop(hops, exit, exclude, hopRecord, random, options.perFirstHop, used.size > 0)
    if (first !== undefined) {
      const middle = options.hops === 3 ? pickMiddle(context, exit, first) : undefined
      const relays = middle === undefined ? [first] : [first, middle]
      hopRecord.load.tryTake(relays.map(({ fingerprint }) => fingerprint))
      used.add(first.fingerprint)
      return relays
    }
    if (allowedHops(hops, exit, new Set()).length === 0) return []
    await hopRecord.load.changed(context.startSignal)
  }
  return 'stopped'
}

function pickMiddle(context: ScanContext, exit: Relay, first: Relay): Relay | undefined {
  return pickFirstHop(context.middles, exit, new Set([first.fingerprint]), context.hopRecord, context.random, Infinity)
}

/** Gives back what {@link takeHops} took. */
export function releaseHops(context: ScanContext, relays: readonly Relay[]): void {
  context.hopRecord.load.release(relays.map(({ fingerprint }) => fingerprint))
}

/** Remembers whether the first hop of a circuit answered. */
export function recordFirstHop({ hopRecord }: ScanContext, firstHop: Relay, answered: boolean): void {
  const { failures } = hopRecord
  if (answered) {
    failures.delete(firstHop.fingerprint)
    hopRecord.answered.add(firstHop.fingerprint)
  } else failures.set(firstHop.fingerprint, (failures.get(firstHop.fingerprint) ?? 0) + 1)
}
