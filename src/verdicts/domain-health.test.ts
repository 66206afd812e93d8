import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { createDomainHealth, type DomainHealth, type DomainOutcome } from '../model/domain.ts'
import { currentAddresses } from './domain-addresses.ts'
import {
  applyDomainEvent,
  currentScore,
  releaseDomain,
  type DomainConditions,
  type DomainEvent,
} from './domain-health.ts'
import { hashDomain, nextHardSlot } from './domain-schedule.ts'
import { bandScore, decayScore, isQuarantined, scoreOutcome } from './domain-score.ts'

const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS
const START_MS = Date.parse('2026-01-01T00:00:00Z')
const NAME = 'shop.zone.example'
const CALM: DomainConditions = { nxHardQuarantine: false, isStorm: false, isNxGuarded: false, isPoolDown: false }
const HARD: DomainConditions = { ...CALM, nxHardQuarantine: true }
const FOUND = [{ address: '192.0.2.1', source: 'alpha' }]

function event(outcome: DomainOutcome, atMs: number, isConfirming = false): DomainEvent {
  const isFound = outcome === 'OK' || outcome === 'RUNTIME'
  return { outcome, atMs, addresses: isFound ? FOUND : [], ttlSeconds: 300, negativeSeconds: 0, isConfirming }
}

/** Applies outcomes at hours. */
function apply(
  outcomes: readonly (readonly [hours: number, outcome: DomainOutcome])[],
  conditions: DomainConditions = CALM,
  health: DomainHealth = createDomainHealth(START_MS),
): DomainHealth {
  return outcomes.reduce(
    (before, [hours, outcome]) =>
      applyDomainEvent(NAME, before, event(outcome, START_MS + hours * HOUR_MS), conditions).health,
    health,
  )
}

function daily(days: number, outcome: DomainOutcome): readonly (readonly [number, DomainOutcome])[] {
  return Array.from({ length: days }, (_, day) => [day * 24, outcome] as const)
}

