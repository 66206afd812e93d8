/**
 * The upper tail of the binomial distribution, exactly.
 *
 * **Invariant**: no approximation but that of floating point; the sum has at most `total` terms.
 */

/** Chance of `hits` or more among `total` tries that each succeed with the chance `share`; 0 to 1. */
export function binomialTail(hits: number, total: number, share: number): number {
  if (hits <= 0) return 1
  if (share <= 0) return 0
  if (share >= 1) return 1
  // The term of `hits`, by logarithms; each further one follows from that before it.
  let logTerm = hits * Math.log(share) + (total - hits) * Math.log1p(-share)
  for (let index = 1; index <= hits; index++) logTerm += Math.log(total - hits + index) - Math.log(index)
  let term = Math.exp(logTerm)
  let sum = term
  const odds = share / (1 - share)
  for (let count = hits; count < total; count++) {
    term *= ((total - count) / (count + 1)) * odds
    sum += term
  }
  return Math.min(1, sum)
}
