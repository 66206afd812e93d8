/** Disasters of the resolvers: no name that was good is quarantined, and none loses its addresses. */
import { describe, expect, test } from 'vitest'
import { currentAddresses } from '../../src/verdicts/domain-addresses.ts'
import { isQuarantined } from '../../src/verdicts/domain-score.ts'
import { hashDomain } from '../../src/verdicts/domain-schedule.ts'
import { createDomainWorld, liveOn, type DomainWorld, type Upstream } from '../sim/domain-world.ts'

const IS_FULL = (process.env['CANDOR_TEST_FULL'] ?? '') !== ''
const NAMES = IS_FULL ? 100_000 : 300
const STEP_MINUTES = 30
/** Two days of health before. */
const CALM_HOURS = 48

function isDead(name: string): boolean {
  return hashDomain(`kind ${name}`) % 10 === 0
}

function ttlSecondsOf(name: string): number {
  return 300 + (hashDomain(`ttl ${name}`) % 20_000)
}

const honest: Upstream = (name, _hours, dice) => (dice < 0.01 ? 'timeout' : isDead(name) ? 'nxdomain' : 'ok')

interface Disaster {
  readonly says: (operator: string) => Upstream
  readonly hours: number
}

const DISASTERS: Readonly<Record<string, Disaster>> = {
  'every upstream dead for an hour': { says: () => () => 'timeout', hours: 1 },
  'two of three operators deny everything for six hours': {
    says: (operator) => (operator === 'gamma' ? honest : () => 'nxdomain'),
    hours: 6,
  },
  'every operator denying everything for a day': { says: () => () => 'nxdomain', hours: 24 },
  'a quarter of the answers lost for a day': {
    says: () => (name, hours, dice) => (dice < 0.25 ? 'timeout' : honest(name, hours, 1)),
    hours: 24,
  },
  'every query failing for a day and a half': { says: () => () => 'temporary', hours: 36 },
}

/** What became of names that were good: quarantined ever, and without addresses ever. */
async function survive({
  says,
  hours,
}: Disaster): Promise<{ readonly world: DomainWorld; readonly lost: readonly string[] }> {
  const names = Array.from({ length: NAMES }, (_, at) => `n${at}.zone.example`)
  const operators = ['alpha', 'alpha', 'beta', 'beta', 'gamma', 'gamma']
  const world = createDomainWorld(
    names,
    operators.map((operator) => [
      operator,
      (name, now, dice) => {
        const isOn = now >= CALM_HOURS && now < CALM_HOURS + hours
        return isOn ? says(operator)(name, now, dice) : honest(name, now, dice)
      },
    ]),
    ttlSecondsOf,
  )
  await liveOn(world, CALM_HOURS, STEP_MINUTES)
  const good = [...world.store.rows.values()].filter(({ health }) => health.lastOkAtMs !== null).map(({ id }) => id)
  const lost = new Set<string>()
  await liveOn(world, hours + 12, STEP_MINUTES, () => {
    for (const id of good) {
      const row = world.store.rows.get(id)
      if (row === undefined) continue
      if (isQuarantined(row.health.state)) lost.add(`${row.name} is in ${row.health.state}`)
      if (currentAddresses(row.health, world.clock.wallNowMs()).length === 0) lost.add(`${row.name} has no address`)
    }
  })
  return { world, lost: [...lost] }
}

describe('a list of domains', () => {
  test.each(Object.entries(DISASTERS))('survives %s', { timeout: 1_800_000 }, async (_name, disaster) => {
    const { world, lost } = await survive(disaster)
    expect(lost).toEqual([])
    const states = world.store.countStates()
    // What is dead was found out before.
    expect(states.get('QUARANTINE')).toBeGreaterThan(NAMES * 0.05)
    expect(world.campaign.weather()).toMatchObject({ isPoolDown: false, isStorm: false })
  })
})
