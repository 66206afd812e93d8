import { describe, expect, test } from 'vitest'
import { addDomainList, createDomainLists, fanOut, readDomainName, readFanOut } from './read-domain-list.ts'

describe('addDomainList', () => {
  test('merges and counts duplicates, keeps labels, and reports bad lines with their number', () => {
    const lists = createDomainLists()
    addDomainList(lists, 'one', '# head\nShop.Zone.Example. # here\n\r\n*.zone.example\nbücher.example\n', false)
    addDomainList(lists, 'two', 'shop.zone.example\nnot a name\n192.0.2.1\nx\na..b\n', true)
    expect([...lists.domains.values()]).toEqual([
      { name: 'shop.zone.example', isWildcard: true, labels: ['one', 'two'] },
      { name: 'zone.example', isWildcard: true, labels: ['one'] },
      { name: 'xn--bcher-kva.example', isWildcard: false, labels: ['one'] },
    ])
    expect([lists.duplicates, lists.badCount]).toEqual([1, 4])
    expect(lists.badLines.map(({ list, line }) => `${list}:${line}`)).toEqual(['two:2', 'two:3', 'two:4', 'two:5'])
  })

  test('bounds what it keeps of a file that is no list', () => {
    const lists = createDomainLists()
    addDomainList(lists, 'bad', '!\n'.repeat(5_000), false)
    expect([lists.badLines.length, lists.badCount]).toEqual([1_000, 5_000])
  })
})

describe('fanOut', () => {
  test('adds labels up to the cap, and no name twice', () => {
    const lists = createDomainLists()
    addDomainList(lists, 'one', 'a.example\nwww.a.example\n', false)
    const { labels, badLines } = readFanOut('www\n# no\nCDN.eu\n-x\napi\n')
    expect([labels, badLines]).toEqual([['www', 'cdn.eu', 'api'], [4]])
    expect(fanOut(lists, labels, 2)).toBe(3)
    expect([...lists.domains.keys()]).toContain('cdn.eu.www.a.example')
    expect(lists.domains.has('api.a.example')).toBe(false)
  })
})

describe('readDomainName', () => {
  test.each([
    '',
    '*',
    'a.*.example',
    'a b.example',
    '１.１.１.１',
    'http://x.example',
    `${'a'.repeat(64)}.example`,
    'x.123',
  ])('refuses %j', (text) => {
    expect(readDomainName(text)).toHaveProperty('reason')
  })

  test('takes what hosts and services are called', () => {
    expect(readDomainName('*._dmarc.Faß.example')).toEqual({ name: '_dmarc.xn--fa-hia.example', isWildcard: true })
  })
})
