/**
 * AS and country of addresses, from tables on the disk: nothing is asked of anybody.
 *
 * The tables come with the packages `@ip-location-db/asn` (RouteViews, the regional registries and DB-IP; CC BY 4.0) and
 * `@ip-location-db/geo-whois-asn-country-mmdb` (CC0), or are the user's own MMDB files (MaxMind, DB-IP, IPinfo). What
 * the licences ask for stands in docs/manual/authority.md.
 */
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { Reader, type Response } from 'mmdb-lib'
import type { AddressPlan } from '../core/address-plan.ts'
import { ConfigError } from '../core/config-error.ts'
import { formatIp, type IpOctets } from '../core/ip-address.ts'
import { readAsTable, type AsEntry, type AsTable } from './as-table.ts'

/** The user's own files instead of those that come along. */
export interface IpTableFiles {
  /** MMDB with `autonomous_system_number` and `autonomous_system_organization` (or IPinfo's `asn`, `as_name`). */
  readonly asnMmdb?: string
  /** MMDB with `country.iso_code` or `country_code`. */
  readonly countryMmdb?: string
}

const AS_PACKAGE = '@ip-location-db/asn'
const COUNTRY_PACKAGE = '@ip-location-db/geo-whois-asn-country-mmdb'

type Fields = Readonly<Record<string, unknown>>

/**
 * The owners of addresses, for an {@link AddressPlan}. An address without AS has no owner there.
 *
 * The files are read at the first look-up, in one go: half a second and 35 MB of memory, which a run spends before its
 * first circuit and other commands never.
 *
 * @returns A look-up that throws a {@link ConfigError} when a file is absent or is no such table.
 */
export function createIpTables(files: IpTableFiles = {}): Pick<AddressPlan, 'lookup'> {
  let loaded: AddressPlan['lookup'] | undefined
  return {
    lookup: (octets) => {
      loaded ??= loadTables(files)
      return loaded(octets)
    },
  }
}

function loadTables(files: IpTableFiles): AddressPlan['lookup'] {
  const country = openMmdb(files.countryMmdb ?? packageFile(COUNTRY_PACKAGE, 'geo-whois-asn-country.mmdb'))
  const lookUpAs = files.asnMmdb === undefined ? loadAsTables() : loadAsMmdb(files.asnMmdb)
  return (octets) => {
    const as = lookUpAs(octets)
    return as && { ...as, country: readCountry(country(octets)) }
  }
}

function packageFile(packageName: string, file: string): string {
  try {
    return join(dirname(createRequire(import.meta.url).resolve(`${packageName}/package.json`)), file)
  } catch (cause) {
    throw new ConfigError(packageName, `the package ${packageName} is not installed`, 'npm install', { cause })
  }
}

function readTable(path: string): Uint8Array {
  try {
    return readFileSync(path)
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause)
    throw new ConfigError(path, `the IP table cannot be read: ${why}`, 'name an MMDB file that exists', { cause })
  }
}

function loadAsTables(): (octets: IpOctets) => AsEntry | undefined {
  const load = (file: string, words: 1 | 4): AsTable => {
    const path = packageFile(AS_PACKAGE, file)
    const table = readAsTable(readTable(path), words)
    if (table === undefined) throw new ConfigError(path, 'the AS table is damaged', `npm install ${AS_PACKAGE}`)
    return table
  }
  const ipv4 = load('asn-ipv4-num.csv', 1)
  const ipv6 = load('asn-ipv6.csv', 4)
  return (octets) => (octets.length === 4 ? ipv4 : ipv6).lookup(octets)
}

function loadAsMmdb(path: string): (octets: IpOctets) => AsEntry | undefined {
  const lookup = openMmdb(path)
  return (octets) => {
    const fields = lookup(octets)
    const number = fields['autonomous_system_number'] ?? fields['asn']
    const asn = typeof number === 'string' ? Number(number.replace(/^AS/i, '')) : number
    const asName = fields['autonomous_system_organization'] ?? fields['as_name']
    if (typeof asn !== 'number' || !Number.isInteger(asn)) return undefined
    return { asn, asName: typeof asName === 'string' ? asName : '' }
  }
}

function openMmdb(path: string): (octets: IpOctets) => Fields {
  const octets = readTable(path)
  let reader: Reader<Response>
  try {
    reader = new Reader(Buffer.from(octets.buffer, octets.byteOffset, octets.byteLength))
  } catch (cause) {
    throw new ConfigError(path, 'this is no MMDB file', 'name a file of the form GeoLite2-ASN.mmdb', { cause })
  }
  return (address) => {
    const found: unknown = reader.get(formatIp(address))
    return typeof found === 'object' && found !== null ? (found as Fields) : {}
  }
}

function readCountry(fields: Fields): string {
  const nested = fields['country']
  const code =
    typeof nested === 'object' && nested !== null ? (nested as Fields)['iso_code'] : (fields['country_code'] ?? nested)
  return typeof code === 'string' && /^[A-Z]{2}$/i.test(code) ? code.toUpperCase() : ''
}
