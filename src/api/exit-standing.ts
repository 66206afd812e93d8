/**
 * What a verdict amounts to for a reader who counts exits: sound, suspect, failing, or not measured and why.
 *
 * A failure that nothing confirmed, and a success beside which something was wrong, are suspect: they are measured, but
 * their evidence does not carry an accusation.
 *
 * Invariant: an exit whose DNS was not measured is neither sound nor failing.
 *
 * Sources: docs/formats/exits.md (statuses and flags).
 */
import { assertNever } from '../core/assert.ts'
import type { ExitFlag, ExitResult } from '../model/exit-result.ts'

/** Six groups that add up to all candidates; the first three add up to those that were measured. */
export type ExitStanding = 'sound' | 'suspect' | 'failing' | 'unreachable' | 'not_judged' | 'not_tested'

const SUCCESS_DOUBTS: ReadonlySet<ExitFlag> = new Set(['inconsistent', 'decoy_mismatch'])
const FAILURE_DOUBTS: ReadonlySet<ExitFlag> = new Set(['unconfirmed', 'unsure', 'suspected', 'weak_evidence'])

/** Says which group a relay of a run belongs to. */
export function exitStanding({ status, flags }: Pick<ExitResult, 'status' | 'flags'>): ExitStanding {
  switch (status) {
    case 'success':
      return flags.some((flag) => SUCCESS_DOUBTS.has(flag)) ? 'suspect' : 'sound'
    case 'wrong_ip':
    case 'dns_fail':
    case 'timeout':
      return flags.some((flag) => FAILURE_DOUBTS.has(flag)) ? 'suspect' : 'failing'
    case 'circuit_fail':
      return 'unreachable'
    case 'error':
    case 'exception':
      return 'not_judged'
    case 'not_tested':
      return 'not_tested'
    default:
      return assertNever(status)
  }
}
