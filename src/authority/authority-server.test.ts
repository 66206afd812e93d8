import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { formatCompactTime, formatIsoTime } from '../core/clock.ts'
import { decodeMessage } from '../dns/decode-message.ts'
import { encodeMessage } from '../dns/encode-message.ts'
import type { DnsMessage, Edns } from '../dns/message.ts'
import { formatName, parseName, type Name } from '../dns/name.ts'
import { formatRdata } from '../dns/rdata.ts'
import { CLASS_IN, TYPE_A, TYPE_AAAA, TYPE_DS, TYPE_MX, TYPE_NS, TYPE_SOA, TYPE_TXT } from '../dns/rr-type.ts'
import type { AuthorityQuery } from '../model/authority-query.ts'
import type { Connection, Endpoint } from '../net/net.ts'
import { nodeClock } from '../platform/node-clock.ts'
import { nodeNet } from '../platform/node-net.ts'
import { startAuthority, type AuthorityOptions, type RunningAuthority } from './authority-server.ts'

const LOCAL: Endpoint = { address: '127.0.0.1', port: 0 }
const ZONE = {
  name: 'probe.example.org',
  addresses: ['192.0.2.1', '2001:db8::1'],
  apexAddresses: ['192.0.2.9'],
  nameServers: [{ name: 'ns1.probe.example.org', addresses: ['192.0.2.53'] }],
}
const FINGERPRINT = 'A'.repeat(40)

interface Server extends AsyncDisposable {
  readonly authority: RunningAuthority
  readonly endpoint: Endpoint
  readonly records: AuthorityQuery[]
}

async function start(options: Partial<AuthorityOptions> = {}): Promise<Server> {
  const records: AuthorityQuery[] = []
  const authority = await startAuthority({
    net: nodeNet,
    clock: nodeClock,
    zones: [ZONE, { name: 'nx.example.org', addresses: [] }],
    listen: [LOCAL],
    log: { record: (query) => records.push(query) },
    ...options,
  })
  const endpoint = authority.endpoints[0] ?? LOCAL
  return { authority, endpoint, records, [Symbol.asyncDispose]: () => authority.close() }
}

function name(text: string): Name {
  const parsed = parseName(text)
  if (parsed === undefined) throw new Error(`no name: ${text}`)
  return parsed
}

interface Ask {
  readonly edns?: Partial<Edns>
  readonly id?: number
  readonly opcode?: number
  readonly class?: number
}

function makeQuery(text: string, type: number, how: Ask = {}): Uint8Array {
  return encodeMessage({
    header: {
      id: how.id ?? 4711,
      response: false,
      opcode: how.opcode ?? 0,
      authoritative: false,
      truncated: false,
      recursionDesired: false,
      recursionAvailable: false,
      reserved: false,
      authenticData: false,
      checkingDisabled: false,
      rcode: 0,
    },
    questions: [{ name: name(text), type, class: how.class ?? CLASS_IN }],
    answers: [],
    authorities: [],
    additionals: [],
    edns:
      how.edns === undefined
        ? undefined
        : { udpSize: 1232, extendedRcode: 0, version: 0, dnssecOk: false, reservedFlags: 0, options: [], ...how.edns },
  })
}

/** Sends datagrams and collects what comes back until `count` came or 300 ms passed without. */
async function exchange(endpoint: Endpoint, datagrams: readonly Uint8Array[], count = 1): Promise<Uint8Array[]> {
  const answers: Uint8Array[] = []
  const done = Promise.withResolvers<void>()
  const socket = await nodeNet.bindUdp(LOCAL, {
    onDatagram: (octets) => {
      if (answers.push(octets) >= count) done.resolve()
    },
    onError: () => {
      done.resolve()
    },
  })
  for (const datagram of datagrams) await socket.send(datagram, endpoint)
  const timer = nodeClock.setTimer(count > 0 ? 5_000 : 300, done.resolve)
  await done.promise
  timer.cancel()
  socket.close()
  return answers
}

function decode(octets: Uint8Array | undefined): DnsMessage {
  const decoded = decodeMessage(octets ?? new Uint8Array(0))
  if (decoded.kind === 'malformed') throw new Error(decoded.reason)
  return decoded.message
}

async function ask(server: Server, text: string, type: number, how: Ask = {}): Promise<DnsMessage> {
  const [octets] = await exchange(server.endpoint, [makeQuery(text, type, how)])
  return decode(octets)
}

