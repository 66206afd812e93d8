/** Reads one table of a configuration file: each mistake is told with its line and the right form. */
import { ConfigError } from '../core/config-error.ts'
import { findNearestName } from '../core/nearest-name.ts'

/** Where a table and its keys stand: lines from 1. */
export interface TablePlace {
  readonly line: number
  readonly keys: ReadonlyMap<string, number>
}

/** Reads keys of a table. Every method throws a ConfigError when the value has another shape. */
export interface TableReader {
  /** A text that is not empty. `undefined` when there is none and none is needed. */
  text(key: string, form: string): string | undefined
  required(key: string, form: string): string
  /** One text or several. */
  texts(key: string, form: string): readonly string[]
  /** A whole number without quotes within bounds. `undefined` when there is none. */
  integer(key: string, min: number, max: number): number | undefined
  /** Says what is wrong with a key. */
  fail(key: string, message: string, form: string): ConfigError
}

/** Finds the tables `[[domains]]` of a TOML text in their order; `''` is what stands before the first. */
export function findTablePlaces(text: string): ReadonlyMap<string, readonly TablePlace[]> {
  const found = new Map<string, { line: number; keys: Map<string, number> }[]>([['', [{ line: 1, keys: new Map() }]]])
  let current = found.get('')?.[0]
  for (const [index, line] of text.split('\n').entries()) {
    const table = /^\s*\[\[?\s*([\w.-]+)\s*\]\]?/.exec(line)?.[1]
    const key = /^\s*"?([\w-]+)"?\s*=/.exec(line)?.[1]
    if (table !== undefined) {
      current = { line: index + 1, keys: new Map() }
      found.set(table, [...(found.get(table) ?? []), current])
    } else if (key !== undefined && current?.keys.has(key) === false) current.keys.set(key, index + 1)
  }
  return found
}

/**
 * Reads a table.
 *
 * @param keys - Those that it may have.
 * @throws {ConfigError} When it is no table, or has another key.
 */
export function createTableReader(
  file: string,
  place: TablePlace | undefined,
  value: unknown,
  keys: readonly string[],
): TableReader {
  const at = (key: string): string => {
    const line = place?.keys.get(key) ?? place?.line
    return line === undefined ? file : `${file}:${line}`
  }
  const fail = (key: string, message: string, form: string): ConfigError => new ConfigError(at(key), message, form)
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw fail('', 'this is no table', `keys with values: ${keys.join(', ')}`)
  const table = value as Readonly<Record<string, unknown>>
  for (const key of Object.keys(table)) {
    if (keys.includes(key)) continue
    const near = findNearestName(key, keys)
    throw fail(
      key,
      `there is no key "${key.slice(0, 80)}" here`,
      near === undefined ? `keys: ${keys.join(', ')}` : `${near} = …`,
    )
  }
  const text = (key: string, form: string): string | undefined => {
    const found = table[key]
    if (found === undefined) return undefined
    if (typeof found === 'string' && found.trim() !== '') return found
    throw fail(key, `"${key}" is a text in quotes that is not empty`, form)
  }
  return {
    text,
    required: (key, form) => {
      const found = text(key, form)
      if (found === undefined) throw fail(key, `"${key}" is missing`, form)
      return found
    },
    texts: (key, form) => {
      const found = table[key]
      if (found === undefined) return []
      const list: readonly unknown[] = Array.isArray(found) ? (found as readonly unknown[]) : [found]
      if (list.length > 0 && list.every((each) => typeof each === 'string' && each.trim() !== ''))
        return list as readonly string[]
      throw fail(key, `"${key}" is a text in quotes, or a list of them`, form)
    },
    integer: (key, min, max) => {
      const found = table[key]
      if (found === undefined) return undefined
      if (typeof found === 'number' && Number.isInteger(found) && found >= min && found <= max) return found
      throw fail(key, `"${key}" is a whole number from ${min} to ${max}, without quotes`, `${key} = ${min}`)
    },
    fail,
  }
}
