/**
 * A month of a mixed list with a storm each day: what quarantine saves, what it gets wrong, and how soon a name that comes
 * back is back. `CANDOR_TEST_FULL` has the whole of it and prints the figures of docs/design/0016-domains.md.
 */
import { describe, expect, test } from 'vitest'
import type { DomainRow, DomainState } from '../../src/model/domain.ts'
import { nextRefreshAfterFailure, hashDomain } from '../../src/verdicts/domain-schedule.ts'
import { isQuarantined } from '../../src/verdicts/domain-score.ts'
import { createDomainWorld, liveOn, WORLD_START_MS, type DomainWorld, type Upstream } from '../sim/domain-world.ts'
import { checkLiterally, isLiterallyQuarantined, type LiteralDomain } from '../sim/literal-plan.ts'

const IS_FULL = (process.env['CANDOR_TEST_FULL'] ?? '') !== ''
const NAMES = IS_FULL ? 4_000 : 240
const DAYS = IS_FULL ? 30 : 12
const STEP_MINUTES = 30
const STORM_HOURS = 1.5

const NAME_LIST: readonly string[] = Array.from({ length: NAMES }, (_, at) => `n${at}.zone.example`)

function shareOf(text: string): number {
  return hashDomain(text) / 2 ** 32
}

/** Shares of a hundred: 80 good, 8 dead, 6 flaky, 3 die, 3 come back. */
function kindOf(name: string): 'good' | 'dead' | 'flaky' | 'dies' | 'revives' {
  const share = shareOf(`kind ${name}`)
  if (share < 0.8) return 'good'
  if (share < 0.88) return 'dead'
  if (share < 0.94) return 'flaky'
  return share < 0.97 ? 'dies' : 'revives'
}

/** The hour at which a name dies or comes back. */
function turnOf(name: string): number {
  return (0.3 + 0.5 * shareOf(`turn ${name}`)) * DAYS * 24
}

function isAlive(name: string, hours: number): boolean {
  const kind = kindOf(name)
  if (kind === 'dead') return false
  if (kind === 'dies') return hours < turnOf(name)
  return kind === 'revives' ? hours >= turnOf(name) : true
}

function ttlSecondsOf(name: string): number {
  return 300 + Math.floor(shareOf(`ttl ${name}`) * 40_000)
}

/** Each day from 18:00 on: most queries are lost. */
function isStormy(hours: number): boolean {
  return hours % 24 >= 18 && hours % 24 < 18 + STORM_HOURS
}

function createUpstream(lies: number): Upstream {
  return (name, hours, dice) => {
    if (isStormy(hours) && dice < 0.75) return 'timeout'
    if (dice < 0.01) return 'timeout'
    if (!isAlive(name, hours)) return 'nxdomain'
    if (kindOf(name) === 'flaky' && dice < 0.3) return 'temporary'
    return shareOf(`lie ${name}`) < lies ? 'nxdomain' : 'ok'
  }
}

const UPSTREAMS: readonly (readonly [string, Upstream])[] = [
  ['alpha', createUpstream(0)],
  ['alpha', createUpstream(0)],
  ['beta', createUpstream(0)],
  ['gamma', createUpstream(0)],
  ['delta', createUpstream(0)],
  ['liar', createUpstream(0.2)],
]

interface Month {
  readonly attempts: number
  /** Names that were quarantined while they were alive. */
  readonly wrong: readonly string[]
  /** Hours until a name that came back was handed out again. */
  readonly delays: readonly number[]
}