describe('applyDomainEvent', () => {
  test.each([CALM, HARD])('gives the vectors of both settings %#', (conditions) => {
    const isHard = conditions.nxHardQuarantine
    expect(apply([[0, 'NX2']], conditions)).toMatchObject({ scoreMilli: -15_000, state: 'QUARANTINE' })
    const second = apply(daily(2, 'NX2'), conditions)
    expect(second).toMatchObject({ scoreMilli: -30_000, state: 'QUARANTINE' })
    const third = apply(daily(3, 'NX2'), conditions)
    expect(third).toMatchObject(
      isHard
        ? { scoreMilli: -40_000, state: 'HARD', hardUntilMs: START_MS + 9 * DAY_MS }
        : { scoreMilli: -30_000, state: 'QUARANTINE', hardUntilMs: null },
    )
    const torn = apply([[0, 'NX1'], [6, 'NX1']], conditions) // prettier-ignore
    expect(torn).toMatchObject({ scoreMilli: -13_607, state: 'QUARANTINE' })
    expect(apply(daily(60, 'TIMEOUT'), conditions)).toMatchObject({ scoreMilli: -10_000, state: 'SUSPECT' })
    const stormy = apply(daily(24, 'TIMEOUT'), { ...conditions, isStorm: true })
    expect(stormy).toMatchObject({ scoreMilli: 0, state: 'SUSPECT' })
    const good = apply([[0, 'OK'], [6, 'OK'], [30, 'OK'], [54, 'OK']], conditions) // prettier-ignore
    expect(good).toMatchObject({ scoreMilli: 24_145, state: 'ACTIVE' })
    const long = apply(daily(400, 'OK'), conditions)
    expect(long).toMatchObject({ scoreMilli: 38_774, state: 'ACTIVE' })
    const deadAt = 400 * 24
    const states = [deadAt, deadAt + 24, deadAt + 30].map((_, index, hours) =>
      apply(
        hours.slice(0, index + 1).map((at) => [at, 'NX2'] as const),
        conditions,
        long,
      ),
    )
    expect(states.map(({ state }) => state)).toEqual(['STABLE', 'SUSPECT', 'QUARANTINE'])
  })

  test('scores a check once in five hours, and always lets success out of quarantine', () => {
    expect(apply([[0, 'TIMEOUT'], [4.9, 'TIMEOUT']]).scoreMilli).toBe(-3_000) // prettier-ignore
    expect(apply([[0, 'TIMEOUT'], [5, 'TIMEOUT']]).scoreMilli).toBe(decayScore(-3_000, 5 * HOUR_MS) - 3_000) // prettier-ignore
    const out = apply([[0, 'NX2'], [1, 'OK']]) // prettier-ignore
    expect(out).toMatchObject({ scoreMilli: 0, state: 'SUSPECT', nx2SinceMs: null })
    expect((out.nextCheckAtMs - START_MS - HOUR_MS) / HOUR_MS).toBeCloseTo(6, -0.5)
  })

  test('puts what was seen at run time to the head of the queue, once an hour', () => {
    const out = apply([[0, 'NX2'], [1, 'RUNTIME']]) // prettier-ignore
    expect(out).toMatchObject({
      scoreMilli: 12_000,
      state: 'STABLE',
      refreshAtMs: 0,
      nextCheckAtMs: START_MS + HOUR_MS,
    })
    expect(apply([[0, 'RUNTIME'], [0.9, 'RUNTIME']]).scoreMilli).toBe(12_000) // prettier-ignore
    expect(apply([[0, 'RUNTIME'], [1, 'RUNTIME']]).scoreMilli).toBeGreaterThan(23_000) // prettier-ignore
  })

  test('probes HARD once a day in the slot of the name, and shows it to somebody after a week', () => {
    const hard = apply(daily(3, 'NX2'), HARD)
    const slotMs = (hashDomain(NAME) % 86_400) * 1000
    expect(hard.nextCheckAtMs % DAY_MS).toBe(slotMs)
    expect(hard.nextCheckAtMs).toBeGreaterThan(START_MS + 2 * DAY_MS)
    expect(hard.refreshAtMs).toBeNull()
    const later = apply(
      Array.from({ length: 8 }, (_, day) => [(3 + day) * 24, 'NX2'] as const),
      HARD,
      hard,
    )
    expect(later).toMatchObject({ needsReview: true, hardUntilMs: START_MS + 16 * DAY_MS })
    expect(apply([[300, 'OK']], HARD, later)).toMatchObject({ state: 'SUSPECT', needsReview: false, hardUntilMs: null })
  })

  test('does not hold a guard against a name', () => {
    const guarded = { ...CALM, isNxGuarded: true }
    const good = apply([[0, 'OK'], [6, 'OK']]) // prettier-ignore
    const denied = apply([[12, 'NX2'], [24, 'NX2'], [40, 'NX1']], guarded, good) // prettier-ignore
    expect(denied).toMatchObject({ scoreMilli: good.scoreMilli, state: 'STABLE', nx2SinceMs: null })
    expect(denied.addresses).toEqual(good.addresses)
    expect(apply([[12, 'TIMEOUT']], { ...CALM, isPoolDown: true }, good).scoreMilli).toBe(good.scoreMilli)
  })

  test('drops a set after a second confirmed denial an hour later, in quarantine only', () => {
    const good = apply([[0, 'OK']])
    const first = apply([[6, 'NX2']], CALM, good)
    expect(first).toMatchObject({ state: 'SUSPECT', isSuspectSet: true })
    expect(first.addresses).toHaveLength(1)
    const second = apply([[12, 'NX2']], CALM, first)
    expect(second).toMatchObject({ state: 'QUARANTINE', addresses: [] })
    const atOnce = apply([[0, 'NX2']])
    expect(atOnce.confirmAtMs).toBe(START_MS + HOUR_MS)
    const kept = { ...atOnce, addresses: [{ ...FOUND[0], seenAtMs: START_MS }], lastOkAtMs: START_MS } as DomainHealth
    const early = applyDomainEvent(NAME, kept, event('NX2', START_MS + HOUR_MS - 1, true), CALM)
    expect(early.health.addresses).toHaveLength(1)
    const confirmed = applyDomainEvent(NAME, kept, event('NX2', START_MS + HOUR_MS, true), CALM)
    expect(confirmed).toMatchObject({ reason: 'confirming', health: { addresses: [], scoreMilli: -15_000 } })
    expect(confirmed.health.confirmAtMs).toBeNull()
  })

  test('keeps the answers of a day together, and what is stale for two days or three', () => {
    const at = (hours: number, outcome: DomainOutcome, address: string): DomainEvent => ({
      ...event(outcome, START_MS + hours * HOUR_MS),
      addresses: [{ address, source: 'alpha' }],
    })
    const one = applyDomainEvent(NAME, createDomainHealth(START_MS), at(0, 'OK', '192.0.2.1'), CALM).health
    const two = applyDomainEvent(NAME, one, at(23, 'OK', '192.0.2.2'), CALM).health
    expect(two.addresses.map(({ address }) => address)).toEqual(['192.0.2.2', '192.0.2.1'])
    const three = applyDomainEvent(NAME, two, at(24, 'OK', '192.0.2.3'), CALM).health
    expect(three.addresses.map(({ address }) => address)).toEqual(['192.0.2.3', '192.0.2.2'])
    const after = (hours: number): number => START_MS + (24 + hours) * HOUR_MS
    expect(currentAddresses(apply([[71, 'TIMEOUT']], CALM, three), after(48))).toHaveLength(2)
    expect(currentAddresses(three, after(48) + 1)).toEqual([])
    const used = { ...three, runtimeSeenAtMs: START_MS }
    expect(currentAddresses(used, after(72))).toHaveLength(2)
    expect(currentAddresses(used, after(72) + 1)).toEqual([])
  })

  test('releases by hand', () => {
    const dead = apply(daily(2, 'NX2'))
    expect(releaseDomain(dead, START_MS + 60 * HOUR_MS)).toMatchObject({ scoreMilli: 0, state: 'SUSPECT' })
  })
})

