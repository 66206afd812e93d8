/**
 * Adds runs to the archive, one transaction after the other.
 *
 * **Invariant**: what was acknowledged is on the disk; what was not is not there at all. Other work gets a turn every few
 * milliseconds, also inside a transaction: nobody else writes on this connection meanwhile.
 */
import { setImmediate } from 'node:timers/promises'
import type { DatabaseSync } from 'node:sqlite'
import type { KeptEvidence } from '../model/exit-archive.ts'
import type { ExitReport } from '../model/exit-result.ts'
import { archiveError } from './archive-database.node.ts'
import { createArchiveWriter } from './archive-writer.node.ts'
import { packEvidence } from './pack-evidence.node.ts'
import { beginWriting, takeTurn } from './write-turns.node.ts'

/** A run, and how much of its evidence is kept. */
export interface RunEntry {
  readonly report: ExitReport
  readonly evidence: KeptEvidence
}

/** Adds runs. */
export interface Appender {
  /** Adds runs in one transaction, after whatever is being added already. @throws {RunError} */
  append(entries: readonly RunEntry[]): Promise<void>
  /** Waits until nothing is being written. */
  settled(): Promise<void>
}

/**
 * Makes the appender of an archive.
 *
 * @param path - Of the database.
 * @param database - The connection that writes.
 */
export function createAppender(path: string, database: DatabaseSync): Appender {
  const writer = createArchiveWriter(database)
  const append = async (entries: readonly RunEntry[]): Promise<void> => {
    const runs = []
    for (const { report, evidence } of entries) {
      // One run at a time in memory.
      runs.push({ report, evidence, blocks: await packEvidence(report, evidence), origin: 'report' as const })
    }
    try {
      await beginWriting(database)
      for (const run of runs) {
        const work = writer.add(run)
        // A long transaction that gives others a turn.
        while (work.next().done !== true) await setImmediate()
      }
      database.exec('COMMIT')
    } catch (cause) {
      if (database.isTransaction) database.exec('ROLLBACK')
      writer.forget()
      throw archiveError('the run could not be added to the archive', cause)
    }
  }
  return {
    append: (entries) => takeTurn(path, () => append(entries)),
    settled: () => takeTurn(path, () => Promise.resolve()),
  }
}
