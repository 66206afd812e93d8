import { describe, expect, test } from 'vitest'
import { createSeededRandom, randomInt } from '../../src/core/random.ts'
import { observeMode } from '../../src/verdicts/monitor-profile.ts'
import { address, runWorld, UNKNOWN, type Script, type WorldOutcome } from '../sim/monitor-world.ts'

const DAYS = process.env['CANDOR_TEST_FULL'] === undefined ? 3 : 30
const SEEDS = ['one', 'two', 'three', 'four']
const DAY = 1_440

/** Numbers of a scenario that depend on the seed alone. */
function drawFor(seed: string): (from: number, below: number) => number {
  const random = createSeededRandom(`parameters ${seed}`)
  return (from, below) => from + randomInt(random, below - from)
}

const steady: Script = () => [address(20, 1, 1), address(20, 1, 2)]

/** Four of sixteen addresses over four prefixes of one AS, new ones in each answer. */
const rotating: Script = ({ random }) => {
  const first = randomInt(random, 16)
  return [0, 1, 2, 3].map((step) => (first + step * 5) % 16).map((host) => address(20, host >> 2, host))
}

/** From a minute on for so many minutes, what `during` says. */
function between(from: number, minutes: number, during: Script, otherwise: Script): Script {
  return (at) => (at.minute >= from && at.minute < from + minutes ? during(at) : otherwise(at))
}

function run(script: Script, seed: string, options: Partial<Parameters<typeof runWorld>[1]> = {}): WorldOutcome {
  return runWorld(script, { seed, days: DAYS, ...options })
}

describe.each(SEEDS)('judgeMonitorRound over days, seed %s', (seed) => {
  const draw = drawFor(seed)
  const start = draw(DAY, 2 * DAY)

  test.each<readonly [string, string, Script]>([
    ['a static name', 'static', steady],
    ['a rotating name', 'rotating', rotating],
    ['answers that differ by resolver', 'geographic', ({ resolver }) => [address(20 + resolver, 1, 1)]],
    ['two content networks', 'multi_cdn', ({ random }) => [address(randomInt(random, 100) < 10 ? 30 : 20, 1, 1)]],
    [
      'two content networks that change for all at once',
      'multi_cdn',
      ({ roundDraw }) => [address(roundDraw % 100 < 10 ? 30 : 20, 1, 1)],
    ],
    ['failures', 'static', (at) => (randomInt(at.random, 100) < 2 ? 'failure' : steady(at))],
    ['a daily outage', 'static', (at) => (at.minute % DAY >= 600 && at.minute % DAY < 603 ? 'servfail' : steady(at))],
    ['slow drift within an AS', 'static', ({ minute }) => [address(20, 1 + Math.floor(minute / 700), 1)]],
    ['a rare answer', 'static', (at) => (randomInt(at.random, 1_000) < 1 ? [address(99, 1, 1)] : steady(at))],
  ])('pages nobody for %s and sees it as %s', (_what, mode, script) => {
    const { pages, state } = run(script, seed)
    expect(pages).toEqual([])
    expect(observeMode(state.profile)).toBe(mode)
  })

  test.each<readonly [string, Script, Script]>([
    ['a hijack on all resolvers', () => [address(66, 6, 6)], steady],
    ['a hijack of a rotating name', () => [address(66, 6, 6)], rotating],
    ['a hijack that rotates within an AS', ({ random }) => [address(66, randomInt(random, 200), 1)], steady],
    [
      'a hijack that rotates over five ASes',
      ({ roundDraw }) => [address(66 + (roundDraw % 5), (roundDraw >> 4) % 200, 1)],
      steady,
    ],
  ])('pages once, in the first minute, for %s', (_what, lie, otherwise) => {
    const { pages } = run(between(start, Infinity, lie, otherwise), seed)
    expect(pages).toHaveLength(1)
    expect(pages[0]).toBeGreaterThanOrEqual(start)
    expect(pages[0]).toBeLessThan(start + 1)
  })

  test('pages once, in its first minute, for a burst of two minutes, and says that it is over', () => {
    const { pages, told } = run(
      between(start, 2, () => [address(66, 6, 6)], steady),
      seed,
    )
    expect(pages).toHaveLength(1)
    expect(pages[0]).toBeLessThan(start + 1)
    const over = told.filter(({ notice }) => notice.event === 'recovered')
    expect(over.map(({ minute }) => minute)).toEqual([start + 2 + 9])
  })

  test('opens one ticket about a resolver that lies', () => {
    const liar = draw(0, 3)
    const lie: Script = (at) => (at.resolver === liar ? [address(66, 6, 6)] : steady(at))
    const { pages, tickets, told } = run(between(start, Infinity, lie, steady), seed)
    expect(pages).toEqual([])
    expect(tickets).toHaveLength(1)
    expect(told.find(({ notice }) => notice.event === 'new')?.notice.incident).toMatchObject({
      subject: 'diverges',
      resolver: ['cloudflare', 'google', 'quad9'][liar],
    })
  })

  test('opens one ticket for a move to another provider, which closes itself', () => {
    // A cache may hold the old answer for some minutes.
    const lag = [0, draw(1, 9), draw(1, 9)]
    const move: Script = (at) =>
      at.minute >= start + (lag[at.resolver] ?? 0) ? [address(40, 1, 1), address(40, 2, 1)] : steady(at)
    const { pages, tickets, told, state } = run(move, seed, {
      corroboration: (minute) => (minute >= start ? { ...UNKNOWN, tls: 'valid', authoritative: 'all' } : UNKNOWN),
    })
    expect(pages).toEqual([])
    expect(tickets).toHaveLength(1)
    const closed = told.filter(({ notice }) => notice.event === 'recovered')
    expect(closed).toHaveLength(1)
    expect(closed[0]?.notice.incident).toMatchObject({ status: 'changed' })
    expect(Object.keys(state.profile.asns)).toContain('AS40')
    expect((closed[0]?.minute ?? 0) - start).toBeLessThan(DAY + 15)
  })
})