const OUTCOMES: readonly DomainOutcome[] = [
  'OK', 'RUNTIME', 'NX2', 'NX1', 'TIMEOUT', 'TEMP', 'NODATA', 'FILTERED', 'REFUSED',
] // prettier-ignore
const anyConditions = fc.record({
  nxHardQuarantine: fc.boolean(),
  isStorm: fc.boolean(),
  isNxGuarded: fc.boolean(),
  isPoolDown: fc.boolean(),
})
const anyHistory = fc.array(
  fc.tuple(fc.constantFrom(...OUTCOMES), fc.integer({ min: 1, max: 100 * 60 }), fc.boolean(), anyConditions),
  { maxLength: 40 },
)

function replay(history: readonly (readonly [DomainOutcome, number, boolean, DomainConditions])[]): {
  readonly health: DomainHealth
  readonly atMs: number
} {
  let [health, atMs] = [createDomainHealth(START_MS), START_MS]
  for (const [outcome, minutes, isConfirming, conditions] of history) {
    atMs += minutes * 60_000
    health = applyDomainEvent(NAME, health, event(outcome, atMs, isConfirming), conditions).health
  }
  return { health, atMs }
}

describe('any history of a domain', () => {
  test('of time-outs and temporary failures stays in SUSPECT', () => {
    const failures = fc.array(fc.tuple(fc.constantFrom('TIMEOUT', 'TEMP'), fc.integer({ min: 1, max: 6000 })))
    fc.assert(
      fc.property(failures, anyConditions, (history, conditions) => {
        const { health } = replay(history.map(([outcome, minutes]) => [outcome, minutes, false, conditions] as const))
        expect(health.state).toBe('SUSPECT')
      }),
    )
  })

  test('never leaves quarantine by time alone, and always by success', () => {
    fc.assert(
      fc.property(anyHistory, fc.nat(), anyConditions, (history, waitMs, conditions) => {
        const { health, atMs } = replay(history)
        expect(isQuarantined(health.state) && currentScore(health, atMs + waitMs) !== health.scoreMilli).toBe(false)
        for (const outcome of ['OK', 'RUNTIME'] as const) {
          const after = applyDomainEvent(NAME, health, event(outcome, atMs + waitMs), conditions).health
          expect(isQuarantined(after.state)).toBe(false)
        }
      }),
    )
  })

  test('keeps an address that was good through temporary failures, within the stale limit', () => {
    const failures = fc.array(
      fc.tuple(
        fc.constantFrom('TIMEOUT', 'TEMP', 'REFUSED', 'NX1', 'NODATA', 'FILTERED'),
        fc.integer({ min: 1, max: 600 }),
      ),
      { maxLength: 30 },
    )
    fc.assert(
      fc.property(anyHistory, failures, anyConditions, (history, later, conditions) => {
        const { health, atMs } = replay(history)
        let [state, nowMs] = [applyDomainEvent(NAME, health, event('OK', atMs + 1), conditions).health, atMs + 1]
        const good = state.addresses
        for (const [outcome, minutes] of later) {
          nowMs += minutes * 60_000
          if (nowMs > atMs + 1 + 48 * HOUR_MS) break
          state = applyDomainEvent(NAME, state, event(outcome, nowMs), conditions).health
          expect(currentAddresses(state, nowMs)).toEqual(good)
        }
      }),
    )
  })

  test('has whole scores in their bounds, the state that they mean, and a next check', () => {
    fc.assert(
      fc.property(anyHistory, (history) => {
        const { health, atMs } = replay(history)
        expect(Number.isInteger(health.scoreMilli)).toBe(true)
        expect(Math.abs(health.scoreMilli)).toBeLessThanOrEqual(40_000)
        expect(health.state).toBe(bandScore(health.scoreMilli))
        expect(health.nextCheckAtMs).toBeLessThanOrEqual(atMs + 1.1 * DAY_MS)
        expect(health.refreshAtMs === null).toBe(isQuarantined(health.state))
      }),
    )
  })
})

