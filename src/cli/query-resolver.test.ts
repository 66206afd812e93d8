/** What stands behind `@`, with the flags of transports. */
import { describe, expect, test } from 'vitest'
import { parseResolver, type TransportFlags } from './query-resolver.ts'

const FLAGS: TransportFlags = {
  tcp: false,
  tls: false,
  https: false,
  json: false,
  get: false,
  port: undefined,
  tlsName: undefined,
  isVerified: true,
  authorities: undefined,
}

describe('parseResolver', () => {
  test.each([
    [undefined, {}, { transport: 'udp', host: undefined, port: undefined }],
    ['192.0.2.53', { tcp: true }, { transport: 'tcp', host: '192.0.2.53', port: undefined }],
    ['192.0.2.53#5300', { port: 99 }, { transport: 'udp', host: '192.0.2.53', port: 5300 }],
    ['2001:db8::53', { port: 99 }, { host: '2001:db8::53', port: 99 }],
    ['2001:db8::53#54', {}, { host: '2001:db8::53', port: 54 }],
    ['[2001:db8::53]:54', {}, { host: '2001:db8::53', port: 54 }],
    ['ns.zone.example.', { tls: true }, { transport: 'tls', host: 'ns.zone.example.' }],
    ['tls://ns.zone.example', {}, { transport: 'tls', host: 'ns.zone.example', port: undefined }],
    ['TLS://[2001:db8::53]:8853/', {}, { transport: 'tls', host: '2001:db8::53', port: 8853 }],
    ['https://ns.zone.example', {}, { transport: 'https', path: '/dns-query' }],
    ['https://ns.zone.example/', { https: '/q' }, { transport: 'https', path: '/q' }],
    ['https://192.0.2.53:8443/resolve', { json: true }, { transport: 'https_json', port: 8443, path: '/resolve' }],
    ['192.0.2.53', { get: true }, { transport: 'https', get: true, path: '/dns-query' }],
    ['quad9', {}, { transport: 'udp', host: 'dns.quad9.net', knownAddress: '9.9.9.9' }],
    ['Google', { json: true }, { transport: 'https_json', host: 'dns.google', path: '/resolve' }],
    ['google', { json: true, https: '/x' }, { host: 'dns.google', path: '/x' }],
  ] as const)('reads %s with %j', (text, flags, expected) => {
    expect(parseResolver(text, { ...FLAGS, ...flags })).toMatchObject(expected)
  })

  test.each([
    ['', {}],
    ['1.2.3', {}],
    ['192.0.2.53#0', {}],
    ['192.0.2.53#65536', {}],
    ['a..b', {}],
    ['ftp://192.0.2.53', {}],
    ['tls://192.0.2.53/path', {}],
    ['https://192.0.2.53/a?b', {}],
    ['https://192.0.2.53/a#b', {}],
    ['https://user@192.0.2.53/', {}],
    ['tls://192.0.2.53', { tcp: true }],
    ['https://192.0.2.53', { tls: true }],
    ['quad9', { json: true }],
    ['192.0.2.53', { https: 'path' }],
  ] as const)('refuses %s with %j', (text, flags) => {
    expect(() => parseResolver(text, { ...FLAGS, ...flags })).toThrow(expect.objectContaining({ name: 'ConfigError' }))
  })
})
