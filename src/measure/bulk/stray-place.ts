/** What a datagram is that answers nothing: as the place of its counter. */
import { AT } from './bulk-counters.ts'
import { SLOT_FREE, SLOT_TCP, type BulkSlots } from './bulk-slots.ts'

/** A datagram whose id is that of a slot which does not wait for an answer of this resolver. */
export function strayPlace(
  slots: BulkSlots,
  slot: number,
  octets: Uint8Array,
  at: number,
  sizeOctets: number,
  resolver: number,
): number {
  if (!slots.hasAsked(slot, resolver) || !slots.hasQuestion(slot, octets, at, sizeOctets))
    return oldPlace(slots, slot, octets, at, sizeOctets, resolver, AT.wrong_id)
  const state = slots.state[slot] as number
  const isAnswered = (state === SLOT_FREE || state === SLOT_TCP) && slots.resolver[slot] === resolver
  return isAnswered ? AT.duplicate : AT.late
}

/** A datagram that may belong to a query that had the slot before. @param otherwise - What it is if not. */
export function oldPlace(
  slots: BulkSlots,
  slot: number,
  octets: Uint8Array,
  at: number,
  sizeOctets: number,
  resolver: number,
  otherwise: number,
): number {
  const outcome = slots.oldOutcome(slot, octets, at, sizeOctets, resolver)
  return outcome < 0 ? otherwise : outcome === 1 ? AT.duplicate : AT.late
}
