import { describe, expect, test } from 'vitest'
import { startAuthority } from '../authority/authority-server.ts'
import { createSeededRandom } from '../core/random.ts'
import { decodeMessage } from '../dns/decode-message.ts'
import { encodeQuery } from '../dns/encode-message.ts'
import type { DnsMessage } from '../dns/message.ts'
import { formatName, parseName, type Name } from '../dns/name.ts'
import { TYPE_A, TYPE_AAAA } from '../dns/rr-type.ts'
import type { AuthorityQuery } from '../model/authority-query.ts'
import type { Endpoint } from '../net/net.ts'
import { nodeClock } from '../platform/node-clock.ts'
import { nodeNet } from '../platform/node-net.ts'
import { FAULTS } from './faults.ts'
import { POISONED_ADDRESSES, PRIVATE_ADDRESS, REWRITTEN_ADDRESSES, RIGHT_ADDRESSES } from './lab-addresses.ts'
import { type MisbehavingResolver, startMisbehavingResolver } from './misbehaving-dns.ts'

const ZONE = 'zone.test'
const OTHER_ZONE = 'pages.test'
const RELAY = 'A'.repeat(40)
const RESOLVER_ADDRESS = '127.9.8.53'
const MACHINE = { net: nodeNet, clock: nodeClock, random: createSeededRandom('misbehaving-dns') }

interface World extends AsyncDisposable {
  readonly resolver: MisbehavingResolver
  readonly log: readonly AuthorityQuery[]
}

/** An authority with two zones and one resolver with the fault of that name before it. */
async function startWorld(faultName: string): Promise<World> {
  const log: AuthorityQuery[] = []
  const authority = await startAuthority({
    net: nodeNet,
    clock: nodeClock,
    zones: [
      { name: ZONE, addresses: RIGHT_ADDRESSES },
      { name: OTHER_ZONE, addresses: ['198.51.100.80'] },
    ],
    listen: [{ address: '127.9.8.1', port: 0 }],
    log: {
      record: (query) => {
        log.push(query)
      },
    },
  })
  const endpoint = authority.endpoints[0] as Endpoint
  const resolver = await startMisbehavingResolver(MACHINE, {
    listen: { address: RESOLVER_ADDRESS, port: 0 },
    zones: [ZONE, OTHER_ZONE].map((name) => ({ name: nameOf(name), authority: endpoint, measured: name === ZONE })),
    behaviour: behaviourOf(faultName),
  })
  return {
    resolver,
    log,
    [Symbol.asyncDispose]: async () => {
      await resolver.close()
      await authority.close()
    },
  }
}

function behaviourOf(faultName: string): (typeof FAULTS)[number]['behaviour'] {
  const found = FAULTS.find((it) => it.name === faultName)
  if (found === undefined) throw new Error(`no fault ${faultName}`)
  return found.behaviour
}

function nameOf(text: string): Name {
  const name = parseName(text)
  if (name === undefined) throw new Error(`no name ${text}`)
  return name
}

function runName(attempt: number, label = RELAY): string {
  return `20260131235959.${attempt}.20260131235959123.${label}.${ZONE}`
}

/** Asks over UDP. @returns The response; `undefined` when none comes within the time-out. */
async function ask(to: Endpoint, name: string, type: number, timeoutMs = 3_000): Promise<DnsMessage | undefined> {
  const { promise, resolve } = Promise.withResolvers<DnsMessage | undefined>()
  const socket = await nodeNet.bindUdp(
    { address: '127.9.8.2', port: 0 },
    {
      onDatagram: (octets) => {
        const decoded = decodeMessage(octets)
        resolve(decoded.kind === 'message' ? decoded.message : undefined)
      },
      onError: () => {
        resolve(undefined)
      },
    },
  )
  const timer = setTimeout(resolve, timeoutMs, undefined)
  await socket.send(encodeQuery({ id: 7, name: nameOf(name), type, recursionDesired: true }), to)
  const response = await promise
  clearTimeout(timer)
  socket.close()
  return response
}

/** Asks for A over TCP, in two pieces. @returns The response; `undefined` when the connection is closed. */
async function askTcp(to: Endpoint, name: string): Promise<DnsMessage | undefined> {
  const connection = await nodeNet.connectTcp(to, 1_000)
  const query = encodeQuery({ id: 7, name: nameOf(name), type: TYPE_A, recursionDesired: true })
  const framed = Uint8Array.of(0, query.length, ...query)
  await connection.write(framed.subarray(0, 9))
  await connection.write(framed.subarray(9))
  const octets = await connection.read()
  connection.close()
  const decoded = octets && decodeMessage(octets.subarray(2))
  return decoded?.kind === 'message' ? decoded.message : undefined
}

function addressesIn(message: DnsMessage | undefined): readonly string[] | undefined {
  return message?.answers.map((it) => (it.rdata.kind === 'a' || it.rdata.kind === 'aaaa' ? it.rdata.address : '?'))
}

