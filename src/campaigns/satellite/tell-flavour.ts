/**
 * Tells the flavour of a row by its shape, never by a date or a name of a file.
 *
 * **Invariant**: pure. Where v2.0 and v2.1 look the same (nothing was asked), the answer is v2.1, and both are written
 * alike.
 */
import type { JsonFields, SatelliteFlavour } from '../../model/satellite-row.ts'
import { isFields } from './row-fields.ts'

/** Test queries of one pair, at most. */
const TEST_ATTEMPTS_MAX = 4

/** @returns `undefined` for a row that is no measurement of a pair. */
export function tellFlavour(row: JsonFields): SatelliteFlavour | undefined {
  if ('query' in row && ('resolver' in row || 'ip' in row)) return 'v1'
  if (!('test_url' in row && 'vp' in row)) return undefined
  const response = row['response']
  if (Array.isArray(response)) {
    if ('class' in row || 'resolver_info' in row) return 'v2.3'
    if ('passed_control' in row) return hasControlAtBothEnds(response, row['test_url']) ? 'v2.0' : 'v2.1'
    return 'v2.2'
  }
  if (!isFields(response)) return undefined
  return !('error' in response) && countsControls(response['rcode']) ? 'v2.0' : 'v2.1'
}

/** v2.1 lists test queries: connection errors, then at most one other code. Whatever else counts the controls as well. */
function countsControls(rcodes: unknown): boolean {
  if (!Array.isArray(rcodes)) return false
  if (rcodes.length > TEST_ATTEMPTS_MAX) return true
  return rcodes.slice(0, -1).some((rcode) => Number(rcode) !== -1)
}

/** v2.0 asks the control name after the test whatever came; v2.1 only after four failures. */
function hasControlAtBothEnds(trials: readonly unknown[], domain: unknown): boolean {
  const isTest = (trial: unknown): boolean => isFields(trial) && trial['url'] === domain
  const tests = trials.filter(isTest)
  if (trials.length < 3 || isTest(trials.at(-1))) return false
  const last = tests.at(-1)
  return isFields(last) && last['rcode'] !== -1
}
