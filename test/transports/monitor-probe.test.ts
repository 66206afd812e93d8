/** The monitor's questions over real HTTPS: what is in the requests, and what it makes of the answers. */
import { describe, expect, onTestFinished, test } from 'vitest'
import { createMonitorProbe, type MonitorProbe } from '../../src/campaigns/monitor/monitor-probe.ts'
import { publicAddressPlan } from '../../src/core/address-plan.ts'
import { createSeededRandom } from '../../src/core/random.ts'
import type { DnsMessage } from '../../src/dns/message.ts'
import { parseName } from '../../src/dns/name.ts'
import { RCODE_SERVFAIL } from '../../src/dns/rcode.ts'
import { createCertificateAuthority } from '../../src/lab/certificate-authority.ts'
import { serveDoh, type DohHandler, type DohRequestFacts } from '../../src/lab/serve-doh.ts'
import { RESOLVER_PER_SECOND_DEFAULT } from '../../src/model/monitor-name.ts'
import type { Net } from '../../src/net/net.ts'
import { nodeClock } from '../../src/platform/node-clock.ts'
import { nodeNet } from '../../src/platform/node-net.ts'
import { watch } from '../sim/monitor-world.ts'

const TYPE_NS = 2

/** Servers as told, each of another operator, and a probe that asks them: the second one in the JSON form. */
async function startProbe(handlers: readonly DohHandler[]): Promise<MonitorProbe> {
  const authority = createCertificateAuthority('Candor test', nodeClock.wallNowMs())
  const certificate = authority.issue({ names: ['127.0.0.1'] })
  const resolvers = await Promise.all(
    handlers.map(async (handler, index) => {
      const server = await serveDoh('127.0.0.1', certificate, handler)
      onTestFinished(() => server.close())
      const isJson = index === 1
      return {
        name: `r${index}`,
        operator: `r${index}`,
        transport: isJson ? ('https_json' as const) : ('https' as const),
        host: '127.0.0.1',
        path: isJson ? '/resolve' : '/dns-query',
        perSecond: RESOLVER_PER_SECOND_DEFAULT,
        ...server.endpoint,
      }
    }),
  )
  const net: Net = {
    ...nodeNet,
    connectTls: (to, options, timeoutMs) =>
      nodeNet.connectTls(to, { ...options, authorities: authority.certificate }, timeoutMs),
  }
  const random = createSeededRandom('probe')
  const plan = { names: [], resolvers, sinkholes: [] }
  const probe = createMonitorProbe({ net, clock: nodeClock, random, addressPlan: publicAddressPlan }, plan, 5_000)
  onTestFinished(() => {
    probe.close()
  })
  return probe
}

const monitored = watch({ type: 'NS', resolvers: ['r0', 'r1'] })

function answer(query: DnsMessage, rcode = 0): DnsMessage {
  const [question] = query.questions
  const [name, server] = [question?.name ?? [], parseName('NS1.Zone.example') ?? []]
  const rdata = { kind: 'ns' as const, name: server }
  const answers = rcode === 0 ? [{ name, type: TYPE_NS, class: 1, ttl: 60, rdata }] : []
  return { ...query, header: { ...query.header, response: true, recursionAvailable: true, rcode }, answers }
}

describe('createMonitorProbe', () => {
  test('passes caches of HTTP, and reads the same from the wire format and from JSON', async () => {
    const seen: DohRequestFacts[] = []
    const handler: DohHandler = (query, facts) => {
      seen.push(facts)
      return Promise.resolve(answer(query))
    }
    const probe = await startProbe([handler, handler])
    const { answers } = await probe.ask(monitored, false)
    expect(answers.map(({ outcome, units }) => [outcome, units.map(({ text }) => text)])).toEqual([
      ['answer', ['ns1.zone.example']],
      ['answer', ['ns1.zone.example']],
    ])
    expect(seen.map(({ cacheControl }) => cacheControl)).toEqual(['no-cache, no-store', 'no-cache, no-store'])
    expect(seen.map(({ url }) => /[?&]cb=\d{13}$/.test(url))).toEqual([true, true])
    expect(new Set(seen.map(({ url }) => url.split('?')[0]))).toEqual(new Set(['/dns-query', '/resolve']))
  })

  test('asks without validation after SERVFAIL, and takes two operators that answer then for broken signatures', async () => {
    const strict: DohHandler = (query) =>
      Promise.resolve(answer(query, query.header.checkingDisabled ? 0 : RCODE_SERVFAIL))
    const broken: DohHandler = (query) => Promise.resolve(answer(query, RCODE_SERVFAIL))
    const bogus = await (await startProbe([strict, strict])).ask(monitored, false)
    expect(bogus.corroboration.dnssec).toBe('bogus')
    expect(bogus.answers).toMatchObject([{ outcome: 'servfail', answersUnchecked: true }, { outcome: 'servfail' }])
    const half = await (await startProbe([strict, broken])).ask(monitored, false)
    expect(half.corroboration.dnssec).toBe('unknown')
  })

  test('leaves a resolver alone that answers with HTTP 429', async () => {
    let asked = 0
    const probe = await startProbe([
      () => {
        asked += 1
        return Promise.resolve(429)
      },
      (query) => Promise.resolve(answer(query)),
    ])
    for (let round = 0; round < 3; round++) await probe.ask(monitored, false)
    const { answers } = await probe.ask(monitored, false)
    expect(answers).toMatchObject([{ outcome: 'failure', reason: 'left alone after HTTP 429' }, { outcome: 'answer' }])
    expect({ asked, counters: probe.counters() }).toEqual({
      asked: 1,
      counters: { r0: { asked: 1, limited: 1, held: 3 }, r1: { asked: 4, limited: 0, held: 0 } },
    })
  })
})