describe('startMisbehavingResolver', () => {
  test('asks the authority from its own address and repeats the question as it was spelled', async () => {
    await using world = await startWorld('right')
    const name = runName(1, 'aAbB'.repeat(10))
    const response = await ask(world.resolver.endpoint, name, TYPE_A)
    expect(addressesIn(response)).toEqual([RIGHT_ADDRESSES[0]])
    expect(response?.questions.map((it) => formatName(it.name))).toEqual([name])
    expect(response?.answers.map((it) => formatName(it.name))).toEqual([name])
    expect(response?.header).toMatchObject({ id: 7, rcode: 0, recursionAvailable: true, authoritative: false })
    expect(world.log).toMatchObject([{ source_address: RESOLVER_ADDRESS, query_name: name, edns_udp_size: 1232 }])
    expect(world.resolver.counters()).toEqual({ queries: 1, zoneQueries: 1, asked: 1 })
  })

  test.each([
    ['wrong_address', 0, [REWRITTEN_ADDRESSES[0]], 0],
    ['poisoned', 0, [POISONED_ADDRESSES[0]], 1],
    ['private_after_asking', 0, [PRIVATE_ADDRESS], 1],
    ['private_without_asking', 0, [PRIVATE_ADDRESS], 0],
    ['nxdomain', 3, [], 0],
    ['nodata', 0, [], 0],
    ['servfail', 2, [], 0],
    ['refused', 5, [], 0],
    ['notimp', 4, [], 0],
    ['ipv6_only', 0, [], 0],
    ['ipv4_only', 0, [RIGHT_ADDRESSES[0]], 1],
    ['wrong_ipv6', 0, [RIGHT_ADDRESSES[0]], 1],
  ])('answers A with the fault %s by RCODE %i and %j after asking %i times', async (fault, rcode, addresses, asked) => {
    await using world = await startWorld(fault)
    const response = await ask(world.resolver.endpoint, runName(1), TYPE_A)
    expect(response?.header.rcode).toBe(rcode)
    expect(addressesIn(response)).toEqual(addresses)
    expect(world.log).toHaveLength(asked)
  })

  test.each([
    ['right', [RIGHT_ADDRESSES[1]]],
    ['ipv6_only', [RIGHT_ADDRESSES[1]]],
    ['ipv4_only', []],
    ['wrong_ipv6', [REWRITTEN_ADDRESSES[1]]],
    ['wrong_address', []],
  ])('answers AAAA with the fault %s by %j', async (fault, addresses) => {
    await using world = await startWorld(fault)
    expect(addressesIn(await ask(world.resolver.endpoint, runName(1), TYPE_AAAA))).toEqual(addresses)
  })

  test('stays silent as a black hole, over TCP as well', async () => {
    await using world = await startWorld('black_hole')
    expect(await ask(world.resolver.endpoint, runName(1), TYPE_A, 200)).toBeUndefined()
    expect(await askTcp(world.resolver.endpoint, runName(1))).toBeUndefined()
    expect(world.resolver.counters().zoneQueries).toBe(2)
  })

  test('truncates over UDP and closes over TCP', async () => {
    await using world = await startWorld('truncated')
    const response = await ask(world.resolver.endpoint, runName(1), TYPE_A)
    expect(response?.header).toMatchObject({ truncated: true, rcode: 0 })
    expect(await askTcp(world.resolver.endpoint, runName(1))).toBeUndefined()
  })

  test('answers over TCP, in pieces too', async () => {
    await using world = await startWorld('right')
    expect(addressesIn(await askTcp(world.resolver.endpoint, runName(1)))).toEqual([RIGHT_ADDRESSES[0]])
  })

  test('follows its script by the attempt in the name, whatever was asked before', async () => {
    await using world = await startWorld('intermittent')
    const { endpoint } = world.resolver
    const rcodes = []
    for (const attempt of [2, 1, 1, 4, 3]) rcodes.push((await ask(endpoint, runName(attempt), TYPE_A))?.header.rcode)
    expect(rcodes).toEqual([0, 2, 2, 0, 2])
  })

  test('says that noise does not exist, unless everything is hijacked', async () => {
    await using right = await startWorld('right')
    await using hijacker = await startWorld('answers_everything_alike')
    expect((await ask(right.resolver.endpoint, 'qzkx.invalid', TYPE_A))?.header.rcode).toBe(3)
    expect(addressesIn(await ask(hijacker.resolver.endpoint, 'qzkx.invalid', TYPE_A))).toEqual(['203.0.113.88'])
    expect(right.resolver.counters()).toEqual({ queries: 1, zoneQueries: 0, asked: 0 })
  })

  test('lies about the names of others only, where that is the fault', async () => {
    await using world = await startWorld('lies_elsewhere')
    expect(addressesIn(await ask(world.resolver.endpoint, runName(1), TYPE_A))).toEqual([RIGHT_ADDRESSES[0]])
    expect(addressesIn(await ask(world.resolver.endpoint, `www.${OTHER_ZONE}`, TYPE_A))).toEqual(['203.0.113.77'])
  })

  test.each([
    ['lower_cased_question', { mixed_case: false }],
    ['mixed_case', { mixed_case: true }],
    ['client_subnet', { client_subnet: '192.0.2.0/24' }],
    ['without_edns', { edns_udp_size: null }],
  ])('asks in the style of %s', async (fault, seen) => {
    await using world = await startWorld(fault)
    const response = await ask(world.resolver.endpoint, runName(1), TYPE_A)
    expect(addressesIn(response)).toEqual([RIGHT_ADDRESSES[0]])
    expect(world.log).toMatchObject([seen])
  })

  test('asks for the parents first when it minimises', async () => {
    await using world = await startWorld('minimising')
    await ask(world.resolver.endpoint, runName(1), TYPE_A)
    expect(world.log.map((it) => [it.query_type, it.query_name.split('.').length])).toEqual([
      ['NS', 3],
      ['NS', 4],
      ['NS', 5],
      ['A', 6],
    ])
  })
})
