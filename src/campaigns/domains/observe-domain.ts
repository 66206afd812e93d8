/** Takes what clients were answered for a domain, or for a name below a wildcard. */
import type { DomainChange, DomainRow } from '../../model/domain.ts'
import type { RuntimeObservation } from '../../model/runtime-observation.ts'
import { applyDomainEvent, type DomainConditions } from '../../verdicts/domain-health.ts'
import { describeChange } from './judge-wave.ts'

/** A success counts whatever else holds. */
const CONDITIONS: DomainConditions = { nxHardQuarantine: false, isStorm: false, isNxGuarded: false, isPoolDown: false }

/** What is to be kept of it. */
export function observeRow(row: DomainRow, { addresses, atMs }: RuntimeObservation): DomainChange {
  const event = {
    outcome: 'RUNTIME' as const,
    atMs: Math.round(atMs),
    addresses: addresses.map((address) => ({ address, source: 'runtime' })),
    ttlSeconds: null,
    negativeSeconds: 0,
    isConfirming: false,
  }
  const { health, reason } = applyDomainEvent(row.name, row.health, event, CONDITIONS)
  const trace = { ...describeChange(row, health, event.atMs, reason), pass: 'runtime' as const, outcome: event.outcome }
  // Twenty traces are kept: a name that clients ask for each minute would push out every check.
  return { id: row.id, health, trace: reason === 'too_soon' ? null : trace }
}
