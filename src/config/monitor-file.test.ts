import { describe, expect, test } from 'vitest'
import { ConfigError } from '../core/config-error.ts'
import { parseMonitorFile, parseMonitorJson, parseMonitorTables } from './monitor-file.ts'

const RESOLVERS = ['a', 'b'].map((name) => `[[resolvers]]\nname = "${name}"\nurl = "udp://127.0.0.1:5300"\n`).join('')
const GOOD = `${RESOLVERS}
[[domains]]
name = "Shop"
domain = "Shop.zone.example."
record_type = ["A", "MX"]
category = "web"
interval = "2m"
approve = ["AS64500 2026-01-31T00:00:00Z/2026-02-01T00:00:00Z", "192.0.2.0/24"]
maintenance = ["2026-01-31T22:00:00Z/2026-02-01T02:00:00Z"]
`

/** The mistake that a text is refused for. */
function mistakeOf(text: string): ConfigError {
  try {
    parseMonitorFile('dns-monitor.toml', text)
  } catch (error) {
    if (error instanceof ConfigError) return error
    throw error
  }
  throw new Error('the file was taken')
}

describe('parseMonitorFile', () => {
  test('reads names, types, spans and resolvers', () => {
    const plan = parseMonitorFile('dns-monitor.toml', GOOD)
    expect(plan.names).toMatchObject([
      { name: 'Shop', domain: 'shop.zone.example', type: 'A', category: 'web', intervalMs: 120_000, mode: 'auto' },
      {
        type: 'MX',
        approve: [
          { text: 'AS64500', span: { fromMs: Date.parse('2026-01-31') } },
          { text: '192.0.2.0/24', span: null },
        ],
      },
    ])
    expect(plan.resolvers).toMatchObject([{ name: 'a', operator: 'a', transport: 'udp', port: 5300 }, { name: 'b' }])
  })

  test('asks three operators over HTTPS where the file names no resolver', () => {
    const { resolvers } = parseMonitorFile('f', '[[domains]]\ndomain = "zone.example"')
    expect(resolvers.map(({ operator, transport }) => [operator, transport])).toEqual([
      ['cloudflare', 'https'],
      ['google', 'https'],
      ['quad9', 'https'],
    ])
  })

  test.each<readonly [string, string, number, RegExp, RegExp]>([
    ['domain', 'domain = "a b"', 2, /"a b" is no name/, /domain = "shop/],
    ['no domain', 'name = "x"', 1, /"domain" is missing/, /domain = /],
    ['record_type', 'domain = "zone.example"\nrecord_type = "AX"', 3, /"AX" cannot be watched/, /of A, AAAA/],
    ['interval', 'domain = "zone.example"\ninterval = "0s"', 3, /"0s" is no interval/, /1s to 24h/],
    ['interval as a number', 'domain = "zone.example"\ninterval = 60', 3, /is a text in quotes/, /interval = "60s"/],
    ['mode', 'domain = "zone.example"\nmode = "automatic"', 3, /two modes/, /"auto" or "pin"/],
    ['pin without values', 'domain = "zone.example"\nmode = "pin"', 3, /everything would page/, /expect = /],
    ['maintenance', 'domain = "zone.example"\nmaintenance = ["tonight"]', 3, /no span of time/, /2026/],
    ['a typing error', 'domain = "zone.example"\ncatgory = "x"', 3, /no key "catgory"/, /category/],
    ['resolvers', 'domain = "zone.example"\nresolvers = ["gogle", "quad9"]', 3, /no resolver is called/, /google/],
    ['one operator', 'domain = "zone.example"\nresolvers = ["quad9"]', 3, /one operator alone/, /two operators/],
    ['expect', 'domain = "zone.example"\nexpect = [1]', 3, /text in quotes/, /expect = /],
    ['approve', 'domain = "zone.example"\napprove = [""]', 3, /text in quotes/, /approve = /],
    ['full_interval', 'domain = "zone.example"\nfull_interval = "1m"', 3, /no such interval/, /full_interval = "10m"/],
    ['name', 'domain = "zone.example"\nname = 7', 3, /text in quotes/, /name = "Shop"/],
    ['category', 'domain = "zone.example"\ncategory = 7', 3, /text in quotes/, /category = "web"/],
    ['owner', 'domain = "zone.example"\nowner = ""', 3, /not empty/, /owner = "team-web"/],
  ])('says line and right form for %s', (_what, text, line, message, hint) => {
    const mistake = mistakeOf(`[[domains]]\n${text}`)
    expect(mistake.path).toBe(`dns-monitor.toml:${line}`)
    expect(mistake.message).toMatch(message)
    expect(mistake.hint).toMatch(hint)
  })

  test.each<readonly [string, string, number]>([
    ['url', 'name = "x"\nurl = "doq://192.0.2.1"', 3],
    ['url without address', 'name = "x"\nurl = "https://dns.zone.example/"', 1],
    ['address', 'name = "x"\nurl = "https://dns.zone.example/"\naddress = "here"', 4],
    ['format', 'name = "x"\nurl = "https://192.0.2.1/"\nformat = "xml"', 4],
    ['per_second', 'name = "x"\nurl = "udp://192.0.2.1"\nper_second = "7"', 4],
    ['operator', 'name = "x"\nurl = "udp://192.0.2.1"\noperator = 7', 4],
    ['no name', 'url = "udp://192.0.2.1"', 1],
  ])('says the line of a resolver for %s', (_what, text, line) => {
    expect(mistakeOf(`[[resolvers]]\n${text}`).path).toBe(`dns-monitor.toml:${line}`)
  })

  test.each<readonly [string, number, RegExp]>([
    ['roots = "ns1.zone.example"', 1, /192\.0\.2\.53/],
    ['heartbeat = "watchdog"', 1, /https:/],
    ['self_test = "8"', 1, /08:00/],
    ['high_risk_countries = ["Nowhere"]', 1, /two letters/],
    ['[[reputation]]\nname = "x"', 1, /file = /],
    ['[[reputation]]\nfile = "x"', 1, /name = /],
    ['[[reputation]]\nfile = "x"\nname = "x"\ncategory = 1', 4, /botnet/],
    ['[[reputation]]\nfile = "x"\nname = "x"\nrefresh = "soon"', 4, /1m to 8760h/],
    ['[[reputation]]\nfile = "x"\nname = "x"\nmax_age = "1s"', 4, /168h/],
    ['[[blocklists]]\nzone = "a b"', 2, /bl\.zone\.example/],
    ['[[blocklists]]\nzone = "bl.example"\ncategory = 1', 3, /spam/],
    ['[[providers]]\nkind = "whois"', 2, /ipapi\.co/],
    ['[[providers]]\nkind = "ipapi.co"\nurl = "here"', 3, /https:\/\/ipapi\.co/],
    ['[[providers]]\nkind = "ipapi.co"\nper_minute = 0', 3, /per_minute = 1/],
  ])('says line and right form for %s', (text, line, hint) => {
    const mistake = mistakeOf(`${text}\n[[domains]]\ndomain = "zone.example"`)
    expect(mistake.path).toBe(`dns-monitor.toml:${line}`)
    expect(mistake.hint).toMatch(hint)
  })

  test('reads where walks begin, the heartbeat, the daily test and who is asked about addresses', () => {
    const text = [
      'roots = ["192.0.2.53"]',
      'heartbeat = "https://watchdog.zone.example/x"',
      'self_test = "08:30"',
      'high_risk_countries = ["xf"]',
      '[[reputation]]\nfile = "bad.txt"\nname = "own"',
      '[[blocklists]]\nzone = "BL.example."',
      '[[providers]]\nkind = "ip-api.com"',
      '[[domains]]\ndomain = "zone.example"\nfull_interval = "10m"',
    ].join('\n')
    const { extras, names } = parseMonitorFile('f', text)
    expect(names).toMatchObject([{ fullIntervalMs: 600_000 }])
    expect(extras).toEqual({
      roots: ['192.0.2.53'],
      heartbeatUrl: 'https://watchdog.zone.example/x',
      selfTestMinute: 510,
      highRiskCountries: ['XF'],
      reputation: [
        { path: 'bad.txt', name: 'own', category: 'malicious', refreshMs: 3_600_000, maxAgeMs: 604_800_000 },
      ],
      blocklists: [{ zone: 'bl.example', name: 'bl.example', category: 'malicious' }],
      providers: [{ kind: 'ip-api.com', url: 'http://ip-api.com/json/', perMinute: 40 }],
    })
    expect(parseMonitorFile('f', 'roots = "none"\n[[domains]]\ndomain = "a.example"').extras?.roots).toBeNull()
  })

  test('refuses a prefix of sinkholes that is none, a name twice, and text that is no TOML', () => {
    expect(mistakeOf('sinkholes = ["x"]\n[[domains]]\ndomain = "zone.example"').path).toBe('dns-monitor.toml:1')
    expect(mistakeOf('[[domains]]\ndomain = "a.example"\n[[domains]]\ndomain = "A.example"').message).toContain('twice')
    expect(mistakeOf('[[domains]\n').path).toBe('dns-monitor.toml:1')
  })
})

describe('parseMonitorTables', () => {
  const INLINE = `data_dir = "/x"
[monitor]
timeout = "2s"
[[monitor.resolvers]]
name = "a"
url = "udp://127.0.0.1:5300"
[[monitor.resolvers]]
name = "b"
url = "udp://127.0.0.1:5301"
[[monitor.domains]]
domain = "shop.zone.example"
channels = ["ops"]
`

  test('reads names and resolvers that stand in a larger file', () => {
    expect(parseMonitorTables('candor.toml', INLINE, ['ops'])).toMatchObject({
      names: [{ domain: 'shop.zone.example', resolvers: ['a', 'b'], channels: ['ops'] }],
    })
    expect(parseMonitorTables('candor.toml', 'data_dir = "/x"\n[monitor]\ntimeout = 2', [])).toBeUndefined()
  })

  test('says the line of a mistake in the larger file', () => {
    expect(() => parseMonitorTables('candor.toml', INLINE, ['other'])).toThrow(ConfigError)
    expect(() => parseMonitorTables('candor.toml', INLINE, ['other'])).toThrow(/no alert channel is called "ops"/)
    const mistake = ((): unknown => {
      try {
        return parseMonitorTables('candor.toml', INLINE.replace('channels', 'chanels'), ['ops'])
      } catch (error) {
        return error
      }
    })()
    expect(mistake).toMatchObject({ path: 'candor.toml:12', hint: 'channels = …' })
  })
})

describe('parseMonitorJson', () => {
  test('reads the four keys', () => {
    const text = '[{"name":"Shop","domain":"zone.example","record_type":"NS","category":"web"}]'
    expect(parseMonitorJson('DNS_MONITOR_CONFIG', text).names).toMatchObject([{ name: 'Shop', type: 'NS' }])
  })

  test.each(['', '{}', '[]', '[1]', '[{"domain":"zone.example","intervall":1}]'])('refuses %s', (text) => {
    expect(() => parseMonitorJson('DNS_MONITOR_CONFIG', text)).toThrow(ConfigError)
  })
})
