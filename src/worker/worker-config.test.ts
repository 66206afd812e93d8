import { describe, expect, test } from 'vitest'
import { ConfigError } from '../core/config-error.ts'
import { readWorkerConfig, type WorkerEnvironment } from './worker-config.ts'

const SHOP = '[[domains]]\nname = "Shop"\ndomain = "shop.zone.example"\nrecord_type = "A"\n'

function read(text: string, environment: WorkerEnvironment = {}): ReturnType<typeof readWorkerConfig> {
  return readWorkerConfig({ name: 'dns-monitor.toml', text }, environment)
}

describe('readWorkerConfig', () => {
  test.each<[string, WorkerEnvironment, string, string, string]>([
    ['[[domains]]\nname = "Shop"\n', {}, 'dns-monitor.toml:1', '"domain" is missing', 'domain = '],
    [
      '[[domains]]\ndomain = "a.example"\nrecord_type = "Q"\n',
      {},
      'dns-monitor.toml:3',
      'cannot be watched',
      'A, AAAA',
    ],
    ['[[domains]\n', {}, 'dns-monitor.toml:1', '', '[[domains]]'],
    [`${SHOP}interval = "soon"\n`, {}, 'dns-monitor.toml:5', 'interval', '60s'],
    [`${SHOP}mode = "loose"\n`, {}, 'dns-monitor.toml:5', 'two modes', 'pin'],
    [`${SHOP}channels = ["mail"]\n`, {}, 'dns-monitor.toml:5', 'mail', 'channels'],
    [`[[reputation]]\nfile = "a"\nname = "a"\n${SHOP}`, {}, 'dns-monitor.toml:1', 'no files', 'blocklists'],
    ['', { DNS_MONITOR_CONFIG: '[{"name": 1}]' }, 'DNS_MONITOR_CONFIG[0]', 'domain', 'domain = '],
    ['', { DNS_MONITOR_CONFIG: '{' }, 'DNS_MONITOR_CONFIG', 'no JSON', '[{'],
    ['# nothing\n', { DNS_MONITOR_CONFIG: ' ' }, 'dns-monitor.toml:1', 'empty', '[[domains]]'],
    [SHOP, { TELEGRAM_CHAT_ID: '42' }, 'TELEGRAM_BOT_TOKEN', 'chat', 'wrangler secret put'],
    [SHOP, { TELEGRAM_BOT_TOKEN: 'x' }, 'TELEGRAM_CHAT_ID', 'chat', 'wrangler secret put'],
    [SHOP, { CANDOR_API_TOKEN: 'short' }, 'CANDOR_API_TOKEN', 'guessed', 'openssl'],
    [SHOP, { CANDOR_READ_TOKEN: 'short' }, 'CANDOR_READ_TOKEN', 'guessed', 'openssl'],
    [SHOP, { CANDOR_OWNER_TOKENS: '{"a": "short"}' }, 'CANDOR_OWNER_TOKENS', 'owners', 'team-web'],
    [SHOP, { CANDOR_OWNER_TOKENS: 'x' }, 'CANDOR_OWNER_TOKENS', 'no JSON', 'team-web'],
    [SHOP, { CANDOR_PLAN: 'gold' }, 'CANDOR_PLAN', 'gold', 'free'],
  ])('stops at %j with %j', (text, environment, place, message, hint) => {
    let caught: unknown
    try {
      read(text, environment)
    } catch (error) {
      caught = error
    }
    expect(caught).toBeInstanceOf(ConfigError)
    const error = caught as ConfigError
    expect(error.path).toBe(place)
    expect(error.message).toContain(message)
    expect(error.hint).toContain(hint)
  })

  test('stops at more resolvers for a name than an invocation can ask', () => {
    const resolvers = Array.from(
      { length: 18 },
      (_, n) => `[[resolvers]]\nname = "r${n}"\nurl = "https://8.0.1.${n}/dns-query"\n`,
    )
    expect(() => read(resolvers.join('') + SHOP)).toThrow(/18 resolvers/)
    expect(read(resolvers.join('') + SHOP, { CANDOR_PLAN: 'paid' }).planName).toBe('paid')
  })

  test('takes the file before the older list, and the list where the file is empty', () => {
    const list = JSON.stringify([{ name: 'Old', domain: 'old.zone.example', record_type: 'NS', category: 'web' }])
    const domains = (text: string): readonly string[] =>
      read(text, { DNS_MONITOR_CONFIG: list }).plan.names.map(({ domain }) => domain)
    expect([domains(SHOP), domains('# see DNS_MONITOR_CONFIG\n\n')]).toEqual([
      ['shop.zone.example'],
      ['old.zone.example'],
    ])
  })
})
