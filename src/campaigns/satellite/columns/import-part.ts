/**
 * Takes whole lines of a file of a scan into one block of columns: usual rows octet by octet, the rest by the slow reader.
 *
 * **Invariant**: a line is in the block or among those put aside, never both; the block says nothing but what the slow
 * reader would read.
 */
import type { SatelliteFlavour } from '../../../model/satellite-row.ts'
import { LINE_OCTETS_MAX, readScanLine, TOO_LONG } from '../read-scan.ts'
import { isRole, type ScanFileKind } from '../scan-file-names.ts'
import { BlockBuilder, HEAD, type BlockCounts } from './column-block.ts'
import { PartDictionaries } from './part-dictionaries.ts'
import { RowScanner } from './row-scanner.ts'

const NEWLINE = 0x0a

/** What some lines gave. */
export interface ImportedLines {
  /** How many lines there were, empty ones included. */
  readonly lines: number
  readonly rows: number
  readonly flavours: readonly SatelliteFlavour[]
  /** Line 1 is the first of these lines. */
  readonly quarantined: readonly { readonly line: number; readonly reason: string }[]
  readonly counts: BlockCounts
  readonly block: Uint8Array<ArrayBuffer>
}

/** Imports the blocks of one part. */
export class PartImporter {
  readonly dictionaries: PartDictionaries = new PartDictionaries()
  readonly #block = new BlockBuilder()
  readonly #scanner = new RowScanner(this.dictionaries, this.#block)
  readonly #decoder = new TextDecoder()

  /** Takes the lines of a file of this kind; the last one needs no line feed. */
  take(kind: ScanFileKind, octets: Uint8Array): ImportedLines {
    const flavours = new Set<SatelliteFlavour>()
    const quarantined: { line: number; reason: string }[] = []
    const isPairs = isRole(kind)
    this.#block.clear()
    let lines = 0
    for (let from = 0; from < octets.length;) {
      const newline = octets.indexOf(NEWLINE, from)
      const to = newline === -1 ? octets.length : newline
      lines++
      if (isPairs && to - from <= LINE_OCTETS_MAX && this.#scanner.scan(octets, from, to)) {
        flavours.add(this.#flavourOfLast())
      } else {
        const reason = this.#takeSlowly(kind, octets, from, to, flavours)
        if (reason !== undefined) quarantined.push({ line: lines, reason })
      }
      from = to + 1
    }
    const counts = this.#block.counts()
    return { lines, rows: counts.row, flavours: [...flavours], quarantined, counts, block: this.#block.encode() }
  }

  /** @returns Why the line is put aside. */
  #takeSlowly(
    kind: ScanFileKind,
    octets: Uint8Array,
    from: number,
    to: number,
    flavours: Set<SatelliteFlavour>,
  ): string | undefined {
    if (to - from > LINE_OCTETS_MAX) return TOO_LONG
    const text = this.#decoder.decode(octets.subarray(from, to))
    if (text.trim() === '') return undefined
    const content = readScanLine(kind, text)
    if (content.type === 'malformed') return content.reason
    if (content.type === 'row') flavours.add(content.row.flavour)
    this.#block.addOdd(octets, from, to)
    return undefined
  }

  /** As {@link tellFlavour} tells it, out of the columns. */
  #flavourOfLast(): SatelliteFlavour {
    const { head, name, trials, trialName, rcode } = this.#block.columns
    const last = head.length - 1
    if (((head.values[last] as number) & HEAD.passed_control) === 0) return 'v2.2'
    const domain = name.values[last]
    const end = trialName.length
    if ((trials.values[last] as number) < 3 || trialName.values[end - 1] === domain) return 'v2.1'
    for (let at = end - 1; at >= end - (trials.values[last] as number); at--)
      if (trialName.values[at] === domain) return rcode.values[at] === 32_767 ? 'v2.1' : 'v2.0'
    return 'v2.1'
  }
}
