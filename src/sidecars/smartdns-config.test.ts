import { describe, expect, test } from 'vitest'
import { ConfigError } from '../core/config-error.ts'
import { formatSmartDnsConfig } from './smartdns-config.ts'
import type { SmartDnsPaths, SmartDnsPlan, SmartDnsUpstream } from './smartdns-plan.ts'

const PATHS: SmartDnsPaths = {
  wildcards: '/var/lib/candor/smartdns/wildcards.list',
  cache: '/var/lib/candor/smartdns/cache',
  audit: '/var/lib/candor/smartdns/audit.log',
  log: '/var/lib/candor/smartdns/smartdns.log',
}
const QUAD: SmartDnsUpstream = { transport: 'udp', endpoint: { address: '9.9.9.9', port: 53 }, host: null, path: null }
const PLAN: SmartDnsPlan = {
  listen: { address: '127.0.0.1', port: 5353 },
  upstreams: [
    QUAD,
    { transport: 'tcp', endpoint: { address: '2620:fe::fe', port: 53 }, host: null, path: null },
    { transport: 'tls', endpoint: { address: '1.1.1.1', port: 853 }, host: 'one.one.one.one', path: null },
    { transport: 'https', endpoint: { address: '8.8.8.8', port: 443 }, host: 'dns.google', path: '/dns-query' },
  ],
  wildcards: ['zone.example', 'xn--bcher-kva.example'],
  sets: { table: 'inet candor', v4: 'names_rt_v4', v6: 'names_rt_v6' },
  cacheSize: 4_096,
  auditOctets: 8_388_608,
  auditFiles: 8,
}

describe('formatSmartDnsConfig', () => {
  test('names every upstream with its transport, and verifies certificates', () => {
    const { configuration, wildcards } = formatSmartDnsConfig(PLAN, PATHS)
    expect(configuration.split('\n')).toEqual(
      expect.arrayContaining([
        'bind 127.0.0.1:5353',
        'bind-tcp 127.0.0.1:5353',
        'server 9.9.9.9:53',
        'server-tcp [2620:fe::fe]:53',
        'server-tls 1.1.1.1:853 -host-name one.one.one.one -tls-host-verify one.one.one.one',
        'server-https https://8.8.8.8:443/dns-query -host-name dns.google -tls-host-verify dns.google -http-host dns.google',
        'nftset /domain-set:candor-wildcards/#4:inet#candor#names_rt_v4,#6:inet#candor#names_rt_v6',
      ]),
    )
    expect(wildcards).toBe('zone.example\nxn--bcher-kva.example\n')
  })

  test('says always what SmartDNS would otherwise decide wrongly', () => {
    const { configuration } = formatSmartDnsConfig(PLAN, PATHS)
    for (const line of [
      'speed-check-mode none',
      'dualstack-ip-selection no',
      'response-mode fastest-response',
      'audit-enable yes',
      'log-level info',
      'rr-ttl-min 1',
      'serve-expired no',
      'prefetch-domain no',
      `cache-file ${PATHS.cache}`,
    ])
      expect(configuration).toContain(`\n${line}\n`)
  })

  test('sets no nftables sets without sets or without wildcards', () => {
    expect(formatSmartDnsConfig({ ...PLAN, sets: null }, PATHS).configuration).not.toContain('nftset')
    expect(formatSmartDnsConfig({ ...PLAN, wildcards: [] }, PATHS).configuration).not.toContain('nftset')
  })

  test.each<[string, Partial<SmartDnsPlan>]>([
    ['no upstream, for which it would use /etc/resolv.conf', { upstreams: [] }],
    ['itself as upstream', { upstreams: [{ ...QUAD, endpoint: PLAN.listen }] }],
    ['an upstream that is no address', { upstreams: [{ ...QUAD, endpoint: { address: '9.9.9', port: 53 } }] }],
    [
      'an upstream with a second line',
      { upstreams: [{ ...QUAD, endpoint: { address: '9.9.9.9\nserver 6.6.6.6', port: 53 } }] },
    ],
    ['a port that is none', { upstreams: [{ ...QUAD, endpoint: { address: '9.9.9.9', port: 65_536 } }] }],
    ['TLS without a name', { upstreams: [{ ...QUAD, transport: 'tls' }] }],
    ['a name with an option in it', { upstreams: [{ ...QUAD, transport: 'tls', host: 'a -no-check-certificate' }] }],
    ['a path with a space', { upstreams: [{ ...QUAD, transport: 'https', host: 'a.example', path: '/a b' }] }],
    ['a wildcard with a star, which matches nothing', { wildcards: ['*.zone.example'] }],
    ['a wildcard with a slash', { wildcards: ['zone.example/-'] }],
    ['a table of another kind', { sets: { table: 'inet candor; flush ruleset', v4: 'a', v6: 'b' } }],
    ['a set with a comma', { sets: { table: 'inet candor', v4: 'a,#6:inet#x#y', v6: 'b' } }],
    ['a cache size that is no number', { cacheSize: Number.NaN }],
    ['an audit file that is never rotated', { auditOctets: 0 }],
  ])('refuses %s', (_what, change) => {
    expect(() => formatSmartDnsConfig({ ...PLAN, ...change }, PATHS)).toThrow(ConfigError)
  })

  test('refuses a directory that would be cut at a space', () => {
    expect(() => formatSmartDnsConfig(PLAN, { ...PATHS, cache: '/var/lib/my data/cache' })).toThrow(ConfigError)
  })
})
