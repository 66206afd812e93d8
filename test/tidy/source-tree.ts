/** The source files as text, and what they import: what every tidy rule looks at. */
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'

/** A file of the project: path from the top of the project with `/`, and its text. */
export interface SourceFile {
  readonly path: string
  readonly text: string
}

/** The top of the project. */
export const HOME: string = join(import.meta.dirname, '../..')

/** All files under a directory of the project whose names end in one of `endings`. */
export function readTree(directory: string, endings: readonly string[]): readonly SourceFile[] {
  return readdirSync(join(HOME, directory), { recursive: true, encoding: 'utf8' })
    .map((name) => `${directory}/${name.replaceAll('\\', '/')}`)
    .filter((path) => endings.some((ending) => path.endsWith(ending)))
    .toSorted()
    .map((path) => ({ path, text: readText(path) }))
}

/** The text of one file of the project. */
export function readText(path: string): string {
  return readFileSync(join(HOME, path), 'utf8')
}

/** Whether a file is a test: those may import anything and need no header. */
export function isTest(file: SourceFile): boolean {
  return file.path.endsWith('.test.ts')
}

/** Specifiers of all imports and re-exports, type imports, dynamic imports and `new URL('./x.ts', …)` included. */
export function listSpecifiers(text: string): readonly string[] {
  const patterns = [
    /^(?:import|export)\s+(?:type\s+)?[\w*{][^'"();=]*?\s*from\s*'([^']+)'/gm,
    /^import\s+'([^']+)'/gm,
    /\bimport\(\s*'([^']+)'\s*\)/g,
    /\bnew URL\(\s*'(\.{1,2}\/[^']+\.ts)'/g,
  ]
  return patterns.flatMap((pattern) => [...text.matchAll(pattern)].map((match) => match[1] ?? ''))
}

/** Paths of the files of this project that a file imports. */
export function listImports(file: SourceFile): readonly string[] {
  return listSpecifiers(file.text)
    .filter((specifier) => specifier.startsWith('.'))
    .map((specifier) => normalize(join(dirname(file.path), specifier)))
}

/** The room of a source file: `core`, or `campaigns/exits` for the campaigns, which are a room each. */
export function roomOf(path: string): string {
  const [, first = '', second = ''] = path.split('/')
  return first === 'campaigns' ? `${first}/${second}` : first
}
