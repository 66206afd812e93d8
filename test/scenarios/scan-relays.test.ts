import { describe, expect, test } from 'vitest'
import type { RunGuard } from '../../src/campaigns/exits/run-guard.ts'
import { scanRelays, type ScanTask } from '../../src/campaigns/exits/scan-relays.ts'
import type { ExitResult } from '../../src/model/exit-result.ts'
import type { Relay } from '../../src/tor/tor-session.ts'
import { simRelay } from '../sim/relays.ts'
import { createScanWorld, RIGHT, type PriorCircuits, type Resolver, type ScanWorld } from '../sim/scan-world.ts'

const relays = Array.from({ length: 12 }, (_, index) => simRelay(index + 1))
const first = relays[0]?.fingerprint ?? ''

const trusting: RunGuard = {
  invalid: () => null,
  signal: new AbortController().signal,
  onControl: () => {},
  onVerdict: () => {},
  confirmZone: () => Promise.resolve(true),
  settle: () => Promise.resolve(),
}

async function scan(
  world: ScanWorld,
  exits: readonly Relay[] = relays,
  changes: Partial<ScanTask> = {},
): Promise<ReadonlyMap<string, ExitResult>> {
  const results = new Map<string, ExitResult>()
  const task: ScanTask = {
    context: world.context,
    supervisor: world.supervisor,
    guard: trusting,
    candidates: exits.map((relay) => ({ relay, reason: 'exit_flag' })),
    prior: new Map(),
    factsOf: () => ({ as: null, country: null }),
    onStarted: () => {},
    onCircuitDone: () => {},
    stopReason: () => undefined,
    onTorLost: () => {},
    ...changes,
  }
  const consume = async (): Promise<void> => {
    for await (const result of scanRelays(task)) results.set(result.exit_fingerprint, result)
  }
  const done = consume()
  // Twice the longest that one relay may take, three builds and three rounds of attempts; a scan that hangs fails here.
  await world.clock.advance(2 * 3 * (20_000 + 2 * 10_000 + 2_000))
  await done
  return results
}

const only = (fingerprint: string, resolver: Resolver): ReadonlyMap<string, Resolver> =>
  new Map([[fingerprint, resolver]])