describe('bandScore', () => {
  test('has the bounds of the vectors', () => {
    expect([-10_000, -10_001, -30_000, -30_001, 4_999, 5_000, 19_999, 20_000].map(bandScore)).toEqual([
      'SUSPECT', 'QUARANTINE', 'QUARANTINE', 'HARD', 'SUSPECT', 'STABLE', 'STABLE', 'ACTIVE',
    ]) // prettier-ignore
  })
})

describe('scoreOutcome', () => {
  test('lets a floor stop a fall and never raise', () => {
    expect(scoreOutcome(-25_000, 'TIMEOUT', false)).toBe(-25_000)
    expect(scoreOutcome(-40_000, 'NX2', false)).toBe(-40_000)
    expect(scoreOutcome(39_000, 'OK', false)).toBe(40_000)
  })
})

describe('nextHardSlot', () => {
  test('is the same second of each day, always ahead', () => {
    fc.assert(
      fc.property(fc.string(), fc.integer({ min: 0, max: 4e12 }), (name, atMs) => {
        const slotMs = nextHardSlot(name, atMs)
        expect(slotMs).toBeGreaterThan(atMs)
        expect(slotMs - atMs).toBeLessThanOrEqual(DAY_MS)
        expect((slotMs % DAY_MS) / 1000).toBe(hashDomain(name) % 86_400)
      }),
    )
  })
})
