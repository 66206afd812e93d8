import { describe, expect, test } from 'vitest'
import { ConfigError } from '../core/config-error.ts'
import { EXIT_SETTING_GROUP, EXIT_SETTINGS, type ExitSettings } from './exit-settings.ts'
import { GENERAL_SETTING_GROUP } from './general-settings.ts'
import { collectSettings, loadConfig, type ConfigSources, type LoadedGroup } from './load-config.ts'

const GROUPS = [GENERAL_SETTING_GROUP, EXIT_SETTING_GROUP]

function load(sources: Partial<ConfigSources> & { readonly toml?: string }): LoadedGroup {
  const file = sources.toml === undefined ? null : { path: 'candor.toml', text: sources.toml }
  const [, exits] = loadConfig({ environment: {}, flags: new Map(), ...sources, file }, GROUPS)
  return exits ?? new Map()
}

function errorOf(action: () => unknown): ConfigError {
  try {
    action()
  } catch (error) {
    if (error instanceof ConfigError) return error
    throw error
  }
  throw new Error('nothing was thrown')
}

describe('loadConfig', () => {
  test('prefers flags to environment to file to default, and names the origin', () => {
    const toml = '[exits]\nattempts = 5\nseed = "file"\nprofile = "fast"\n'
    const environment = { CANDOR_EXITS_ATTEMPTS: '4', CANDOR_EXITS_SEED: 'environment' }
    const loaded = load({ toml, environment, flags: new Map([['attempts', '3']]) })
    expect(loaded.get('attempts')).toEqual({ value: 3, origin: '--attempts' })
    expect(loaded.get('seed')).toEqual({ value: 'environment', origin: 'CANDOR_EXITS_SEED' })
    expect(loaded.get('profile')).toEqual({ value: 'fast', origin: 'candor.toml:4' })
    expect(loaded.get('in-flight')).toEqual({ value: 64, origin: 'default' })
  })

  test('reads the same value in each spelling', () => {
    const spellings = [
      load({ toml: '[exits]\nquery_timeout = 2.5' }),
      load({ toml: '[exits]\nquery_timeout = "2500ms"' }),
      load({ environment: { CANDOR_EXITS_QUERY_TIMEOUT: '2.5' } }),
      load({ flags: new Map([['query-timeout', '2.5s']]) }),
    ]
    expect(spellings.map((loaded) => loaded.get('query-timeout')?.value)).toEqual([2500, 2500, 2500, 2500])
  })

  test('takes a list as array, with commas, and as a repeated flag', () => {
    expect(load({ toml: '[exits]\ncountry = ["de", "fr"]' }).get('country')?.value).toEqual(['de', 'fr'])
    expect(load({ environment: { CANDOR_EXITS_COUNTRY: 'de, fr' } }).get('country')?.value).toEqual(['de', 'fr'])
    expect(load({ flags: new Map([['country', ['de', 'fr,nl']]]) }).get('country')?.value).toEqual(['de', 'fr', 'nl'])
  })

  test('takes a switch as boolean and as word', () => {
    expect(load({ toml: '[exits]\nall_exits = false' }).get('all-exits')?.value).toBe(false)
    expect(load({ environment: { CANDOR_EXITS_RESUME: 'yes' } }).get('resume')?.value).toBe(true)
    expect(load({ flags: new Map([['all-exits', false]]) }).get('all-exits')?.origin).toBe('--no-all-exits')
  })

  test('does not take an empty environment variable for a value', () => {
    expect(load({ environment: { CANDOR_EXITS_DOMAIN: '' } }).get('domain')?.origin).toBe('default')
  })

  test('refuses an unknown key with its line and the nearest known key', () => {
    const error = errorOf(() => load({ toml: '# settings\n[exits]\n\nbulid_delay = 2\n' }))
    expect(error.path).toBe('exits.bulid_delay (candor.toml:4)')
    expect(error.hint).toContain('exits.build_delay')
  })

  test('refuses a key of the table that stands at the top of the file', () => {
    expect(errorOf(() => load({ toml: 'domain = "a.example"' })).hint).toContain('exits.domain')
  })

  test('refuses an unknown environment variable of ours and ignores those of others', () => {
    expect(errorOf(() => load({ environment: { CANDOR_EXITS_DOMIAN: 'x' } })).hint).toBe('CANDOR_EXITS_DOMAIN=…')
    expect(load({ environment: { CANDOR_LAB_X: 'x', EXITS_DOMIAN: 'y' } }).get('domain')?.value).toBeNull()
  })

  test('names line and column of text that is no TOML', () => {
    const error = errorOf(() => load({ toml: '[exits]\ndomain = example\n' }))
    expect(error.path).toBe('candor.toml:2')
    expect(error.message).toMatch(/column \d+/)
  })

  test.each([
    ['in-flight', '0'],
    ['in-flight', '513'],
    ['in-flight', '1.5'],
    ['in-flight', 'many'],
    ['query-timeout', '-1'],
    ['query-timeout', '1d'],
    ['deadline', '100h'],
    ['mode', 'wildcart'],
    ['resume', 'perhaps'],
    ['domain', ''],
  ])('refuses --%s %s with the name and a value that works', (name, value) => {
    const error = errorOf(() => load({ flags: new Map([[name, value]]) }))
    expect(error.path).toBe(`--${name}`)
    expect(error.message).toContain(name)
    expect(error.hint).toContain(`--${name}`)
    // Every setting but a switch shows a value behind its flag; that value works.
    const [shownFlag = '', shown = true] = error.hint.split(' ')
    expect(load({ flags: new Map([[shownFlag.slice(2), shown]]) }).get(name)?.origin).toBe(`--${name}`)
  })

  test('says the bounds and why, for a value out of them', () => {
    const error = errorOf(() => load({ toml: '[exits]\nper_first_hop = 5000' }))
    expect(error.path).toBe('exits.per_first_hop (candor.toml:2)')
    expect(error.message).toContain('outside 1 to 1000 circuits')
    expect(error.hint).toBe('per_first_hop = 8')
  })
})

describe('EXIT_SETTINGS', () => {
  test('has an example that each setting itself accepts', () => {
    for (const { schema, example } of EXIT_SETTING_GROUP.settings) expect(schema.safeParse(example).success).toBe(true)
  })

  test('has a default that is the value of nothing given', () => {
    const settings = collectSettings<ExitSettings>(EXIT_SETTINGS, load({}))
    for (const [key, { default: value }] of Object.entries(EXIT_SETTINGS)) expect(settings).toHaveProperty(key, value)
  })

  test('gives each setting a name and a short flag of its own', () => {
    const names = GROUPS.flatMap((group) => group.settings.map(({ name }) => name))
    const shorts = EXIT_SETTING_GROUP.settings.flatMap(({ short }) => short ?? [])
    expect(new Set(names).size).toBe(names.length)
    expect(new Set(shorts).size).toBe(shorts.length)
  })
})
