/**
 * Nobody is asked faster than the caps say, however many resolvers share a network: counted where the queries arrive.
 */
import { describe, expect, test } from 'vitest'
import { queryPairs, type PairPlan } from '../../src/campaigns/satellite/query-pairs.ts'
import { publicAddressPlan, type AddressPlan } from '../../src/core/address-plan.ts'
import { createSeededRandom } from '../../src/core/random.ts'
import type { Net } from '../../src/net/net.ts'
import { nodeClock } from '../../src/platform/node-clock.ts'
import { nodeNet } from '../../src/platform/node-net.ts'
import { startSmallWorld } from '../satellite-fixtures/small-world.ts'
import { createVirtualClock, type VirtualClock } from '../sim/virtual-clock.ts'

const RESOLVERS = 200
const CAPS = { perResolver: 0.5, perPrefix: 5, perAs: 8, rate: 11, isAskedFor: true }
const LATENCY_MS = 15
const WINDOW_MS = 1000
const isFull = process.env['CANDOR_TEST_FULL'] === '1'

/** Three /24s in two systems. */
const addressesIn = (network: string): readonly string[] =>
  Array.from({ length: RESOLVERS }, (_, index) => `${network}.${1 + (index % 3)}.${1 + Math.floor(index / 3)}`)
const systemOf = (address: string): number => (address.split('.')[2] === '3' ? 64_501 : 64_500)
const plan: AddressPlan = {
  ...publicAddressPlan,
  isPublic: () => true,
  lookup: (octets) => ({ asn: systemOf(octets.join('.')), asName: '', country: '' }),
}

interface Seen {
  readonly address: string
  readonly atMs: number
}

/** A network in which everybody answers after some time. */
function createAnsweringNet(clock: VirtualClock, seen: Seen[]): Net {
  const bindUdp: Net['bindUdp'] = (_local, { onDatagram }) =>
    Promise.resolve({
      local: { address: '0.0.0.0', port: 1 },
      close: () => {},
      send: (octets, to) => {
        seen.push({ address: to.address, atMs: clock.nowMs() })
        const record = [0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 198, 51, 100, 7]
        const reply = Uint8Array.from([...octets, ...record])
        reply.set([0x81, 0x80, 0, 1, 0, 1], 2)
        clock.setTimer(LATENCY_MS, () => {
          onDatagram(reply, to)
        })
        return Promise.resolve()
      },
    })
  return { ...nodeNet, bindUdp }
}

function planOf(resolvers: readonly string[], changes: Partial<PairPlan> = {}): PairPlan {
  return {
    resolvers,
    domains: Array.from({ length: 100 }, (_, index) => `name${index}.example`),
    kind: 'resolver',
    firstNumber: 0,
    controlName: 'control.example',
    policy: 'v2.2',
    seed: 'caps',
    caps: CAPS,
    timeoutMs: 1_000,
    isDone: () => false,
    mayAsk: () => true,
    signal: new AbortController().signal,
    onUnmeasured: () => {},
    ...changes,
  }
}

/** The most queries that any second saw, for the worst of those that share a key. */
function most(seen: readonly Seen[], keyOf: (address: string) => string): number {
  const times = Map.groupBy(seen, ({ address }) => keyOf(address))
  let worst = 0
  for (const list of times.values()) {
    let first = 0
    for (const [last, { atMs }] of list.entries()) {
      while ((list[first]?.atMs ?? 0) <= atMs - WINDOW_MS) first++
      worst = Math.max(worst, last - first + 1)
    }
  }
  return worst
}

function expectCaps(seen: readonly Seen[]): void {
  expect(most(seen, (address) => address)).toBeLessThanOrEqual(CAPS.perResolver + 1)
  expect(most(seen, (address) => address.slice(0, address.lastIndexOf('.')))).toBeLessThanOrEqual(CAPS.perPrefix + 1)
  expect(most(seen, (address) => String(systemOf(address)))).toBeLessThanOrEqual(CAPS.perAs + 1)
  expect(most(seen, () => '')).toBeLessThanOrEqual(CAPS.rate + 1)
}

async function runVirtually(changes: Partial<PairPlan>, network: string, seconds: number): Promise<readonly Seen[]> {
  const clock = createVirtualClock()
  const seen: Seen[] = []
  const controller = new AbortController()
  const machine = { clock, net: createAnsweringNet(clock, seen), addressPlan: plan, createRandom: createSeededRandom }
  const pairs = queryPairs(machine, planOf(addressesIn(network), { ...changes, signal: controller.signal }))
  const drained = (async (): Promise<void> => {
    for await (const pair of pairs) expect(pair.trials).not.toEqual([])
  })()
  for (let step = 0; step < seconds * 20; step++) await clock.advance(50)
  controller.abort()
  await clock.advance(20_000)
  await drained
  return seen
}

describe('queryPairs', () => {
  test('keeps to the caps of resolver, prefix, system and all, over a minute, and comes near them', async () => {
    const seen = await runVirtually({}, '198.18', 60)
    expectCaps(seen)
    // Two of the three prefixes are in one system: 8/s there, at most 5/s in the other, 11/s in all.
    expect(seen.length).toBeGreaterThan(60 * CAPS.rate * 0.9)
  })

  test('paces addresses of the Internet by the defaults, and those of a laboratory only when asked to', async () => {
    const caps = { ...CAPS, isAskedFor: false }
    expectCaps(await runVirtually({ caps }, '9.9', 5))
    const free = await runVirtually({ caps }, '198.18', 2)
    expect(most(free, () => '')).toBeGreaterThan(CAPS.rate * 10)
  })

  test('asks in the same order with the same ids for the same seed, and in another one for another', async () => {
    const order = async (seed: string): Promise<readonly string[]> => {
      const domains = ['a.example', 'b.example', 'c.example']
      const seen = await runVirtually({ seed, domains, caps: { ...CAPS, perResolver: 10 } }, '198.18', 10)
      return seen.map(({ address }) => address)
    }
    const first = await order('one')
    expect(first.length).toBeGreaterThan(50)
    expect(await order('one')).toEqual(first)
    expect(await order('two')).not.toEqual(first)
  })

  test.runIf(isFull)('keeps to the caps for a real minute, counted by real servers', { timeout: 120_000 }, async () => {
    const addresses = addressesIn('198.18')
    await using world = await startSmallWorld(addresses, {})
    const controller = new AbortController()
    const machine = { clock: nodeClock, net: world.net, addressPlan: plan, createRandom: createSeededRandom }
    const timer = setTimeout(() => {
      controller.abort()
    }, 60_000)
    const options = { controlName: 'alive.example.net', signal: controller.signal }
    for await (const pair of queryPairs(machine, planOf(addresses, options))) expect(pair.trials.length).toBe(2)
    clearTimeout(timer)
    expectCaps(world.seen.map(({ resolver, atMs }) => ({ address: resolver, atMs })))
    expect(world.seen.length).toBeGreaterThan(400)
  })
})
