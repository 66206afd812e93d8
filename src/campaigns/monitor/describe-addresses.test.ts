import { describe, expect, test } from 'vitest'
import { address, runWorld, watch, WORLD_START_MS, answerOf } from '../../../test/sim/monitor-world.ts'
import { createVirtualClock } from '../../../test/sim/virtual-clock.ts'
import { publicAddressPlan } from '../../core/address-plan.ts'
import { FileError, type Files } from '../../core/files.ts'
import { NO_MONITOR_EXTRAS, type MonitorExtras } from '../../model/monitor-name.ts'
import type { AddressIntelligence, AnswerUnit } from '../../model/monitor-round.ts'
import type { HttpClient, HttpRequest } from '../../net/http-client.ts'
import { classifyAnswer, indexProfile } from '../../verdicts/monitor-classes.ts'
import { createAddressDescriber } from './describe-addresses.ts'

const { profile } = runWorld(() => [address(20, 1, 1)], { seed: 'describe', days: 0.2 }).state

/** What stands around addresses. */
interface Surroundings {
  readonly extras?: Partial<MonitorExtras>
  /** Name and type → values; absent names do not exist, and without any nobody answers. */
  readonly dns?: Readonly<Record<string, readonly string[]>>
  readonly file?: { readonly text: string; readonly ageMs: number }
  readonly http?: (request: HttpRequest) => { status: number; body: string }
}

interface Described {
  readonly found: readonly AddressIntelligence[]
  readonly again: () => Promise<readonly AddressIntelligence[]>
  readonly asked: readonly string[]
}

async function describeUnits(units: readonly AnswerUnit[], around: Surroundings): Promise<Described> {
  const clock = createVirtualClock()
  const asked: string[] = []
  const files = {
    info: (path: string) => {
      const modifiedAtMs = clock.wallNowMs() - (around.file?.ageMs ?? 0)
      return Promise.resolve(
        around.file === undefined ? undefined : { kind: 'file', sizeOctets: 1, mode: 0o600, modifiedAtMs, path },
      )
    },
    read: (path: string) =>
      around.file === undefined
        ? Promise.reject(new FileError('ENOENT', path))
        : Promise.resolve(new TextEncoder().encode(around.file.text)),
  } as unknown as Files
  const http: HttpClient = {
    request: (request) => {
      asked.push(request.url)
      const { status, body } = around.http?.(request) ?? { status: 500, body: '' }
      return Promise.resolve({
        kind: 'response',
        status,
        headers: {},
        body: new TextEncoder().encode(body),
        elapsedMs: 1,
      })
    },
  }
  const probe = {
    lookUp: (domain: string, type: string) => {
      asked.push(`${domain} ${type}`)
      if (around.dns === undefined) return Promise.resolve(undefined)
      const values = around.dns[`${domain} ${type}`]
      return Promise.resolve(
        values === undefined ? { outcome: 'nxdomain' as const, values: [] } : { outcome: 'answer' as const, values },
      )
    },
  }
  const describeAll = createAddressDescriber(
    { clock, addressPlan: publicAddressPlan, files, http },
    { names: [], resolvers: [], sinkholes: [], extras: { ...NO_MONITOR_EXTRAS, ...around.extras } },
    probe,
    1_000,
  )
  const answers = [classifyAnswer(answerOf('a', units), indexProfile(profile), watch(), WORLD_START_MS)]
  const found = await describeAll(answers, profile)
  return { found, again: () => describeAll(answers, profile), asked }
}

const stranger = { ...address(66, 1, 1), country: 'XF' }

