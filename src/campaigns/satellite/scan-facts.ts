/**
 * What a scan says beside its rows: tags of addresses, countries of resolvers, answers of the control resolvers.
 *
 * **Invariant**: grows with addresses, resolvers and names, not with rows.
 */
import type { JsonFields, SatelliteLocation, SatelliteRow, SatelliteTags } from '../../model/satellite-row.ts'
import { createControlSets, type ControlSet, type FindTags } from '../../verdicts/satellite-control.ts'
import { readTags } from './read-tags.ts'
import { takeLocation } from './row-fields.ts'
import type { ScanFileKind } from './scan-file-names.ts'
import type { ScanRecord } from './read-scan.ts'

/** The facts while they are gathered. */
export interface ScanFacts {
  /** Takes a record of any kind; what is no fact of these is left. @throws {MalformedRowError} For malformed tags. */
  take(record: ScanRecord): void
  readonly findTags: FindTags
  /** The control of a name; the latest ones are remembered. */
  findControl(domain: string): ControlSet
  /** The row with the country of its resolver, where it had none. */
  locate(row: SatelliteRow): SatelliteRow
}

/** Control sets that are kept ready: rows come in the order of names or of resolvers. */
const READY_SETS_MAX = 20_000

/** Kinds of files that hold facts. */
export function holdsFacts(kind: ScanFileKind): boolean {
  return kind === 'tags' || kind === 'tagged_resolvers' || kind === 'resolvers' || kind === 'control_response'
}

/** Begins with none. */
export function createScanFacts(): ScanFacts {
  const tags = new Map<string, SatelliteTags>()
  const locations = new Map<string, SatelliteLocation>()
  const controls = createControlSets()
  const ready = new Map<string, ControlSet>()
  const findTags = (address: string): SatelliteTags | undefined => tags.get(address)
  return {
    take: (record) => {
      if (record.type === 'row') {
        if (record.row.role === 'control_response') controls.add(record.row)
      } else if (record.type === 'record') {
        if (record.kind === 'tags') takeTags(record.fields, tags)
        else if (holdsFacts(record.kind)) takeCountry(record.fields, locations)
      }
    },
    findTags,
    findControl: (domain) => {
      const known = ready.get(domain)
      if (known !== undefined) return known
      const found = controls.find(domain, findTags)
      if (ready.size >= READY_SETS_MAX) ready.clear()
      ready.set(domain, found)
      return found
    },
    locate: (row) => {
      const location = row.location ?? locations.get(row.resolver) ?? null
      return location === row.location ? row : { ...row, location }
    },
  }
}

function takeTags(fields: JsonFields, tags: Map<string, SatelliteTags>): void {
  const address = fields['ip']
  if (typeof address === 'string') tags.set(address, readTags(fields))
}

function takeCountry(fields: JsonFields, locations: Map<string, SatelliteLocation>): void {
  const resolver = fields['vp'] ?? fields['resolver']
  if (typeof resolver !== 'string') return
  const country = fields['country']
  const location = typeof country === 'string' ? { countryName: country, countryCode: null } : takeLocation(fields)
  if (location !== null) locations.set(resolver, location)
}
