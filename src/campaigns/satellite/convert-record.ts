/**
 * Records that are no rows of pairs (resolvers, tags, addresses) in the words of another flavour.
 *
 * **Invariant**: a record of the flavour that is asked for comes out as it went in; unknown fields stay.
 */
import type { JsonFields } from '../../model/satellite-row.ts'
import type { OutputFormat } from './convert-row.ts'
import { isFields } from './row-fields.ts'
import type { ScanFileKind } from './scan-file-names.ts'

/** Fields of v1 and their names in v2, per kind of file. */
const RENAMED: Readonly<Partial<Record<ScanFileKind, readonly (readonly [string, string])[]>>> = {
  resolvers_ip: [
    ['resolver', 'vp'],
    ['answer', 'response'],
  ],
  resolvers_ptr: [['resolver', 'vp']],
  resolvers_err: [['resolver', 'vp']],
  resolvers: [['resolver', 'vp']],
  raw: [
    ['resolver', 'vp'],
    ['query', 'test_url'],
  ],
  addresses: [['answer', 'response']],
  tagged_resolvers: [['resolver', 'vp']],
}

/** Writes a record for a flavour. */
export function convertRecord(kind: ScanFileKind, fields: JsonFields, format: OutputFormat): JsonFields {
  if (format === 'source') return fields
  const renamed = renameFields(fields, RENAMED[kind] ?? [], format === 'v1')
  if (kind === 'tagged_resolvers') return format === 'v1' ? toCountry(renamed) : toLocation(renamed)
  if (kind === 'tags') return writeTagForms(renamed, format === 'v2.2')
  return renamed
}

function renameFields(fields: JsonFields, pairs: readonly (readonly [string, string])[], isToV1: boolean): JsonFields {
  const names = new Map(pairs.map(([old, later]) => (isToV1 ? [later, old] : [old, later])))
  return Object.fromEntries(Object.entries(fields).map(([name, value]) => [names.get(name) ?? name, value]))
}

function toCountry(fields: JsonFields): JsonFields {
  const { location, ...rest } = fields
  if (!isFields(location)) return fields
  return { ...rest, country: location['country_name'] ?? null, candor: { lost: ['location.country_code'] } }
}

function toLocation(fields: JsonFields): JsonFields {
  const { country, ...rest } = fields
  if (country === undefined) return fields
  return {
    ...rest,
    location: { country_name: country, country_code: '' },
    candor: { missing: ['location.country_code'] },
  }
}

/** v2.2 writes `""` and 0 where the others write null. */
function writeTagForms(fields: JsonFields, isEmptyable: boolean): JsonFields {
  const forms = ['http', 'cert', 'asname', 'asnum'].map((name) => {
    const value = fields[name]
    const isNothing = value === undefined || value === null || value === '' || value === 0
    return [name, isNothing ? (isEmptyable ? (name === 'asnum' ? 0 : '') : null) : value]
  })
  return { ...fields, ...Object.fromEntries(forms) }
}
