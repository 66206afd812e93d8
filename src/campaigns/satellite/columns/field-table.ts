/** Names that are looked for in octets, each under its place in a list. */
import { InternTable } from './intern-table.ts'
import { HASH_START, mixHash, type OctetCursor } from './octet-cursor.ts'

/** @param texts - ASCII; the number of each is its place. */
export function createFieldTable(texts: readonly string[]): InternTable {
  const table = new InternTable(texts.length)
  for (const text of texts) {
    const octets = new TextEncoder().encode(text)
    let hash = HASH_START
    for (const octet of octets) hash = mixHash(hash, octet)
    table.add(octets, 0, octets.length, hash)
  }
  return table
}

/** Number of the text that was taken last. @returns −1 when the table does not have it. */
export function lookUp(table: InternTable, { octets, from, to, hash }: OctetCursor): number {
  return table.find(octets, from, to, hash)
}
