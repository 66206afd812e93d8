/** Finds the name that somebody probably meant. */

/** More mistakes than this are another word. */
const DISTANCE_MAX = 3

/**
 * The known name that is fewest single-letter changes away from what was typed.
 *
 * @returns `undefined` when none is near: at most three changes, and less than half of the letters.
 */
export function findNearestName(typed: string, known: readonly string[]): string | undefined {
  let best: string | undefined
  let bestDistance = Math.min(DISTANCE_MAX, Math.ceil(typed.length / 2)) + 1
  for (const name of known) {
    const distance = editDistance(typed.toLowerCase().slice(0, 64), name.toLowerCase())
    if (distance < bestDistance) [best, bestDistance] = [name, distance]
  }
  return best
}

/** Levenshtein's distance. */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index)
  for (let i = 0; i < a.length; i++) {
    const next = [i + 1]
    for (let j = 0; j < b.length; j++)
      next.push(Math.min((row[j] ?? 0) + (a[i] === b[j] ? 0 : 1), (row[j + 1] ?? 0) + 1, (next[j] ?? 0) + 1))
    row = next
  }
  return row[b.length] ?? 0
}
