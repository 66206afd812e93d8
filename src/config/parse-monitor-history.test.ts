import { describe, expect, test } from 'vitest'
import type { ConfigError } from '../core/config-error.ts'
import { parseMonitorHistory } from './parse-monitor-history.ts'

const stored = { domain: 'Zone.example.', ips: ['192.0.2.1'], timestamp: 1_704_110_400_000, recordType: 'A' }
const read = {
  domain: 'zone.example',
  type: 'A',
  values: [{ value: '192.0.2.1', firstSeenMs: 1_704_110_400_000, lastSeenMs: 1_704_110_400_000 }],
  areSets: false,
  ttl: null,
}

describe('parseMonitorHistory', () => {
  test.each<readonly [string, unknown]>([
    ['an object of keys', { 'dns:zone.example:A': stored, 'profile:1': {} }],
    ['values that are texts', { 'dns:zone.example:A': JSON.stringify(stored) }],
    ['a list of pairs', [{ key: 'dns:zone.example:A', value: stored }]],
    ['one value', stored],
  ])('reads the original store as %s', (_what, value) => {
    expect(parseMonitorHistory('kv.json', JSON.stringify(value))).toEqual([read])
  })

  test('reads lines of explain', () => {
    const line = {
      domain: 'zone.example',
      record_type: 'MX',
      ttl_seconds: { min: 60, max: 300 },
      values: [{ value: '10 a.example', first_seen: '2026-01-01T00:00:00Z', last_seen: '2026-01-02T00:00:00Z' }],
    }
    const text = `${JSON.stringify(line)}\n\n${JSON.stringify({ ...line, ttl_seconds: null })}\n`
    expect(parseMonitorHistory('h', text)).toMatchObject([
      { type: 'MX', areSets: true, ttl: { min: 60, max: 300 }, values: [{ lastSeenMs: Date.parse('2026-01-02') }] },
      { ttl: null },
    ])
  })

  test.each([
    ['', 'h'],
    ['{}', 'h'],
    ['{"domain":1}\nnonsense', 'h:2'],
    [JSON.stringify({ 'dns:zone.example:A': { ...stored, ips: [] } }), 'h dns:zone.example:A'],
    [JSON.stringify([{ ...stored, timestamp: 'now' }]), 'h[0]'],
    [JSON.stringify({ domain: 'a', record_type: 'A', values: [{ value: 'x' }] }), 'h'],
  ])('refuses %j and names the place', (text, path) => {
    expect(() => parseMonitorHistory('h', text)).toThrow(expect.objectContaining({ path }) as ConfigError)
  })
})
