/** Work on a list, a bounded number of items at a time. */

/**
 * Applies `work` to each item, at most `atOnce` at a time, started in order.
 *
 * @returns The results in the order of the items. The first rejection is passed on; work in flight goes on then.
 */
export async function mapBounded<T, R>(
  items: readonly T[],
  atOnce: number,
  work: (item: T, index: number) => Promise<R>,
): Promise<R[]> {
  const results: R[] = []
  const rest = items.entries()
  const lane = async (): Promise<void> => {
    for (const [index, item] of rest) results[index] = await work(item, index)
  }
  await Promise.all(Array.from({ length: Math.min(atOnce, items.length) }, lane))
  return results
}