describe('createAddressDescriber', () => {
  test('says whose a new address is, what it is called and how risky that is, and asks once an hour', async () => {
    const { found, again, asked } = await describeUnits([stranger], {
      dns: { '1.1.0.66.in-addr.arpa PTR': ['host.zone.example'] },
      extras: { highRiskCountries: ['XF'] },
    })
    expect(found).toMatchObject([
      {
        address: '66.0.1.1',
        asn: 66,
        country: 'XF',
        ptr: 'host.zone.example',
        score: 65,
        level: 'high',
        reputation: [],
      },
    ])
    expect(found[0]?.reasons).toEqual([
      'a country that is new for the name: XF',
      'a country of high risk: XF',
      'an AS that is new for the name: AS66',
    ])
    expect(await again()).toEqual(found)
    expect(asked).toEqual(['1.1.0.66.in-addr.arpa PTR'])
  })

  test('counts a missing PTR only when somebody said that there is none', async () => {
    const { found } = await describeUnits([stranger], { dns: {} })
    expect(found).toMatchObject([{ ptr: null, score: 60, reasons: expect.arrayContaining(['no PTR record']) }])
    const silent = await describeUnits([stranger], {})
    expect(silent.found[0]).toMatchObject({ score: 35, level: 'medium' })
    expect(silent.found[0]).not.toHaveProperty('ptr')
  })

  test('finds an address in files and DNS blocklists', async () => {
    const extras = {
      reputation: [{ path: 'bad', name: 'own', category: 'botnet', refreshMs: 60_000, maxAgeMs: 60_000 }],
      blocklists: [{ zone: 'bl.example', name: 'bl', category: 'spam' }],
    }
    const dns = { '1.1.0.66.bl.example A': ['127.0.0.2'], '1.1.0.66.in-addr.arpa PTR': ['x.example'] }
    const file = { text: '# bad\n66.0.0.0/23 ; all of them\nnonsense\n2001:db8::1\n', ageMs: 0 }
    const { found } = await describeUnits([stranger], { extras, dns, file })
    expect(found).toMatchObject([
      {
        reputation: [
          { list: 'own', category: 'botnet' },
          { list: 'bl', category: 'spam' },
        ],
        score: 135,
        level: 'critical',
      },
    ])
    const old = await describeUnits([stranger], { extras, dns: {}, file: { ...file, ageMs: 61_000 } })
    expect(old.found[0]?.reputation).toEqual([])
    const none = await describeUnits([stranger], { extras, dns: {} })
    expect(none.found[0]?.reputation).toEqual([])
  })

  test.each<readonly [MonitorExtras['providers'][number]['kind'], string, string]>([
    [
      'ip-api.com',
      'http://x/66.0.1.1?fields=status,countryCode,regionName,as,org',
      '{"status":"success","countryCode":"XG","regionName":"North","as":"AS64499 Net","org":"Org"}',
    ],
    ['ipapi.co', 'http://x/66.0.1.1/json/', '{"country_code":"XG","region":"North","asn":"AS64499","org":"Org"}'],
  ])('asks %s where the tables know nothing', async (kind, url, body) => {
    const unit = { ...stranger, asn: null, country: null }
    const extras = { providers: [{ kind, url: 'http://x/', perMinute: 5 }] }
    const { found, asked } = await describeUnits([unit], { extras, dns: {}, http: () => ({ status: 200, body }) })
    expect(asked).toContain(url)
    expect(found).toMatchObject([{ country: 'XG', region: 'North', asn: 64_499, org: 'Org' }])
    const broken = await describeUnits([unit], { extras, dns: {}, http: () => ({ status: 200, body: '[' }) })
    expect(broken.found).toMatchObject([{ country: null, region: null, asn: null, org: null }])
  })

  test('asks a service no more often than it may be asked, and nobody about a private address', async () => {
    const units = [1, 2, 3].map((host) => address(66, 1, host))
    const extras = { providers: [{ kind: 'ipapi.co' as const, url: 'http://x/', perMinute: 2 }] }
    const { asked } = await describeUnits(units, { extras, dns: {}, http: () => ({ status: 429, body: '' }) })
    expect(asked.filter((url) => url.startsWith('http'))).toHaveLength(2)
    const bogus = await describeUnits([address(10, 1, 1)], { extras, dns: {} })
    expect(bogus).toMatchObject({ asked: [], found: [{ score: 50, level: 'high' }] })
  })
})
