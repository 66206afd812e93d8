import { describe, expect, test } from 'vitest'
import { simNetwork, simRelay } from '../../../test/sim/relays.ts'
import { createSeededRandom } from '../../core/random.ts'
import { createKeyedLimit } from '../../measure/keyed-limit.ts'
import { allowedHops, makeFirstHopPool, pickFirstHop, type HopRecord } from './first-hops.ts'

const none = new Set<string>()
const emptyRecord = (): HopRecord => ({ load: createKeyedLimit(Infinity), failures: new Map(), answered: new Set() })
const names = (relays: readonly { readonly nickname: string }[]): string[] => relays.map(({ nickname }) => nickname)

describe('makeFirstHopPool', () => {
  test('takes measured, stable, fast guards where there are enough', () => {
    const guards = Array.from({ length: 10 }, (_, index) => simRelay(index + 1))
    const slow = simRelay(50, { flags: new Set(['Running', 'Valid', 'Guard', 'Exit']) })
    const pool = makeFirstHopPool(simNetwork([...guards, slow, simRelay(51, { measured: false })]), 64)
    expect(pool.relaxed).toEqual([])
    expect(names(pool.relays)).toEqual(names(guards))
  })

  test('drops conditions in the fixed order until the pool is large enough', () => {
    const unmeasured = Array.from({ length: 4 }, (_, index) =>
      simRelay(index + 1, { measured: false, flags: new Set(['Running', 'Valid', 'Exit']) }),
    )
    const pool = makeFirstHopPool(simNetwork(unmeasured), 8)
    expect(pool.relaxed).toEqual(['measured', 'stable_fast', 'guard'])
    expect(pool.relays).toHaveLength(4)
  })

  test('drops /16 and family only where pairs are missing', () => {
    const sameNetwork = Array.from({ length: 5 }, (_, index) =>
      simRelay(index + 1, { address: `198.7.0.${index + 1}` }),
    )
    expect(makeFirstHopPool(simNetwork(sameNetwork), 8).relaxed).toEqual(['subnet'])
  })

  test('takes the hops that the operator names as they are', () => {
    const own = simRelay(9, { flags: new Set(['Running']) })
    expect(makeFirstHopPool(simNetwork([]), 64, [own])).toEqual({ relays: [own], relaxed: [], fixed: true })
  })
})

describe('allowedHops', () => {
  const exit = simRelay(1, { family: [simRelay(2).fingerprint, 'relay3'] })
  const mutual = simRelay(2, { family: ['relay1'] })
  const oneSided = simRelay(3)
  const neighbour = simRelay(4, { address: '198.1.9.9' })
  const other = simRelay(5)

  test('leaves out the exit, its /16 and its mutual family', () => {
    const pool = { relays: [exit, mutual, oneSided, neighbour, other], relaxed: [], fixed: false }
    expect(names(allowedHops(pool, exit, none))).toEqual(['relay3', 'relay5'])
  })

  test('never allows the exit itself or its address, whatever is relaxed', () => {
    const twin = simRelay(6, { address: exit.address })
    const pool = { relays: [exit, twin, neighbour], relaxed: ['subnet', 'family'] as const, fixed: false }
    expect(names(allowedHops(pool, exit, none))).toEqual(['relay4'])
    expect(names(allowedHops({ ...pool, fixed: true }, exit, none))).toEqual(['relay4'])
  })
})

describe('pickFirstHop', () => {
  const pool = makeFirstHopPool(simNetwork(Array.from({ length: 10 }, (_, index) => simRelay(index + 1))), 8)
  const exit = simRelay(100)

  test('picks the least busy hop and none above its cap', () => {
    const load = createKeyedLimit(Infinity)
    const record = { load, failures: new Map<string, number>(), answered: new Set<string>() }
    const random = createSeededRandom('seed')
    const counts = new Map<string, number>()
    for (let i = 0; i < 30; i++) {
      const hop = pickFirstHop(pool, exit, none, record, random, 3)
      expect(hop).toBeDefined()
      if (hop === undefined) return
      load.tryTake([hop.fingerprint])
      counts.set(hop.fingerprint, (counts.get(hop.fingerprint) ?? 0) + 1)
    }
    expect([...counts.values()]).toEqual(Array.from({ length: 10 }, () => 3))
    expect(pickFirstHop(pool, exit, none, record, random, 3)).toBeUndefined()
  })

  test('passes over hops that were used', () => {
    const used = new Set(pool.relays.slice(1).map(({ fingerprint }) => fingerprint))
    const hop = pickFirstHop(pool, exit, used, emptyRecord(), createSeededRandom('seed'), 8)
    expect(hop?.nickname).toBe('relay1')
  })

  test('prefers hops that answer, and takes one that does not for want of another', () => {
    const record = emptyRecord()
    const [good, ...bad] = pool.relays
    for (const { fingerprint } of bad) record.failures.set(fingerprint, 1)
    const pick = (): string | undefined =>
      pickFirstHop(pool, exit, none, record, createSeededRandom('seed'), 1)?.fingerprint
    expect(pick()).toBe(good?.fingerprint)
    record.load.tryTake([good?.fingerprint ?? ''])
    expect(bad.map(({ fingerprint }) => fingerprint)).toContain(pick())
  })

  test('prefers hops that have answered, where that is asked for', () => {
    const record = emptyRecord()
    const proven = pool.relays[3]?.fingerprint ?? ''
    record.answered.add(proven)
    expect(pickFirstHop(pool, exit, none, record, createSeededRandom('seed'), 8, true)?.fingerprint).toBe(proven)
    expect(pickFirstHop(pool, exit, new Set([proven]), record, createSeededRandom('seed'), 8, true)).toBeDefined()
  })
})
