import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { acceptsPublicIpv4, parseExitRules, portListAccepts, type ExitRule } from './exit-policy.ts'

/** `reject 10.0.0.0/8:*, accept *:80` → rules. */
function policy(text: string): readonly ExitRule[] {
  return text
    .split(', ')
    .filter((rule) => rule !== '')
    .flatMap((rule) => parseExitRules(rule.startsWith('accept'), rule.slice(7)))
}

describe('acceptsPublicIpv4', () => {
  test.each([
    ['accept *:*', true],
    ['reject *:*', false],
    ['', true],
    ['reject private:*, accept *:*', true],
    ['reject *:25, reject *:*', false],
    ['reject *:*, accept *:80', false],
    ['accept 10.0.0.0/8:*, reject *:*', false],
    ['accept 192.168.1.1:80, accept 127.0.0.0/8:*, reject *:*', false],
    ['accept 93.184.0.1:80, reject *:*', true],
    ['reject 0.0.0.0/1:*, reject 128.0.0.0/1:*, accept *:*', false],
    ['reject 0.0.0.0/1:*, reject 128.0.0.0/1:1-65534, accept *:*', true],
    ['reject 8.0.0.0/8:*, accept 8.0.0.0/7:443, reject *:*', true],
    ['reject 8.0.0.0/8:*, reject 9.0.0.0/8:1-443, accept 8.0.0.0/7:443, reject *:*', false],
    ['reject *:1-1000, reject *:1001-65535, accept *:*', false],
    ['reject 93.184.0.0/255.255.0.0:*, accept 93.184.0.1:80, reject *:*', false],
    ['accept [2001:db8::]/32:80, reject *:*', false],
  ])('judges %j', (text, isAccepting) => {
    expect(acceptsPublicIpv4(policy(text))).toBe(isAccepting)
  })

  test('agrees with trying every point of a small world', () => {
    // 8.0.0.0/29 and ports 1 to 6: small enough to try all; everything else is rejected.
    const rule = fc.record({
      accept: fc.boolean(),
      first: fc.integer({ min: 0, max: 7 }),
      bits: fc.integer({ min: 29, max: 32 }),
      fromPort: fc.integer({ min: 1, max: 6 }),
      length: fc.integer({ min: 0, max: 5 }),
    })
    fc.assert(
      fc.property(fc.array(rule, { maxLength: 8 }), (drafts) => {
        const rules = [
          ...drafts.flatMap((d) =>
            parseExitRules(d.accept, `8.0.0.${d.first}/${d.bits}:${d.fromPort}-${Math.min(6, d.fromPort + d.length)}`),
          ),
          ...parseExitRules(false, '*:*'),
        ]
        const points = Array.from({ length: 48 }, (_, i) => ({ last: i >> 3 === 6 ? 0 : i % 8, port: 1 + (i >> 3) }))
        const isAccepted = ({ last, port }: { last: number; port: number }): boolean =>
          rules.find((r) => {
            const start = r.prefix.octets[3] ?? 0
            const size = r.prefix.bits === 0 ? 256 : 2 ** (32 - r.prefix.bits)
            return last >= start && last < start + size && port >= r.fromPort && port <= r.toPort
          })?.accept === true
        expect(acceptsPublicIpv4(rules)).toBe(points.some(isAccepted))
      }),
    )
  })

  test('ends on a policy made to be slow', () => {
    const rules = Array.from({ length: 600 }, (_, i) => `reject 8.${i % 256}.0.0/16:${i + 1}`)
    const accepts = Array.from({ length: 600 }, (_, i) => `accept 8.0.0.0/8:${i + 1}-60000`)
    expect(acceptsPublicIpv4(policy([...rules, ...accepts].join(', ')))).toBe(true)
  })
})

describe('parseExitRules', () => {
  test.each(['', '*', '*:', '*:0x50', '*:80-79', '*:65536', '300.1.1.1:80', '1.2.3.4/33:80', '1.2.3.4/255.0.255.0:80'])(
    'makes nothing of %j',
    (text) => {
      expect(parseExitRules(true, text)).toEqual([])
    },
  )
})

describe('portListAccepts', () => {
  test.each([
    ['accept 80,443', true],
    ['reject 1-65535', false],
    ['reject 25', true],
    ['accept 1-65535', true],
    ['reject 1-100,101-65535', false],
    ['', false],
    ['accept', false],
    ['permit 80', false],
    ['accept x,y', false],
  ])('judges %j', (text, isAccepting) => {
    expect(portListAccepts(text)).toBe(isAccepting)
  })
})
