/** Reads a TOML file into tables and keys, and remembers on which line each key stands. */
import { parse, TomlDate, TomlError } from 'smol-toml'
import { ConfigError } from '../core/config-error.ts'

/** A value of a configuration file and where it stands. */
export interface FileValue {
  readonly value: unknown
  /** `candor.toml:12`. */
  readonly place: string
}

/** A configuration file: `table.key` → value; keys at the top have no table in front. */
export type FileValues = ReadonlyMap<string, FileValue>

/**
 * Parses the text of a configuration file.
 *
 * @throws {ConfigError} When the text is no TOML, with the line.
 */
export function parseConfigFile(path: string, text: string): FileValues {
  const lines = findKeyLines(text)
  const values = new Map<string, FileValue>()
  const add = (key: string, value: unknown): void => {
    const line = lines.get(key)
    values.set(key, { value, place: line === undefined ? path : `${path}:${line}` })
  }
  for (const [key, value] of Object.entries(parseToml(path, text))) {
    if (!isTable(value)) add(key, value)
    else for (const [inner, innerValue] of Object.entries(value)) add(`${key}.${inner}`, innerValue)
  }
  return values
}

function parseToml(path: string, text: string): Readonly<Record<string, unknown>> {
  try {
    return parse(text)
  } catch (error) {
    if (!(error instanceof TomlError)) throw error
    const reason = error.message.split('\n')[0]?.replace(/^Invalid TOML document: /, '') ?? ''
    throw new ConfigError(
      `${path}:${error.line}`,
      `${reason} (column ${error.column})`,
      'write TOML: `[exits]` for a table, `domain = "zone.example"` for a key',
      { cause: error },
    )
  }
}

function isTable(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof TomlDate)
}

/** Bare keys only: a key in quotes is found by its table's file alone. */
function findKeyLines(text: string): ReadonlyMap<string, number> {
  const found = new Map<string, number>()
  let table = ''
  for (const [index, line] of text.split('\n').entries()) {
    const header = /^\s*\[\s*([\w-]+)\s*\]/.exec(line)?.[1]
    const tables = /^\s*\[\[\s*([\w.-]+)\s*\]\]/.exec(line)?.[1]
    const key = /^\s*([\w.-]+)\s*=/.exec(line)?.[1]
    if (header !== undefined) table = header
    else if (tables !== undefined) {
      table = tables
      if (!found.has(tables)) found.set(tables, index + 1)
    } else if (key !== undefined) {
      const full = table === '' ? key : `${table}.${key}`
      if (!found.has(full)) found.set(full, index + 1)
    }
  }
  return found
}
