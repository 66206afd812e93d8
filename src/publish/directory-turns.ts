/**
 * Turns at the lists of a directory of publication, within one process.
 *
 * A daemon may finish a run while its retention goes on. Each makes the lists from the directory; the one that looked
 * first must not write last. Between processes the lock of the data directory sees to it.
 */

/** Directory → what was begun last there. Entries go when nobody waits. */
const turns = new Map<string, Promise<unknown>>()

/** Does `work` when everything that was begun earlier for the directory has ended. @returns What it gives. */
export async function inTurn<T>(directory: string, work: () => Promise<T>): Promise<T> {
  const before = turns.get(directory) ?? Promise.resolve()
  const mine = before.then(work, work)
  turns.set(directory, mine)
  try {
    return await mine
  } finally {
    if (turns.get(directory) === mine) turns.delete(directory)
  }
}