const lines = (message: DnsMessage): string[] =>
  message.answers.map((record) => `${formatName(record.name)} ${record.ttl} ${formatRdata(record.rdata)}`)

function runName(run = '20260131120000', now = nodeClock.wallNowMs()): string {
  const ms = formatIsoTime(now).slice(20, 23)
  return `${run}.1.${formatCompactTime(now)}${ms}.${FINGERPRINT}.probe.example.org`
}

describe('startAuthority', () => {
  test('answers A and AAAA at the wildcard and the apex, with a low TTL and AA', async () => {
    await using server = await start()
    const answer = await ask(server, 'a.b.c.Probe.example.ORG', TYPE_A)
    expect(lines(answer)).toEqual(['a.b.c.Probe.example.ORG 60 192.0.2.1'])
    expect(answer.header).toMatchObject({ authoritative: true, response: true, id: 4711, rcode: 0 })
    expect(lines(await ask(server, 'x.probe.example.org', TYPE_AAAA))).toEqual(['x.probe.example.org 60 2001:db8::1'])
    expect(lines(await ask(server, 'probe.example.org', TYPE_A))).toEqual(['probe.example.org 60 192.0.2.9'])
  })

  test('serves SOA and NS with the address of the name server', async () => {
    await using server = await start()
    expect(lines(await ask(server, 'probe.example.org', TYPE_SOA))).toEqual([
      'probe.example.org 60 ns1.probe.example.org. hostmaster.probe.example.org. 1 3600 600 604800 60',
    ])
    const servers = await ask(server, 'probe.example.org', TYPE_NS)
    expect(lines(servers)).toEqual(['probe.example.org 60 ns1.probe.example.org.'])
    expect(servers.additionals.map((record) => formatRdata(record.rdata))).toEqual(['192.0.2.53'])
  })

  test('tells NODATA, NXDOMAIN and REFUSED apart', async () => {
    await using server = await start()
    const outcome = async (text: string, type: number): Promise<readonly [number, number, number]> => {
      const { header, answers, authorities } = await ask(server, text, type)
      return [header.rcode, answers.length, authorities.filter((record) => record.type === TYPE_SOA).length]
    }
    expect(await outcome('x.probe.example.org', TYPE_MX)).toEqual([0, 0, 1])
    expect(await outcome('probe.example.org', TYPE_MX)).toEqual([0, 0, 1])
    expect(await outcome('x.nx.example.org', TYPE_A)).toEqual([3, 0, 1])
    expect(await outcome('nx.example.org', TYPE_A)).toEqual([0, 0, 1])
    expect(await outcome('example.org', TYPE_A)).toEqual([5, 0, 0])
    expect(await outcome('.', TYPE_NS)).toEqual([5, 0, 0])
    expect(await outcome('probe.example.org', 252)).toEqual([5, 0, 0])
  })

  test('keeps names between a record and the apex as empty non-terminals, which no wildcard covers', async () => {
    const txt = { kind: 'txt', strings: [new TextEncoder().encode('here')] } as const
    const record = { name: name('deep.empty.probe.example.org'), type: TYPE_TXT, class: CLASS_IN, ttl: 5, rdata: txt }
    await using server = await start({ zones: [{ ...ZONE, records: [record] }] })
    expect(lines(await ask(server, 'deep.empty.probe.example.org', TYPE_TXT))).toEqual([
      'deep.empty.probe.example.org 5 "here"',
    ])
    expect((await ask(server, 'empty.probe.example.org', TYPE_A)).header.rcode).toBe(0)
    expect((await ask(server, 'empty.probe.example.org', TYPE_A)).answers).toEqual([])
    expect((await ask(server, 'other.empty.probe.example.org', TYPE_A)).header.rcode).toBe(3)
    expect(lines(await ask(server, 'other.probe.example.org', TYPE_A))).toEqual([
      'other.probe.example.org 60 192.0.2.1',
    ])
  })

  test('refuses what it does not do, each with its code', async () => {
    await using server = await start()
    expect((await ask(server, 'probe.example.org', TYPE_SOA, { opcode: 4 })).header).toMatchObject({
      rcode: 4,
      opcode: 4,
    })
    expect((await ask(server, 'probe.example.org', TYPE_A, { class: 3 })).header.rcode).toBe(5)
    const badVersion = await ask(server, 'probe.example.org', TYPE_A, { edns: { version: 1 } })
    expect([badVersion.header.rcode, badVersion.edns?.extendedRcode, badVersion.edns?.version]).toEqual([0, 1, 0])
    const twoQuestions = makeQuery('probe.example.org', TYPE_A).with(5, 2)
    expect((await exchange(server.endpoint, [twoQuestions]))[0]).toEqual(
      Uint8Array.of(0x12, 0x67, 0x80, 1, 0, 0, 0, 0, 0, 0, 0, 0),
    )
  })

  test('records who asked and how', async () => {
    await using server = await start()
    await ask(server, 'MiXed.probe.example.org', TYPE_A, {
      edns: {
        udpSize: 1400,
        dnssecOk: true,
        options: [
          { kind: 'client_subnet', address: '198.51.100.0', sourceBits: 24, scopeBits: 0 },
          { kind: 'cookie', client: new Uint8Array(8), server: new Uint8Array(0) },
        ],
      },
    })
    await ask(server, 'elsewhere.example.com', TYPE_DS)
    expect(server.records).toMatchObject([
      {
        source_address: '127.0.0.1',
        transport: 'udp',
        query_name: 'MiXed.probe.example.org',
        query_type: 'A',
        id: 4711,
        recursion_desired: false,
        edns_udp_size: 1400,
        dnssec_ok: true,
        client_subnet: '198.51.100.0/24',
        cookie: true,
        mixed_case: true,
        outcome: 'answered',
        rcode: 0,
      },
      { query_type: 'DS', edns_udp_size: null, client_subnet: null, mixed_case: false, outcome: 'refused', rcode: 5 },
    ])
    expect(server.records[0]?.timestamp).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/)
  })

  test('limits a source to TC = 1, never silence, and exempts names of a run in progress', async () => {
    await using server = await start({ responsesPerSecond: 1 })
    const ids = Array.from({ length: 30 }, (_, id) => id)
    const queries = ids.map((id) => makeQuery(`n${id}.probe.example.org`, TYPE_A, { id }))
    const answers = (await exchange(server.endpoint, queries, queries.length)).map(decode)
    expect(answers).toHaveLength(30)
    const truncated = answers.filter((answer) => answer.header.truncated)
    expect(truncated.length).toBeGreaterThan(20)
    expect(truncated.every((answer) => answer.answers.length === 0)).toBe(true)
    // The bucket of this source is empty now; the run goes on.
    const exempt = await Promise.all(
      ids.slice(0, 10).map((id) => ask(server, runName('20260131120000', nodeClock.wallNowMs() + id), TYPE_A, { id })),
    )
    expect(exempt.every((answer) => !answer.header.truncated && answer.answers.length === 1)).toBe(true)
    // The same form with a moment long ago is no run in progress.
    const stale = await ask(server, runName('20260101000000', nodeClock.wallNowMs() - 3_600_000), TYPE_A)
    expect(stale.header.truncated).toBe(true)
    expect(server.authority.limitedCount('20260101000000')).toBe(1)
    expect(server.authority.limitedCount('20260131120000')).toBe(0)
    expect(server.records.filter((record) => record.outcome === 'truncated')).toHaveLength(truncated.length + 1)
  })

  test('answers the same name a few times only, and stops exempting at the cap', async () => {
    await using server = await start({ responsesPerSecond: 1 })
    const repeated = runName()
    const queries = Array.from({ length: 40 }, (_, id) => makeQuery(repeated, TYPE_A, { id }))
    const answers = (await exchange(server.endpoint, queries, queries.length)).map(decode)
    expect(answers.filter((answer) => !answer.header.truncated).length).toBeLessThanOrEqual(16 + 5)
    await using capped = await start({ responsesPerSecond: 1, exemptPerSecond: 3 })
    const names = Array.from({ length: 40 }, (_, id) => runName('20260131120000', nodeClock.wallNowMs() + id))
    const others = await exchange(
      capped.endpoint,
      names.map((text) => makeQuery(text, TYPE_A)),
      names.length,
    )
    expect(others.map(decode).filter((answer) => answer.header.truncated).length).toBeGreaterThan(20)
  })

  test('hands out a cookie, and does not limit an address that has proven itself with it', async () => {
    await using server = await start({ responsesPerSecond: 1 })
    const client = Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8)
    const withCookie = (id: number, serverCookie: Uint8Array): Uint8Array =>
      makeQuery(`c${id}.probe.example.org`, TYPE_A, {
        id,
        edns: { options: [{ kind: 'cookie', client, server: serverCookie }] },
      })
    const [first] = await exchange(server.endpoint, [withCookie(0, new Uint8Array(0))])
    const option = decode(first).edns?.options.find((candidate) => candidate.kind === 'cookie')
    expect(option).toMatchObject({ client })
    expect(option?.server).toHaveLength(16)
    const queries = Array.from({ length: 30 }, (_, id) => withCookie(id, option?.server ?? client))
    const answers = (await exchange(server.endpoint, queries, queries.length)).map(decode)
    expect(answers.every((answer) => !answer.header.truncated)).toBe(true)
    const malformed = makeQuery('c.probe.example.org', TYPE_A, {
      edns: { options: [{ kind: 'unknown', code: 10, octets: new Uint8Array(5) }] },
    })
    expect((await exchange(server.endpoint, [malformed]))[0]?.[3]).toBe(1)
  })

  test('serves many queries on one TCP connection, in chunks of any size', async () => {
    await using server = await start()
    const queries = Array.from({ length: 50 }, (_, id) => makeQuery(`t${id}.probe.example.org`, TYPE_A, { id }))
    const stream = queries.flatMap((query) => [query.length >> 8, query.length & 0xff, ...query])
    const connection = await nodeNet.connectTcp(server.endpoint, 5_000)
    for (let at = 0; at < stream.length; at += 97) await connection.write(Uint8Array.from(stream.slice(at, at + 97)))
    const answers = await readMessages(connection, queries.length)
    expect(answers.map((answer) => decode(answer).header.id)).toEqual(queries.map((_, id) => id))
    expect(server.records.every((record) => record.transport === 'tcp')).toBe(true)
    connection.close()
  })

  test('cuts off peers that are silent, slow, too long or too many', async () => {
    await using server = await start({ tcpIdleMs: 100, tcpMessageMs: 100, tcpConnectionsMax: 4 })
    const open = (): Promise<Connection> => nodeNet.connectTcp(server.endpoint, 5_000)
    const silent = await open()
    expect(await silent.read()).toBeUndefined()
    const slow = await open()
    await slow.write(Uint8Array.of(0, 40, 1))
    expect(await slow.read()).toBeUndefined()
    const long = await open()
    await long.write(Uint8Array.of(0xff, 0xff, 0))
    await expect(long.read().catch(() => undefined)).resolves.toBeUndefined()
    const first = await open()
    const second = await open()
    await expect(second.read().catch(() => undefined)).resolves.toBeUndefined()
    expect(server.authority.counters().connectionsRefused).toBe(1)
    first.close()
  })

  test('stays alive and small whatever datagrams come', async () => {
    await using server = await start()
    const datagrams = fc.sample(
      fc.oneof(
        fc.uint8Array({ maxLength: 600 }),
        // A query with octets changed: most of it is right.
        fc.tuple(fc.array(fc.tuple(fc.nat(60), fc.nat(255)), { maxLength: 4 }), fc.boolean()).map(([changes, edns]) => {
          const octets = makeQuery('abc.probe.example.org', TYPE_A, edns ? { edns: { dnssecOk: true } } : {})
          for (const [at, octet] of changes) if (at < octets.length) octets[at] = octet
          return octets
        }),
      ),
      600,
    )
    for (const datagram of datagrams) await exchangeQuietly(server.endpoint, datagram)
    const after = await ask(server, 'alive.probe.example.org', TYPE_A)
    expect(after.answers.length + (after.header.truncated ? 1 : 0)).toBe(1)
  })
})

async function exchangeQuietly(endpoint: Endpoint, datagram: Uint8Array): Promise<void> {
  const socket = await nodeNet.bindUdp(LOCAL, { onDatagram: () => {}, onError: () => {} })
  await socket.send(datagram, endpoint)
  socket.close()
}

async function readMessages(connection: Connection, count: number): Promise<Uint8Array[]> {
  let octets: number[] = []
  const messages: Uint8Array[] = []
  while (messages.length < count) {
    const chunk = await connection.read()
    if (chunk === undefined) break
    octets.push(...chunk)
    for (;;) {
      const length = ((octets[0] ?? 0) << 8) | (octets[1] ?? 0)
      if (octets.length < 2 || octets.length < 2 + length) break
      messages.push(Uint8Array.from(octets.slice(2, 2 + length)))
      octets = octets.slice(2 + length)
    }
  }
  return messages
}
