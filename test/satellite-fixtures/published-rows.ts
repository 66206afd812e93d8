/**
 * Real published rows, where a machine has them: `CANDOR_SATELLITE_ROWS` names their directory, or a directory
 * `shared/fixtures/satellite` stands beside a directory above the project. They are no part of it.
 */
import { existsSync, readFileSync, readdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { HOME } from '../tidy/source-tree.ts'

/** Where they are; `undefined` on a machine without them. */
export const PUBLISHED_ROWS: string | undefined = findDirectory()

/** What a skipped test is called, so that a reader knows what to bring. */
export const WHERE_ROWS_ARE: string =
  PUBLISHED_ROWS === undefined ? ' (skipped: no real rows here, CANDOR_SATELLITE_ROWS names none)' : ''

/** The records of one file. */
export function readRecords(path: string): readonly Readonly<Record<string, unknown>>[] {
  return readFileSync(join(PUBLISHED_ROWS ?? '', path), 'utf8')
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map((line) => JSON.parse(line) as Readonly<Record<string, unknown>>)
}

/** The files of one flavour whose rows are pairs. */
export function listPairFiles(flavour: string): readonly string[] {
  return readdirSync(join(PUBLISHED_ROWS ?? '', flavour))
    .filter((name) => /^(?:answers|interference|responses|results)/.test(name))
    .map((name) => `${flavour}/${name}`)
}

function findDirectory(): string | undefined {
  const given = process.env['CANDOR_SATELLITE_ROWS']
  if (given !== undefined) return given
  for (let directory = HOME; directory !== dirname(directory); directory = dirname(directory)) {
    const candidate = join(directory, 'shared/fixtures/satellite')
    if (existsSync(candidate)) return candidate
  }
  return undefined
}