async function liveMonth(hasQuarantine: boolean): Promise<Month> {
  const world = createDomainWorld(NAME_LIST, UPSTREAMS, ttlSecondsOf)
  const before = new Map<number, DomainState>()
  const wrong = new Set<string>()
  const back = new Map<string, number>()
  await liveOn(world, DAYS * 24, STEP_MINUTES, (hours) => {
    for (const row of world.store.rows.values()) {
      const { id, name, health } = row
      const isNew = isQuarantined(health.state) && !isQuarantined(before.get(id) ?? 'SUSPECT')
      if (isNew && isAlive(name, hours)) wrong.add(name)
      before.set(id, health.state)
      const isBack = kindOf(name) === 'revives' && (health.lastOkAtMs ?? 0) - WORLD_START_MS >= turnOf(name) * 3_600_000
      if (isBack && !back.has(name)) back.set(name, hours - turnOf(name))
      if (!hasQuarantine && isQuarantined(health.state)) world.store.rows.set(id, release(world, row))
    }
  })
  return { attempts: world.campaign.counters.attempts, wrong: [...wrong], delays: [...back.values()] }
}

/** Without quarantine a dead name is asked for as often as the live pass asks for any name that fails. */
function release(world: DomainWorld, row: DomainRow): DomainRow {
  const { health } = row
  const refreshAtMs = nextRefreshAfterFailure(health.failures, world.clock.wallNowMs(), false)
  return { ...row, health: { ...health, scoreMilli: 0, state: 'SUSPECT', refreshAtMs, confirmAtMs: null } }
}

function liveLiterally(): Month {
  const domains: LiteralDomain[] = NAME_LIST.map((name) => ({ name, score: 0, nextAt: 0 }))
  const wrong = new Set<string>()
  const back = new Map<string, number>()
  let [attempts, turn] = [0, 0]
  for (let hours = 0; hours < DAYS * 24; hours += STEP_MINUTES / 60) {
    for (const domain of domains) {
      if (domain.nextAt > hours) continue
      const wasQuarantined = isLiterallyQuarantined(domain)
      const ask = (name: string, at: number): ReturnType<Upstream> =>
        UPSTREAMS[at % UPSTREAMS.length]?.[1](name, hours, shareOf(`${name} ${at} ${hours}`)) ?? 'timeout'
      const ttlHours = Math.min(Math.max(ttlSecondsOf(domain.name), 300), 21_600) / 3600
      const beforeScore = domain.score
      attempts += checkLiterally(domain, ask, turn++, hours, ttlHours)
      const isOk = domain.score > beforeScore
      if (isOk && kindOf(domain.name) === 'revives' && hours >= turnOf(domain.name) && !back.has(domain.name))
        back.set(domain.name, hours - turnOf(domain.name))
      if (!wasQuarantined && isLiterallyQuarantined(domain) && isAlive(domain.name, hours)) wrong.add(domain.name)
    }
  }
  return { attempts, wrong: [...wrong], delays: [...back.values()] }
}

function describeMonth({ attempts, wrong, delays }: Month): string {
  const mean = delays.reduce((sum, delay) => sum + delay, 0) / Math.max(1, delays.length)
  const perDay = (attempts / NAMES / DAYS).toFixed(2)
  return `${perDay} attempts per domain and day, ${wrong.length} wrong quarantines, back after ${mean.toFixed(1)} h, at most ${Math.max(0, ...delays).toFixed(1)} h`
}

describe('a month of domains', () => {
  test(
    'costs less with quarantine, quarantines nobody wrongly, and finds those who come back',
    { timeout: 900_000 },
    async () => {
      const ours = await liveMonth(true)
      const without = await liveMonth(false)
      const literal = liveLiterally()
      if (IS_FULL)
        process.stdout.write(
          `ours: ${describeMonth(ours)}\nwithout quarantine: ${describeMonth(without)}\nliterally: ${describeMonth(literal)}\n`,
        )
      expect(ours.wrong).toEqual([])
      expect(ours.attempts).toBeLessThan(without.attempts)
      const revived = NAME_LIST.filter((name) => kindOf(name) === 'revives')
      expect(revived.length).toBeGreaterThan(0)
      expect(ours.delays).toHaveLength(revived.length)
      // One probe a day, an interval of a day with its jitter, and a storm that it may fall into.
      expect(Math.max(...ours.delays)).toBeLessThan(24 * 1.1 + 24 + STORM_HOURS)
    },
  )
})
