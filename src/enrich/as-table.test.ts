import { assert as check, ipV6, property } from 'fast-check'
import { describe, expect, test } from 'vitest'
import { parseIp } from '../core/ip-address.ts'
import { readAsTable, type AsEntry } from './as-table.ts'

const octets = (text: string): Uint8Array => new TextEncoder().encode(text)
const ip = (text: string): Uint8Array => parseIp(text) ?? new Uint8Array(0)

describe('readAsTable', () => {
  test('finds IPv4 ranges, their edges and the gaps between them', () => {
    const table = readAsTable(
      octets(
        '16777216,16777471,13335,"Cloudflare, Inc."\n1.0.4.0,1.0.7.255,38803,Gtelecom\r\n255.255.255.0,255.255.255.255,7,"A ""quoted"" one"',
      ),
      1,
    )
    const find = (text: string): AsEntry | undefined => table?.lookup(ip(text))
    expect(table?.size).toBe(3)
    expect(find('1.0.0.0')).toEqual({ asn: 13_335, asName: 'Cloudflare, Inc.' })
    expect(find('1.0.0.255')).toEqual({ asn: 13_335, asName: 'Cloudflare, Inc.' })
    expect(find('1.0.1.0')).toBeUndefined()
    expect(find('1.0.7.255')).toEqual({ asn: 38_803, asName: 'Gtelecom' })
    expect(find('255.255.255.255')).toEqual({ asn: 7, asName: 'A "quoted" one' })
    expect(find('0.0.0.0')).toBeUndefined()
    expect(find('2001::')).toBeUndefined()
  })

  test('gives the range that begins later where two overlap', () => {
    const table = readAsTable(octets('10,20,1,one\n15,30,2,two'), 1)
    expect([12, 16, 25].map((last) => table?.lookup(Uint8Array.of(0, 0, 0, last))?.asn)).toEqual([1, 2, 2])
  })

  test('finds IPv6 ranges', () => {
    const table = readAsTable(
      octets(
        '::1,::ffff,1,one\n2001:200::,2001:200:1b9:ffff:ffff:ffff:ffff:ffff,2500,WIDE\n2001:db8::,2001:db8:ffff:ffff:ffff:ffff:ffff:ffff,3,x',
      ),
      4,
    )
    const find = (text: string): number | undefined => table?.lookup(ip(text))?.asn
    expect([find('::1'), find('::'), find('2001:200:1b9::5'), find('2001:200:1ba::')]).toEqual([
      1,
      undefined,
      2500,
      undefined,
    ])
    expect([find('2001:db8::1'), find('ffff::'), find('192.0.2.1')]).toEqual([3, undefined, undefined])
  })

  test('reads every IPv6 address as the address parser does', () => {
    check(
      property(
        ipV6().filter((text) => !text.includes('.')),
        (text) => {
          const table = readAsTable(octets(`${text},${text},42,x`), 4)
          expect(table?.lookup(ip(text))?.asn).toBe(42)
        },
      ),
    )
  })

  test.each(['x', '1,2', '1,2,x,y', '5,4,1,n', '1,4294967296,1,n', '-1,2,3,n', '1.2.3,1.2.4,1,n', '6,9,1,n\n5,5,1,n'])(
    'refuses the damaged table %j',
    (text) => {
      expect(readAsTable(octets(text), 1)).toBeUndefined()
    },
  )

  test.each(['1:2:3:4:5:6:7:8:9,::,1,n', '::1::2,::5,1,n', ':1,::5,1,n', '12345::,::5,1,n', '::g,::5,1,n'])(
    'refuses the damaged IPv6 table %j',
    (text) => {
      expect(readAsTable(octets(text), 4)).toBeUndefined()
    },
  )
})
