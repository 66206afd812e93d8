import { describe, expect, test } from 'vitest'
import { ConfigError } from '../core/config-error.ts'
import type { ExitRunOptions } from '../model/exit-options.ts'
import { EXIT_SETTING_GROUP, EXIT_SETTINGS, type ExitSettings } from './exit-settings.ts'
import { collectSettings, loadConfig } from './load-config.ts'
import { PACE_PROFILES } from './pace-profiles.ts'
import { toExitRunOptions } from './to-exit-run-options.ts'

const A = 'A'.repeat(40)
const B = 'B'.repeat(40)
const ZONE = { domain: 'probe.zone.example', expect: '192.0.2.1' }

function convert(
  flags: Readonly<Record<string, unknown>>,
  files: Readonly<Record<string, string>> = {},
  modules: readonly string[] = [],
): Promise<ExitRunOptions> {
  const sources = { file: null, environment: {}, flags: new Map(Object.entries(flags)) }
  const [loaded = new Map()] = loadConfig(sources, [EXIT_SETTING_GROUP])
  return toExitRunOptions(
    collectSettings<ExitSettings>(EXIT_SETTINGS, loaded),
    { dataDir: null, asnTable: null, countryTable: null },
    {
      modules,
      readFile: (_option, path) => Promise.resolve(files[path] ?? ''),
      wallNowMs: Date.UTC(2026, 0, 31, 23, 59, 59),
      newSeed: () => 'fresh',
    },
  )
}

async function errorOf(...args: Parameters<typeof convert>): Promise<ConfigError> {
  try {
    await convert(...args)
  } catch (error) {
    if (error instanceof ConfigError) return error
    throw error
  }
  throw new Error('nothing was thrown')
}

