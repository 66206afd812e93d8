/**
 * Names from files that people have already: a CSV with a heading, or a zone file.
 *
 * **Invariant**: a line that cannot be used is an error with its number; nothing is left out silently, but records of types
 * that cannot be watched.
 */
import { ConfigError } from '../core/config-error.ts'
import { MONITOR_TYPES } from '../model/monitor-name.ts'

/** A name as it stands in `dns-monitor.toml`. */
export interface ImportedName {
  readonly name: string
  readonly domain: string
  readonly types: readonly string[]
  readonly category: string
}

const CSV_FORM = 'name,domain,record_type,category as the first line, and values without quotes below'

/** Reads a CSV with the columns of the four keys; `domain` is needed. @throws {ConfigError} */
export function parseMonitorCsv(file: string, text: string): readonly ImportedName[] {
  const lines = text.replace(/^\uFEFF/, '').split(/\r?\n/)
  const heading = (lines[0] ?? '').split(',').map((cell) => cell.trim().toLowerCase())
  const at = (column: string): number => heading.indexOf(column)
  const unknown = heading.find((column) => !['name', 'domain', 'record_type', 'category'].includes(column))
  if (unknown !== undefined || at('domain') < 0)
    throw new ConfigError(
      `${file}:1`,
      `the heading has ${unknown === undefined ? 'no domain' : `"${unknown.slice(0, 80)}"`}`,
      CSV_FORM,
    )
  const found = lines.slice(1).flatMap((line, index) => {
    if (line.trim() === '') return []
    const cells = line.split(',').map((cell) => cell.trim())
    if (cells.length !== heading.length || line.includes('"'))
      throw new ConfigError(
        `${file}:${index + 2}`,
        `it has ${cells.length} values, or quotes, and the heading ${heading.length}`,
        CSV_FORM,
      )
    const domain = readDomain(cells[at('domain')] ?? '', `${file}:${index + 2}`)
    const type = readType(cells[at('record_type')] || 'A', `${file}:${index + 2}`)
    return [{ name: cells[at('name')] || domain, domain, types: [type], category: cells[at('category')] ?? '' }]
  })
  return joinTypes(found)
}

/** Reads a zone file: each owner with the types that can be watched. @throws {ConfigError} */
export function parseMonitorZone(file: string, text: string, origin: string): readonly ImportedName[] {
  const zone = readDomain(origin, '--origin')
  const found: ImportedName[] = []
  let current = zone
  let base = zone
  let depth = 0
  for (const [index, raw] of text.split(/\r?\n/).entries()) {
    const line = raw.replaceAll(/"[^"]*"/g, '""').replace(/;.*$/, '')
    const isInside = depth > 0
    depth += line.split('(').length - line.split(')').length
    if (isInside || line.trim() === '') continue
    const words = line.trim().split(/\s+/)
    const [first = '', second = ''] = words
    const place = `${file}:${index + 1}`
    if (first.toUpperCase() === '$ORIGIN') base = readDomain(second, place)
    else if (first.startsWith('$') && first.toUpperCase() !== '$TTL')
      throw new ConfigError(
        place,
        `${first.slice(0, 40)} is not followed`,
        'a zone file without it: named-compilezone writes one',
      )
    if (first.startsWith('$')) continue
    if (!/^\s/.test(line)) current = readDomain(toAbsolute(words.shift() ?? '', base), place)
    const type = words.find((word) => !/^(?:\d+[smhdw]?)+$|^IN$/i.test(word))?.toUpperCase() ?? ''
    if (!/^[A-Z][A-Z\d-]*$/.test(type))
      throw new ConfigError(place, 'there is no record type', 'www 3600 IN A 192.0.2.1')
    if (MONITOR_TYPES.some((each) => each === type))
      found.push({ name: current, domain: current, types: [type], category: zone })
  }
  return joinTypes(found)
}

/** Formats names as TOML. */
export function formatMonitorFile(names: readonly ImportedName[]): string {
  return names
    .map(({ name, domain, types, category }) =>
      [
        '[[domains]]',
        `name = ${JSON.stringify(name)}`,
        `domain = ${JSON.stringify(domain)}`,
        `record_type = [${types.map((type) => JSON.stringify(type)).join(', ')}]`,
        ...(category === '' ? [] : [`category = ${JSON.stringify(category)}`]),
      ].join('\n'),
    )
    .join('\n\n')
    .concat('\n')
}

function toAbsolute(owner: string, base: string): string {
  if (owner === '@') return base
  return owner.endsWith('.') ? owner : `${owner}.${base}`
}

function readDomain(text: string, place: string): string {
  const domain = text.toLowerCase().replace(/\.$/, '')
  if (/^(?:(?:[\w-]{1,63}|\*)\.)*[\w-]{1,63}$/.test(domain) && domain.length <= 253) return domain
  throw new ConfigError(place, `"${text.slice(0, 80)}" is no name`, 'shop.zone.example')
}

function readType(text: string, place: string): string {
  const type = text.toUpperCase()
  if (MONITOR_TYPES.some((each) => each === type)) return type
  throw new ConfigError(place, `"${text.slice(0, 80)}" cannot be watched`, `one of ${MONITOR_TYPES.join(', ')}`)
}

/** One entry for each domain, with all of its types. */
function joinTypes(found: readonly ImportedName[]): readonly ImportedName[] {
  const joined = new Map<string, ImportedName>()
  for (const each of found) {
    const known = joined.get(each.domain)
    const types = [...new Set([...(known?.types ?? []), ...each.types])]
    joined.set(each.domain, { ...(known ?? each), types })
  }
  return [...joined.values()]
}
