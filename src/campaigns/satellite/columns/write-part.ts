/** Writes one part of an import: its blocks as they come, its dictionaries at the end. */
import type { Files } from '../../../core/files.ts'
import type { ScanFileKind } from '../scan-file-names.ts'
import { dictionaryPath, partPath } from './columns-manifest.ts'
import { PartImporter, type ImportedLines } from './import-part.ts'
import { DICTIONARY_NAMES } from './part-dictionaries.ts'

const MODE = 0o644

/** What some lines gave, and where their block is. */
export type WrittenLines = Omit<ImportedLines, 'block'> & {
  readonly part: number
  readonly offset: number
}

/** A part while it is written. */
export interface PartWriter {
  /** Takes whole lines of a file of a kind. @throws {FileError} */
  take(kind: ScanFileKind, octets: Uint8Array): Promise<WrittenLines>
  /** Waits until everything is on the disk. @throws {FileError} */
  close(): Promise<void>
}

/** @throws {FileError} */
export async function openPartWriter(files: Files, directory: string, part: number): Promise<PartWriter> {
  const importer = new PartImporter()
  const file = await files.openAppend(partPath(directory, part), MODE)
  return {
    take: async (kind, octets) => {
      const { block, ...taken } = importer.take(kind, octets)
      const offset = file.sizeOctets
      await file.append(block)
      return { ...taken, part, offset }
    },
    close: async () => {
      await file.sync()
      await file.close()
      for (const name of DICTIONARY_NAMES) {
        const content = importer.dictionaries.tables[name].toLines()
        await files.writeAtomic(dictionaryPath(directory, part, name), content, MODE)
      }
    },
  }
}
