/**
 * Correction for many tests at once: of what is called significant at q, at most the share q is expected to be chance.
 *
 * **Sources**: Y. Benjamini, Y. Hochberg, "Controlling the False Discovery Rate" (1995).
 */

/** The q value of each test, in the order given: the smallest rate of false discoveries at which it would be called one. */
export function correctBenjaminiHochberg(pValues: readonly number[]): readonly number[] {
  const count = pValues.length
  const order = pValues.map((_p, index) => index).toSorted((a, b) => (pValues[b] ?? 0) - (pValues[a] ?? 0))
  const corrected = Array.from<number>({ length: count }).fill(1)
  let smallest = 1
  for (const [place, index] of order.entries()) {
    smallest = Math.min(smallest, ((pValues[index] ?? 0) * count) / (count - place))
    corrected[index] = smallest
  }
  return corrected
}
