/**
 * Which resolvers are asked: six of the list, of three operators at least, exchanged only when others are clearly better.
 *
 * Invariant: a swap needs three benchmarks in a row; a resolver that fell out comes back the same way.
 *
 * Specification: docs/detectors/domain-resolver.md
 */

const ACTIVE = 6
const OPERATORS_MIN = 3
const BETTER = 1.15
const WINS_WANTED = 3

/** A resolver as the choice sees it. */
export interface RankedResolver {
  readonly name: string
  readonly operator: string
  /** 0 to 100. */
  readonly score: number
}

/** What is remembered between benchmarks. */
export interface ActiveSet {
  /** Names, best first when they were chosen. */
  readonly active: readonly string[]
  /** Benchmarks in a row that somebody on the bench won, by name. */
  readonly wins: Readonly<Record<string, number>>
}

/** The first set: the best of each operator, then the best of all, six in the end. */
export function chooseActiveSet(resolvers: readonly RankedResolver[]): ActiveSet {
  const ranked = resolvers.toSorted((a, b) => b.score - a.score)
  const chosen: RankedResolver[] = []
  for (const each of ranked) {
    const isNew = chosen.every(({ operator }) => operator !== each.operator)
    if (isNew && chosen.length < OPERATORS_MIN) chosen.push(each)
  }
  for (const each of ranked) if (chosen.length < ACTIVE && !chosen.includes(each)) chosen.push(each)
  return { active: chosen.map(({ name }) => name), wins: {} }
}

/** The set after a benchmark of all resolvers of the list. */
export function updateActiveSet(before: ActiveSet, resolvers: readonly RankedResolver[]): ActiveSet {
  const known = new Map(resolvers.map((each) => [each.name, each]))
  const active = before.active.filter((name) => known.has(name))
  if (active.length < Math.min(ACTIVE, resolvers.length)) return refill(active, resolvers)
  const bench = resolvers.filter(({ name }) => !active.includes(name)).toSorted((a, b) => b.score - a.score)
  const wins: Record<string, number> = {}
  let result = active
  for (const challenger of bench) {
    const loser = findLoser(result, known, challenger)
    if (loser === undefined) continue
    const won = (before.wins[challenger.name] ?? 0) + 1
    if (won < WINS_WANTED) wins[challenger.name] = won
    else result = result.map((name) => (name === loser.name ? challenger.name : name))
  }
  return { active: result, wins }
}

/** The worst member that the challenger beats clearly and whose operator may leave. */
function findLoser(
  active: readonly string[],
  known: ReadonlyMap<string, RankedResolver>,
  challenger: RankedResolver,
): RankedResolver | undefined {
  const members = active.flatMap((name) => known.get(name) ?? []).toSorted((a, b) => a.score - b.score)
  const wanted = Math.min(OPERATORS_MIN, new Set(members.map(({ operator }) => operator)).size)
  return members.find((member) => {
    const left = [...members.filter((each) => each !== member), challenger]
    return challenger.score >= member.score * BETTER && new Set(left.map(({ operator }) => operator)).size >= wanted
  })
}

function refill(active: readonly string[], resolvers: readonly RankedResolver[]): ActiveSet {
  const kept = resolvers.filter(({ name }) => active.includes(name))
  const ranked = resolvers.filter(({ name }) => !active.includes(name)).toSorted((a, b) => b.score - a.score)
  const chosen = [...kept]
  while (chosen.length < ACTIVE) {
    const operators = new Set(chosen.map(({ operator }) => operator))
    const isWanted = (each: RankedResolver): boolean =>
      !chosen.includes(each) && (operators.size >= OPERATORS_MIN || !operators.has(each.operator))
    const next = ranked.find(isWanted) ?? ranked.find((each) => !chosen.includes(each))
    if (next === undefined) break
    chosen.push(next)
  }
  return { active: chosen.map(({ name }) => name), wins: {} }
}
