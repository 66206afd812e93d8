/** Names whose answers do what a scenario says, seen by three resolvers of three operators, on a clock of their own. */
import { createSeededRandom, randomInt, type Random } from '../../src/core/random.ts'
import type { MonitorScript, ScriptAnswer } from '../../src/lab/monitor-scripts.ts'
import type { MonitoredName } from '../../src/model/monitor-name.ts'
import type {
  AnswerUnit,
  Corroboration,
  MonitorRound,
  ResolverAnswer,
  ZoneFacts,
} from '../../src/model/monitor-round.ts'
import type { MonitorNotice, MonitorState } from '../../src/model/monitor-state.ts'
import { judgeMonitorRound } from '../../src/verdicts/monitor-judge.ts'
import { createMonitorState } from '../../src/verdicts/monitor-profile.ts'

const MINUTE_MS = 60_000
const ZONE_INTERVAL_MS = 5 * MINUTE_MS
const ZONE_SOON_MS = 5_000
/** Midnight of January 5th, 2026. */
export const WORLD_START_MS: number = Date.parse('2026-01-05T00:00:00Z')
/** The resolvers, each of another operator. */
export const RESOLVERS: readonly string[] = ['cloudflare', 'google', 'quad9']

/** What nobody has said anything about. */
export const UNKNOWN: Corroboration = {
  authoritative: 'unknown',
  dnssec: 'unknown',
  tls: 'unknown',
  parentNs: 'unknown',
  parentDs: 'unknown',
}

/** A name that is watched. */
export function watch(changes: Partial<MonitoredName> = {}): MonitoredName {
  return {
    name: 'Shop',
    domain: 'shop.zone.example',
    type: 'A',
    category: 'web',
    owner: null,
    intervalMs: MINUTE_MS,
    mode: 'auto',
    expect: [],
    approve: [],
    maintenance: [],
    resolvers: RESOLVERS,
    channels: [],
    ...changes,
  }
}

/** `20.0.3.7` of AS 20: the first number is the AS, the third the /24. */
export function address(as: number, net: number, host: number): AnswerUnit {
  const text = `${as}.0.${net}.${host}`
  const isBogus = as === 10 || as === 127
  return { text, asn: isBogus ? null : as, country: 'NL', prefix: `${as}.0.${net}.0/24`, isBogus, zone: null }
}

/** A record set of a type without addresses. */
export function recordSet(text: string, zone: string | null = null): AnswerUnit {
  return { text, asn: null, country: null, prefix: null, isBogus: false, zone }
}

/** An answer of a resolver whose operator has the same name. */
export function answerOf(resolver: string, said: readonly AnswerUnit[] | ResolverAnswer['outcome']): ResolverAnswer {
  const outcome = typeof said === 'string' ? said : 'answer'
  const units = typeof said === 'string' ? [] : said.toSorted((a, b) => (a.text < b.text ? -1 : 1))
  const reason = outcome === 'answer' ? null : outcome
  return { resolver, operator: resolver, outcome, units, ttlSeconds: null, isAuthenticated: false, reason }
}

/** A round in which each resolver says one thing. */
export function roundOf(
  atMs: number,
  said: readonly (readonly AnswerUnit[] | ResolverAnswer['outcome'])[],
  changes: Partial<MonitorRound> = {},
): MonitorRound {
  const answers = RESOLVERS.map((resolver, at) => answerOf(resolver, said[at] ?? 'failure'))
  return { atMs, isConfirmation: false, answers, corroboration: UNKNOWN, ...changes }
}

/** What one resolver says at a time; minutes are counted from the beginning. */
export type Script = (at: {
  readonly minute: number
  readonly resolver: number
  readonly random: Random
  /** The same number for all resolvers of a round. */
  readonly roundDraw: number
}) => readonly AnswerUnit[] | ResolverAnswer['outcome']

/** What a script's name looks like beside answers. */
export interface WorldSurroundings {
  readonly zone: (minute: number) => ZoneFacts
  readonly ttlSeconds: (minute: number) => number
}

/** How a world is run. */
export interface WorldOptions {
  readonly seed: string
  readonly days: number
  readonly monitored?: MonitoredName
  readonly corroboration?: (minute: number) => Corroboration
  /** Looked at every five minutes, and when the judge wants it. */
  readonly surroundings?: WorldSurroundings
}

