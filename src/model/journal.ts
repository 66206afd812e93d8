/**
 * The journal of a run: append-only JSON Lines, synced in batches, read back after a kill. The port; `store/` has the
 * file.
 *
 * Format: docs/formats/journal.md
 */
import type { Json } from '../core/log.ts'

/** A line of a journal: an object with its kind. */
export interface JournalEntry {
  readonly kind: string
  readonly [key: string]: Json
}

/** An open journal. */
export interface Journal {
  /**
   * Appends an entry. Entries of one batch share an fsync.
   *
   * @returns When the entry is on the disk: only then is it acknowledged.
   * @throws {FileError} When the disk is full or gone; nothing of the entry counts then.
   */
  append(entry: JournalEntry): Promise<void>
  /** Waits until everything is on the disk, then closes. */
  close(): Promise<void>
}
