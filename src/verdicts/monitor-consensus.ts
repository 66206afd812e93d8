/**
 * What most resolvers say. A tie is a tie: the order in which resolvers are listed or answer decides nothing.
 *
 * **Invariant**: pure; a resolver that failed has no vote, and NXDOMAIN and NODATA are votes of their own.
 */
import type { ResolverAnswer } from '../model/monitor-round.ts'

/** What the resolvers agree on. */
export type MonitorConsensus =
  | { readonly kind: 'agreed'; readonly votes: number; readonly of: number; readonly answer: string }
  | { readonly kind: 'tie'; readonly of: number; readonly answers: readonly string[] }
  | { readonly kind: 'none' }

/** One text for what a resolver said: its values, or what kind of nothing. */
export function formatAnswer(answer: ResolverAnswer): string {
  return answer.outcome === 'answer' ? answer.units.map(({ text }) => text).join(', ') : answer.outcome.toUpperCase()
}

/** Counts the votes. `none` when no resolver answered. */
export function findConsensus(answers: readonly ResolverAnswer[]): MonitorConsensus {
  const votes = new Map<string, number>()
  for (const answer of answers) {
    if (answer.outcome === 'servfail' || answer.outcome === 'failure') continue
    const text = formatAnswer(answer)
    votes.set(text, (votes.get(text) ?? 0) + 1)
  }
  const most = Math.max(0, ...votes.values())
  const of = [...votes.values()].reduce((sum, count) => sum + count, 0)
  const leaders = [...votes].filter(([, count]) => count === most).map(([text]) => text)
  const [answer] = leaders
  if (answer === undefined) return { kind: 'none' }
  return leaders.length === 1
    ? { kind: 'agreed', votes: most, of, answer }
    : { kind: 'tie', of, answers: leaders.toSorted() }
}
