/**
 * Packets beside the rows that they belong to: both files have the same order, so both are read in step.
 *
 * **Invariant**: one line in memory. Packets of a pair without a row are left over, and counted.
 */
import type { SatelliteQueryPackets } from '../../model/satellite-evidence.ts'
import type { SatelliteRow } from '../../model/satellite-row.ts'
import { readPackets, type PairPackets } from './read-evidence.ts'
import { readScanFile, type ScanFile } from './read-scan.ts'

/** Finds the packets of one row after the other. */
export interface PacketJoin {
  /** All queries of the row that packets were kept of; none for a row that has no line. */
  take(row: SatelliteRow): Promise<readonly SatelliteQueryPackets[]>
  /** Stops reading. @returns How many lines belonged to no row that was asked for. */
  close(): Promise<number>
}

/** Opens the lines of all `packets.json`, in the order of the files. */
export function openPacketJoin(files: AsyncIterable<ScanFile | { readonly problem: string }>): PacketJoin {
  const lines = readLines(files)
  let next: PairPackets | undefined
  let isBegun = false
  const advance = async (): Promise<void> => {
    const result = await lines.next()
    next = result.done === true ? undefined : result.value
  }
  return {
    take: async ({ resolver, domain }) => {
      if (!isBegun) await advance()
      isBegun = true
      if (next?.resolver !== resolver || next.domain !== domain) return []
      const { queries } = next
      await advance()
      return queries
    },
    close: async () => {
      let left = isBegun && next !== undefined ? 1 : 0
      if (isBegun) for await (const line of lines) left += line === undefined ? 0 : 1
      await lines.return(undefined)
      return left
    },
  }
}

async function* readLines(
  files: AsyncIterable<ScanFile | { readonly problem: string }>,
): AsyncGenerator<PairPackets, undefined> {
  for await (const file of files) {
    if ('problem' in file || file.kind !== 'packets') continue
    for await (const record of readScanFile(file)) {
      const packets = record.type === 'record' ? readPackets(record.fields) : undefined
      if (packets !== undefined) yield packets
    }
  }
}
