import { describe, expect, test } from 'vitest'
import { createVirtualClock } from '../../../test/sim/virtual-clock.ts'
import type { AttemptOutcome } from '../../model/domain.ts'
import type { DomainResolver } from './domain-resolver-spec.ts'
import { ResolverPool } from './resolver-pool.ts'

function makeResolvers(operators: readonly string[], perSecond = 0): readonly DomainResolver[] {
  return operators.map((operator, at) => {
    const endpoint = { address: `192.0.2.${at + 1}`, port: 53 }
    return { name: `${operator}${at}`, operator, target: { transport: 'udp', endpoint }, perSecond }
  })
}

const said = (outcome: AttemptOutcome): { readonly outcome: AttemptOutcome; readonly rttMs: number | null } => ({
  outcome,
  rttMs: outcome === 'timeout' ? null : 10,
})

describe('ResolverPool', () => {
  test('lets a resolver rest after five failures, probes it, and takes it back after two answers', async () => {
    const clock = createVirtualClock()
    const pool = new ResolverPool(makeResolvers(['a', 'b']), clock, undefined)
    for (let i = 0; i < 5; i++) pool.learn(0, said('timeout'))
    expect([pool.usable(), pool.isDegraded, pool.isDown, pool.rests]).toEqual([[1], true, false, 1])
    expect([pool.members()[0]?.state, pool.takeProbes()]).toEqual(['cooldown', []])
    await clock.advance(30_000)
    expect([pool.members()[0]?.state, pool.takeProbes(), pool.takeProbes()]).toEqual(['half_open', [0], []])
    pool.learn(0, said('ok'))
    expect([pool.usable(), pool.takeProbes()]).toEqual([[1], [0]])
    pool.learn(0, said('nxdomain'))
    expect([pool.usable(), pool.isDegraded]).toEqual([[0, 1], false])
  })

  test('is down when everybody rests', () => {
    const pool = new ResolverPool(makeResolvers(['a', 'b']), createVirtualClock(), undefined)
    for (const at of [0, 1]) for (let i = 0; i < 5; i++) pool.learn(at, said('refused'))
    expect([pool.isDown, pool.choose(() => true)]).toEqual([true, undefined])
  })

  test('prefers who has a vote, takes turns, and keeps to the pace of each', async () => {
    const clock = createVirtualClock()
    const pool = new ResolverPool(makeResolvers(['a', 'b', 'c'], 50), clock, undefined)
    const { signal } = new AbortController()
    for (const name of ['x', 'y', 'z']) pool.contradict(0, name)
    const chosen: (number | undefined)[] = []
    for (let i = 0; i < 4; i++) {
      const at = pool.choose(() => true)
      chosen.push(at)
      void pool.takeTurn(at ?? 0, signal)
    }
    expect(chosen.filter((at) => at === 1)).toHaveLength(2)
    expect(chosen.filter((at) => at === 2)).toHaveLength(2)
    // Two queries an attempt: 25 attempts a second each.
    expect([pool.waitMs(1, clock.nowMs()), pool.waitMs(0, clock.nowMs())]).toEqual([80, 0])
    expect(pool.choose(({ operator }) => operator === 'a')).toBe(0)
    await clock.advance(1_000)
  })

  test('asks the bench where fewer than three of the active set are awake, and remembers what it learned', () => {
    const clock = createVirtualClock()
    const resolvers = makeResolvers(['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'])
    const pool = new ResolverPool(resolvers, clock, undefined)
    for (const [at] of resolvers.entries()) pool.learn(at, { outcome: 'ok', rttMs: 10 + at })
    pool.rank()
    expect(pool.usable()).toEqual([0, 1, 2, 3, 4, 5])
    for (const at of [0, 1, 2, 3]) for (let i = 0; i < 5; i++) pool.learn(at, said('timeout'))
    expect(pool.usable()).toEqual([4, 5, 6, 7])
    const again = new ResolverPool(resolvers, clock, pool.save())
    expect(again.members().map(({ isActive }) => isActive)).toEqual(pool.members().map(({ isActive }) => isActive))
    expect(again.members()[0]?.health).toEqual(pool.members()[0]?.health)
  })
})