describe('toExitRunOptions', () => {
  test('fills in run id, seed and module', async () => {
    const options = await convert(ZONE)
    expect(options).toMatchObject({ runId: '20260131235959', seed: 'fresh', modules: ['dnshealth'], mode: 'wildcard' })
    expect(options.selection).toEqual({
      fingerprints: [],
      countries: [],
      badExits: 'include',
      optedOut: [],
      shard: { index: 0, count: 1 },
    })
  })

  test('takes the pace of the profile, each part also alone', async () => {
    expect((await convert({ ...ZONE, profile: 'conservative' })).pace).toEqual(PACE_PROFILES.conservative)
    expect((await convert({ ...ZONE, profile: 'fast', 'build-delay': '0.25', attempts: '2' })).pace).toEqual({
      ...PACE_PROFILES.fast,
      buildDelayMs: 250,
      attempts: 2,
    })
  })

  test('takes port 443 of a target that is named without one', async () => {
    expect((await convert({ ...ZONE, host: 'a.example' })).target).toEqual({ host: 'a.example', port: 443 })
  })

  test('bounds the circuits through one first hop, but not through one that is named', async () => {
    expect((await convert(ZONE)).perFirstHop).toBe(8)
    expect((await convert({ ...ZONE, 'first-hop': [A] })).perFirstHop).toBe(Infinity)
    expect((await convert({ ...ZONE, 'first-hop': [A], 'per-first-hop': '4' })).perFirstHop).toBe(4)
  })

  test('wants an IPv4 address wherever A is asked', async () => {
    expect((await errorOf({ ...ZONE, expect: '2001:db8::1' })).path).toBe('--expect')
    expect((await errorOf({ ...ZONE, 'second-domain': 'b.example', 'second-expect': '2001:db8::1' })).path).toBe(
      '--second-expect',
    )
    expect((await errorOf({ ...ZONE, decoys: 'd.txt' }, { 'd.txt': 'www.zone.example 2001:db8::1' })).path).toBe(
      'd.txt:1',
    )
  })

  test('wants two stable names in the modes that may use them', async () => {
    const files = { 's.txt': 'www.zone.example\n' }
    for (const mode of ['stable', 'auto'])
      expect((await errorOf({ ...ZONE, mode, 'stable-domains': 's.txt' }, files)).path).toBe('--stable-domains')
  })

  test('has the paces of the plan', () => {
    const row = (name: keyof typeof PACE_PROFILES): readonly number[] => {
      const pace = PACE_PROFILES[name]
      return [pace.buildDelayMs, pace.delayNoiseMs, pace.queryTimeoutMs, pace.attempts, pace.circuitsPerSecond]
    }
    expect(row('conservative')).toEqual([3000, 2000, 15_000, 3, 0])
    expect(row('default')).toEqual([2000, 1000, 10_000, 2, 0])
    expect(row('aggressive')).toEqual([1000, 500, 5000, 1, 0])
    expect(row('fast')).toEqual([0, 0, 5000, 1, 5])
  })

  test('joins fingerprints of flags and file, once each, upper case', async () => {
    const file = `# exits\n${'a'.repeat(40)}\n\n$${B} # with a dollar\n`
    const options = await convert({ ...ZONE, exit: [A], 'exit-file': 'exits.txt' }, { 'exits.txt': file })
    expect(options.selection.fingerprints).toEqual([A, B])
  })

  test('reads who does not want to be tested; nobody is fine, but an empty list of exits would mean all', async () => {
    const flags = { ...ZONE, 'opt-out-file': 'out.txt' }
    expect((await convert(flags, { 'out.txt': `${A} # asked by mail\n` })).selection.optedOut).toEqual([A])
    expect((await convert(flags, { 'out.txt': '# nobody\n' })).selection.optedOut).toEqual([])
    expect((await errorOf(flags, { 'out.txt': 'relay\n' })).path).toBe('out.txt:1')
    expect((await errorOf({ ...ZONE, 'exit-file': 'exits.txt' }, { 'exits.txt': '# nobody\n' })).path).toBe('exits.txt')
  })

  test('names file and line of what is no fingerprint', async () => {
    const error = await errorOf({ ...ZONE, 'exit-file': 'exits.txt' }, { 'exits.txt': `${A}\n\n${A.slice(1)}\n` })
    expect(error.path).toBe('exits.txt:3')
    expect(error.message).toContain('39 digits')
  })

  test.each(['3/3', '1', '-1/3', '0/0', '1/9999', 'a/b'])(
    'refuses the shard %s and shows one that exists',
    async (shard) => {
      const error = await errorOf({ ...ZONE, shard })
      expect(error.path).toBe(`--shard ${shard}`)
      await convert({ ...ZONE, shard: error.hint.replace('--shard ', '') })
    },
  )

  test('counts shards from 0', async () => {
    expect((await convert({ ...ZONE, shard: '2/3' })).selection.shard).toEqual({ index: 2, count: 3 })
    expect((await errorOf({ ...ZONE, shard: '3/3' })).hint).toBe('--shard 2/3')
  })

  test('shows how to serve a zone when there is none', async () => {
    const error = await errorOf({})
    expect(error.hint).toContain('candor authority')
    expect(error.hint).toContain('--mode nxdomain')
  })

  test('asks for no zone where none is used', async () => {
    expect((await convert({ mode: 'nxdomain' })).domain).toBeNull()
    expect((await convert({ mode: 'auto' })).domain).toBeNull()
    expect((await convert({}, {}, ['dnsresolution'])).modules).toEqual(['dnsresolution'])
    expect(await convert({ module: './mine.ts' })).toMatchObject({ modules: [], moduleFiles: ['./mine.ts'] })
    expect((await convert({ ...ZONE, module: './mine.ts' }, {}, ['dnshealth'])).modules).toEqual(['dnshealth'])
  })

  test.each([
    [{ domain: 'a.example' }, '--expect'],
    [{ expect: '192.0.2.1' }, 'mode wildcard without --domain'],
    [{ ...ZONE, 'second-domain': 'b.example' }, '--second-expect'],
    [{ ...ZONE, port: '443' }, '--port'],
    [{ mode: 'stable' }, '--mode stable'],
    [{ ...ZONE, expect: 'localhost' }, '--expect'],
    [{ ...ZONE, exit: 'nickname' }, '--exit'],
    [{ ...ZONE, country: 'Germany' }, '--country'],
    [{ ...ZONE, 'run-id': '20261331000000' }, '--run-id'],
    [{ ...ZONE, 'quiet-hours': '25:00-01:00' }, '--quiet-hours'],
    [{ ...ZONE, 'direct-resolver': 'ns.example#53' }, '--direct-resolver'],
    [{ ...ZONE, 'direct-resolver': '192.0.2.53#0' }, '--direct-resolver'],
    [{ ...ZONE, domain: 'a..example' }, '--domain'],
    [{ ...ZONE, domain: `${'a'.repeat(64)}.example` }, '--domain'],
  ])('refuses %o and says why', async (flags, path) => {
    const error = await errorOf(flags)
    expect(error.path).toBe(path)
    expect(error.message.length).toBeGreaterThan(10)
    expect(error.hint.length).toBeGreaterThan(5)
  })

  test('refuses a zone under which names would be longer than 253 octets', async () => {
    const zone = (octets: number): string => `${'a'.repeat(59)}.${'b'.repeat(59)}.${'c'.repeat(octets - 120)}`
    expect((await convert({ ...ZONE, domain: zone(175) })).domain).toHaveLength(175)
    expect((await errorOf({ ...ZONE, domain: zone(176) })).message).toContain('254 octets, more than 253')
  })

  test('reads decoys and stable names', async () => {
    const files = { d: 'www.a.example 192.0.2.7 2001:DB8::7\n', s: 'a.example\nb.example.\n' }
    const options = await convert({ ...ZONE, decoys: 'd', 'stable-domains': 's' }, files)
    expect(options.decoys).toEqual([{ name: 'www.a.example', addresses: ['192.0.2.7', '2001:db8::7'] }])
    expect(options.stableDomains).toEqual(['a.example', 'b.example'])
    expect((await errorOf({ ...ZONE, decoys: 'd' }, { d: '\nwww.a.example\n' })).path).toBe('d:2')
  })

  test('reads resolvers, quiet hours, target and bad exits', async () => {
    const options = await convert({
      ...ZONE,
      'direct-resolver': '127.0.0.1#5353',
      'quiet-hours': '23:00-06:30',
      host: 'a.example',
      port: '80',
      'bad-exits': true,
      'run-id': '20260131_235959',
    })
    expect(options.directResolver).toEqual({ address: '127.0.0.1', port: 5353 })
    expect(options.quietHours).toEqual({ fromMinute: 1380, toMinute: 390 })
    expect(options.target).toEqual({ host: 'a.example', port: 80 })
    expect(options.selection.badExits).toBe('only')
    expect(options.runId).toBe('20260131235959')
    expect((await convert({ ...ZONE, 'all-exits': false })).selection.badExits).toBe('exclude')
  })
})