/** What a run told, with the minute as a fraction, and where it ended. */
export interface WorldOutcome {
  readonly told: readonly { readonly minute: number; readonly notice: MonitorNotice }[]
  /** Beginnings that page. */
  readonly pages: readonly number[]
  /** Beginnings that open a ticket. */
  readonly tickets: readonly number[]
  readonly state: MonitorState
}

/** Runs a name through days of rounds, confirmations included. */
export function runWorld(script: Script, options: WorldOptions): WorldOutcome {
  const { seed, days, monitored = watch(), corroboration = () => UNKNOWN, surroundings } = options
  const random = createSeededRandom(seed)
  const told: { minute: number; notice: MonitorNotice }[] = []
  let state = createMonitorState()
  let zoneAtMs = WORLD_START_MS
  const ask = (atMs: number, isConfirmation: boolean): number | null => {
    const minute = (atMs - WORLD_START_MS) / MINUTE_MS
    const roundDraw = randomInt(random, 1_000_000)
    const said = RESOLVERS.map((_name, resolver) => script({ minute, resolver, random, roundDraw }))
    const isLooked = surroundings !== undefined && atMs >= zoneAtMs
    const plain = roundOf(atMs, said, { isConfirmation, corroboration: corroboration(minute) })
    const ttlSeconds = surroundings?.ttlSeconds(minute) ?? null
    const round: MonitorRound = {
      ...plain,
      answers: plain.answers.map((each) => (each.outcome === 'answer' ? { ...each, ttlSeconds } : each)),
      ...(isLooked ? { zone: surroundings.zone(minute) } : {}),
    }
    if (isLooked) zoneAtMs = atMs + ZONE_INTERVAL_MS
    const judged = judgeMonitorRound(state, monitored, round)
    state = judged.state
    told.push(...judged.notices.map((notice) => ({ minute, notice })))
    if (!judged.isZoneWanted) return judged.confirmAtMs
    zoneAtMs = Math.min(zoneAtMs, atMs + ZONE_SOON_MS)
    return judged.confirmAtMs ?? (isLooked && !isConfirmation ? zoneAtMs : null)
  }
  for (let minute = 0; minute < days * 1_440; minute++) {
    const startMs = WORLD_START_MS + minute * MINUTE_MS
    let dueMs = ask(startMs, false)
    while (dueMs !== null && dueMs < startMs + MINUTE_MS) dueMs = ask(dueMs, true)
  }
  const beginnings = (channel: string): readonly number[] =>
    told.filter(({ notice }) => notice.event === 'new' && notice.channel === channel).map(({ minute }) => minute)
  return { told, pages: beginnings('page'), tickets: beginnings('ticket'), state }
}

/** Runs a script of the laboratory through days, from a profile that learns first. */
export function runScript(
  script: MonitorScript,
  { seed, days, startMinute }: { readonly seed: string; readonly days: number; readonly startMinute: number },
): WorldOutcome {
  const counts = new Map<number, number>()
  const say: Script = ({ minute, resolver, random, roundDraw }) => {
    const asked = counts.get(resolver) ?? 0
    if (minute >= startMinute) counts.set(resolver, asked + 1)
    return toSaid(script.answer({ minute, resolver, asked, draw: (below) => randomInt(random, below), roundDraw }))
  }
  const steady = { minute: startMinute, resolver: 0, asked: 1, draw: () => 0, roundDraw: 0 }
  const isMoved = script.truth(steady) !== script.truth({ ...steady, minute: 0 })
  return runWorld(say, {
    seed,
    days,
    corroboration: (minute) => {
      if (minute < startMinute) return UNKNOWN
      return {
        ...UNKNOWN,
        tls: script.certified.length > 0 ? 'valid' : 'unknown',
        authoritative: isMoved ? 'all' : 'none',
      }
    },
    surroundings: { ttlSeconds: script.ttl, zone: (minute) => toFacts(script, minute) },
  })
}

function toSaid(said: ScriptAnswer): ReturnType<Script> {
  return typeof said === 'string' ? said : said.map(({ as, net, host }) => address(as, net, host))
}

function toFacts(script: MonitorScript, minute: number): ZoneFacts {
  const { hasOtherServers, hasDs, areSerialsApart } = script.zone(minute)
  return {
    zone: 'zone.example',
    parentNs: hasOtherServers ? ['ns1.thief.example'] : ['ns1.zone.example', 'ns2.zone.example'],
    parentDs: hasDs ? ['4711 13 2 aa'] : [],
    serials: [1, areSerialsApart ? 0 : 1].map((serial, index) => ({ server: `192.0.2.${index}`, serial })),
  }
}
