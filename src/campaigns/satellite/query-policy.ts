/**
 * Which query of a pair comes next, after what came of those before.
 *
 * - v2.2: the control name; if it has an address, the name of the pair, up to four times while the connection fails; the
 *   control name again if all four failed.
 * - v2.0: the control name; the name of the pair, up to four times until it has an address; the control name again, always.
 *
 * **Invariant**: pure; at most six queries.
 */

/** What is measured. */
export type MeasuringPolicy = 'v2.0' | 'v2.2'

/** How a pair is measured: `unanswered` where nobody should answer, so that nobody is asked for a control name. */
export type PairPolicy = MeasuringPolicy | 'unanswered'

/** What came of a query. */
export interface QueryOutcome {
  readonly purpose: 'control' | 'test'
  readonly hasTypeA: boolean
  /** −1 for a connection error. */
  readonly rcode: number
}

const TESTS_MAX = 4

/** @param done - In their order. @returns `undefined` when the pair is done. */
export function nextQuery(policy: PairPolicy, done: readonly QueryOutcome[]): 'control' | 'test' | undefined {
  const [first] = done
  if (policy === 'unanswered')
    return done.length < TESTS_MAX && done.every(({ rcode }) => rcode === -1) ? 'test' : undefined
  if (first === undefined) return 'control'
  const tests = done.filter(({ purpose }) => purpose === 'test')
  const last = tests.at(-1)
  const isControlledAgain = done.length > tests.length + 1
  if (isControlledAgain) return undefined
  if (policy === 'v2.0') {
    const isSettled = last?.hasTypeA === true || tests.length === TESTS_MAX
    return isSettled ? 'control' : 'test'
  }
  if (!first.hasTypeA) return undefined
  if (last === undefined) return 'test'
  if (last.rcode !== -1) return undefined
  return tests.length < TESTS_MAX ? 'test' : 'control'
}
