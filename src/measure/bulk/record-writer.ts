/** What turns a finished query into a record: the port; one file per format implements it. */
import type { BulkSlots } from './bulk-slots.ts'
import type { OctetText } from './octet-text.ts'

/** How an answer can come; the binary log has the place in this list plus one. */
export const BULK_PROTOCOLS = ['UDP', 'TCP', 'TLS', 'HTTPS'] as const
/** How an answer came. */
export type BulkProtocol = (typeof BULK_PROTOCOLS)[number]

/** Writes records of one format. */
export interface RecordWriter {
  /** Where the records are written; whoever owns it takes them out. */
  readonly text: OctetText
  /**
   * Writes the record of a query that was answered.
   *
   * @param at - Where the message lies in `octets`. Its header and question have been compared with the query.
   * @param atMs - When it arrived.
   * @returns The RCODE; −1 when the message is malformed behind the question, and nothing was written.
   */
  answered(
    slots: BulkSlots,
    slot: number,
    octets: Uint8Array,
    at: number,
    sizeOctets: number,
    atMs: number,
    protocol: BulkProtocol,
  ): number
  /** Writes the record of a query that nobody answered. */
  unanswered(slots: BulkSlots, slot: number, atMs: number): void
}
