import { describe, expect, test } from 'vitest'
import { ConfigError } from '../core/config-error.ts'
import { parseIp } from '../core/ip-address.ts'
import { createIpTables } from './ip-tables.node.ts'

const ip = (text: string): Uint8Array => parseIp(text) ?? new Uint8Array(0)

describe('createIpTables', () => {
  test('knows well-known networks of both families, and nothing about private ones', () => {
    const tables = createIpTables()
    expect(tables.lookup(ip('8.8.8.8'))).toMatchObject({ asn: 15_169, country: 'US' })
    expect(tables.lookup(ip('8.8.8.8'))?.asName).toMatch(/google/i)
    expect(tables.lookup(ip('2001:4860:4860::8888'))?.asn).toBe(15_169)
    expect(tables.lookup(ip('127.0.0.1'))).toBeUndefined()
    expect(tables.lookup(ip('::1'))).toBeUndefined()
  })

  test("takes the user's own MMDB, and says what is wrong with one", () => {
    const country = new URL(
      '../../node_modules/@ip-location-db/geo-whois-asn-country-mmdb/geo-whois-asn-country-ipv4.mmdb',
      import.meta.url,
    ).pathname
    expect(createIpTables({ countryMmdb: country }).lookup(ip('8.8.8.8'))?.country).toBe('US')
    expect(createIpTables({ asnMmdb: country }).lookup(ip('8.8.8.8'))).toBeUndefined()
    expect(() => createIpTables({ asnMmdb: '/nonexistent.mmdb' }).lookup(ip('8.8.8.8'))).toThrow(ConfigError)
    const notMmdb = createIpTables({ countryMmdb: new URL(import.meta.url).pathname })
    expect(() => notMmdb.lookup(ip('8.8.8.8'))).toThrow('this is no MMDB file')
  })
})
