import { describe, expect, test } from 'vitest'
import { PUBLISHED_ROWS, readRecords, WHERE_ROWS_ARE } from '../../../test/satellite-fixtures/published-rows.ts'
import { findInfrastructureName, isAccessLine, isInfrastructureName } from './infrastructure-policy.ts'

describe('findInfrastructureName', () => {
  test.each([
    ['iris', 'ns1.example.net.', true],
    ['iris', 'NameServer12.example.net', true],
    ['iris', 'ns.example.net', false],
    ['iris', 'dns1.example.net', false],
    ['ns-or-dns-label', 'ns.example.net', true],
    ['ns-or-dns-label', 'resolver.opendns.example', true],
    ['ns-or-dns-label', 'lns.example.net', false],
    ['any-ptr', 'mail.example.net', true],
  ] as const)('%s: %s', (policy, name, isChosen) => {
    expect(findInfrastructureName(policy, '192.0.2.53', [name])).toBe(isChosen ? name : undefined)
  })

  test('takes the first name that fits, and none without names', () => {
    expect(findInfrastructureName('iris', '192.0.2.53', ['mx.example', 'ns2.example', 'ns3.example'])).toBe(
      'ns2.example',
    )
    expect(findInfrastructureName('any-ptr', '192.0.2.53', [])).toBeUndefined()
  })
})

describe('isAccessLine', () => {
  test.each([
    'ns1.dyn.example.net',
    'ns1.adsl2.example.net',
    'ns1.cust.example.net',
    'ns1-static.example.net',
    'ns1.pool-7.example.net',
    'ns1.ip-198-51-100.example.net',
    'ns1.53.100.51.198.example.net',
    'ns1-198051100053.example.net',
    'ns1.c6336435.example.net',
  ])('refuses %s', (name) => {
    expect(isAccessLine(name, '198.51.100.53')).toBe(true)
    expect(findInfrastructureName('any-ptr', '198.51.100.53', [name])).toBeUndefined()
  })

  test.each(['ns1.dynasty.example', 'ns1.customfilter.example', 'ns1.poolside.example', 'ns51.example'])(
    'lets %s pass',
    (name) => {
      expect(isAccessLine(name, '198.51.100.53')).toBe(false)
    },
  )
})

describe('isInfrastructureName', () => {
  test.skipIf(PUBLISHED_ROWS === undefined)(`reads real names as expected${WHERE_ROWS_ARE}`, () => {
    const names = readRecords('ptr_names.jsonl')
    expect(names).toHaveLength(13)
    for (const { name, iris_regex_ns_nameserver: isIris, ns_or_dns_label: hasLabel } of names) {
      const read = [isInfrastructureName('iris', String(name)), isInfrastructureName('ns-or-dns-label', String(name))]
      expect([name, ...read]).toEqual([name, isIris, hasLabel])
    }
  })
})
