/** An import as the scan that it was made of: the same files, in the same order, with equal lines. */
import { joinPath, type Files } from '../../../core/files.ts'
import type { ScanFile } from '../read-scan.ts'
import { MANIFEST_FILE } from './columns-manifest.ts'
import { formatColumnRow, type PartTexts } from './format-column-row.ts'
import { openColumns, type ImportedColumns } from './read-columns.ts'
import { BlockWalk } from './walk-block.ts'

/** Whether a directory is an import. @throws {FileError} */
export async function isImported(files: Files, path: string): Promise<boolean> {
  if ((await files.info(path))?.kind !== 'directory') return false
  return (await files.info(joinPath(path, MANIFEST_FILE)))?.kind === 'file'
}

/** Opens its files, one after the other. @throws {RunError | FileError} When it is damaged. */
export async function* openImported(files: Files, directory: string): AsyncGenerator<ScanFile> {
  const columns = await openColumns(files, directory)
  for (const [at, { path, kind }] of columns.manifest.files.entries())
    yield { path, kind, chunks: readFile(columns, at) }
}

async function* readFile(columns: ImportedColumns, file: number): AsyncGenerator<Uint8Array> {
  const encoder = new TextEncoder()
  for (const place of columns.manifest.blocks) {
    if (place.file !== file) continue
    const block = await columns.read(place)
    const texts = columns.parts[place.part] as PartTexts
    const lines: string[] = []
    for (const walk = new BlockWalk(); walk.row < block.counts.row; walk.pass(block))
      lines.push(formatColumnRow(block, texts, walk))
    yield encoder.encode(`${lines.join('\n')}\n`)
  }
}