describe('scanRelays', () => {
  test('needs one question for an exit that is right', async () => {
    const world = createScanWorld(relays)
    const results = await scan(world)
    expect([...results.values()].map(({ status }) => status)).toEqual(relays.map(() => 'success'))
    expect([...world.seen.asked.values()]).toEqual(relays.map(() => 1))
  })

  test('confirms a wrong address over another first hop', async () => {
    const resolvers = only(first, () => ({ rcode: 0, addresses: ['203.0.113.9'] }))
    const result = (await scan(createScanWorld(relays, { resolvers }))).get(first)
    expect([result?.status, result?.error_code, result?.resolved_ip]).toEqual([
      'wrong_ip',
      'WRONG_ADDRESS',
      '203.0.113.9',
    ])
    expect(new Set(result?.attempts.map(({ path }) => path[0])).size).toBe(2)
    expect(new Set(result?.attempts.map(({ query_domain: name }) => name)).size).toBe(result?.attempts.length)
  })

  test('asks again on the same circuit before it calls a lost question a failure', async () => {
    const resolvers = only(first, (attempt) => (attempt === 1 ? undefined : { rcode: 0, addresses: [RIGHT] }))
    const result = (await scan(createScanWorld(relays, { resolvers }))).get(first)
    expect(result?.status).toBe('success')
    expect(result?.attempts.map(({ status, circuit }) => [status, circuit])).toEqual([
      ['error', 1],
      ['success', 1],
    ])
  })

  test('asks a stable name once, and takes no class from what the exit remembers of it', async () => {
    const resolvers = only(first, (attempt) => ({ rcode: 2, streamReason: 'DONE', elapsedMs: attempt > 2 ? 3 : 2_000 }))
    const world = createScanWorld(relays, { resolvers }, { stableDomains: ['a.example', 'b.example'] })
    const context = { ...world.context, zone: { mode: 'stable', domain: null, ipv4: [], ipv6: [] } as const }
    const result = (await scan(world, relays, { context })).get(first)
    expect([result?.status, result?.flags]).toEqual(['timeout', ['unconfirmed', 'suspected']])
    const ofFirstCircuit = result?.attempts.filter(({ circuit }) => circuit === 1)
    expect(ofFirstCircuit?.map(({ query_domain: name }) => name)).toEqual(['a.example', 'b.example'])
  })

  test('ends with an exit that never answers an EXTEND, and blames no DNS', async () => {
    const result = (await scan(createScanWorld(relays, { frozen: new Set([first]) }))).get(first)
    expect([result?.status, result?.error_code]).toEqual(['circuit_fail', 'EXIT_FAIL'])
    expect(result?.attempts).toHaveLength(3)
  })

  test('blames a frozen first hop on itself, and passes it over afterwards', async () => {
    const hop = simRelay(50)
    const world = createScanWorld([...relays, hop], { frozen: new Set([hop.fingerprint]) }, { inFlight: 1 })
    const results = await scan(world)
    expect([...results.values()].map(({ status }) => status)).toEqual(relays.map(() => 'success'))
    expect(world.seen.firstHops.filter((fingerprint) => fingerprint === hop.fingerprint).length).toBeLessThanOrEqual(1)
  })

  test('measures an exit although three first hops in a row do not answer', async () => {
    const dead = [simRelay(50), simRelay(51), simRelay(52)]
    const frozen = new Set(dead.map(({ fingerprint }) => fingerprint))
    const exit = simRelay(1)
    const world = createScanWorld([exit, ...dead, simRelay(53)], { frozen }, { inFlight: 1 })
    const results = await scan(world, [exit])
    expect(results.get(exit.fingerprint)?.status).toBe('success')
  })

  test('asks again what was in flight when Tor died, and judges nobody by it', async () => {
    const slow = new Map(
      relays.map(({ fingerprint }) => [
        fingerprint,
        (): object => ({ rcode: 0, addresses: [RIGHT], elapsedMs: 1_000 }),
      ]),
    )
    const world = createScanWorld(relays, { resolvers: slow })
    world.clock.setTimer(500, () => {
      world.killTor()
    })
    const results = await scan(world)
    expect([...results.values()].map(({ status }) => status)).toEqual(relays.map(() => 'success'))
    expect(world.supervisor.restarts()).toBe(1)
  })

  test('gives up on a Tor that keeps dying, and calls the rest not tested', async () => {
    const slow = new Map(
      relays.map(({ fingerprint }) => [
        fingerprint,
        (): object => ({ rcode: 0, addresses: [RIGHT], elapsedMs: 9_000 }),
      ]),
    )
    const world = createScanWorld(relays, { resolvers: slow })
    const kill = (): void => {
      world.killTor()
      world.clock.setTimer(500, kill)
    }
    world.clock.setTimer(500, kill)
    let lost = false
    const onTorLost = (): void => {
      lost = true
      world.stop()
    }
    const results = await scan(world, relays, { onTorLost, stopReason: () => (lost ? 'tor_lost' : undefined) })
    expect([...results.values()].map(({ status, error_code: code }) => `${status}/${code}`)).toEqual(
      relays.map(() => 'not_tested/RUN_STOPPED'),
    )
  })

  test('records no failure while the zone does not work', async () => {
    const resolvers = only(first, () => ({ rcode: 2, streamReason: 'DONE' }))
    const guard = { ...trusting, confirmZone: () => Promise.resolve(false) }
    const results = await scan(createScanWorld(relays, { resolvers }), relays, { guard, stopReason: () => 'invalid' })
    expect(results.get(first)?.status).toBe('not_tested')
    expect([...results.values()].filter(({ status }) => status === 'success')).toHaveLength(relays.length - 1)
  })

  test('does not ask a relay that has left the consensus', async () => {
    const world = createScanWorld(relays.slice(1))
    const result = (await scan(world)).get(first)
    expect([result?.status, result?.error_code]).toEqual(['circuit_fail', 'LEFT_CONSENSUS'])
    expect(world.seen.asked.has(first)).toBe(false)
  })

  test('keeps what one probe throws from the others', async () => {
    const resolvers = only(first, () => {
      throw new TypeError('strange')
    })
    const results = await scan(createScanWorld(relays, { resolvers }))
    expect([results.get(first)?.status, results.get(first)?.error]).toEqual(['exception', 'strange'])
    expect([...results.values()].filter(({ status }) => status === 'success')).toHaveLength(relays.length - 1)
  })

  test('does not ask again what an earlier process was told', async () => {
    const told = createScanWorld(relays, { resolvers: only(first, () => ({ rcode: 3 })) })
    const circuits: { fingerprint: string; record: never }[] = []
    await scan(told, relays, {
      onCircuitDone: (fingerprint, record) => circuits.push({ fingerprint, record: record as never }),
    })
    const prior: PriorCircuits = new Map([
      [first, [circuits.find(({ fingerprint }) => fingerprint === first)?.record as never]],
    ])
    const world = createScanWorld(relays, { resolvers: only(first, () => ({ rcode: 3 })) })
    const result = (await scan(world, relays, { prior })).get(first)
    expect([result?.status, result?.error_code, result?.attempts.length]).toEqual(['dns_fail', 'PERMANENT', 2])
    expect(world.seen.asked.get(first)).toBe(1)
  })

  test('asks at most four exits of one operator at once', async () => {
    const family = relays.map(({ fingerprint }) => fingerprint)
    const guards = Array.from({ length: 12 }, (_, index) => simRelay(index + 100))
    const siblings = relays.map((relay) => ({ ...relay, family }))
    const world = createScanWorld([...siblings, ...guards], {}, { inFlight: 12 })
    const results = await scan(world, siblings)
    expect([...results.values()].map(({ status }) => status)).toEqual(relays.map(() => 'success'))
    expect(world.seen.most).toBeLessThanOrEqual(4)
  })

  test('crosses several first hops at once when asked to', async () => {
    const world = createScanWorld(relays, {}, { crossValidate: 3, hops: 3 })
    const result = (await scan(world)).get(first)
    expect(result?.attempts).toHaveLength(3)
    expect(new Set(result?.attempts.map(({ path }) => path[0])).size).toBe(3)
    expect(result?.attempts.every(({ path }) => path.length === 3)).toBe(true)
  })
})
