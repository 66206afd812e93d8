/** Lets a domain out of quarantine by hand. */
import type { DomainChange, DomainRow } from '../../model/domain.ts'
import { releaseDomain } from '../../verdicts/domain-health.ts'
import { describeChange } from './judge-wave.ts'

/** What is to be kept of it. */
export function releaseRow(row: DomainRow, atMs: number): DomainChange {
  const health = releaseDomain(row.health, atMs)
  return {
    id: row.id,
    health,
    trace: { ...describeChange(row, health, atMs, 'left_quarantine'), pass: 'release', outcome: 'RELEASED' },
  }
}
