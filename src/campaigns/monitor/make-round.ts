/**
 * Makes the rounds of one plan and has them judged: resolvers first, then whoever can say more about what is new.
 *
 * Invariant: people are told before the state says so. Who is slow to corroborate delays a page by one time-out at most.
 */
import { withTimeout, type Clock } from '../../core/clock.ts'
import { canonicalIp } from '../../core/ip-address.ts'
import { formatMonitorKey, NO_MONITOR_EXTRAS, type MonitoredName, type MonitorPlan } from '../../model/monitor-name.ts'
import type { MonitorRound, ZoneFacts } from '../../model/monitor-round.ts'
import type { MonitorState, ZoneProfile } from '../../model/monitor-state.ts'
import { ROOT_SERVERS, type NameServer } from '../../vantages/root-hints.ts'
import { judgeMonitorRound, type JudgedRound } from '../../verdicts/monitor-judge.ts'
import { createMonitorState, isLearning } from '../../verdicts/monitor-profile.ts'
import { corroborate, findCandidateClass, type CorroborationOptions } from './corroborate.ts'
import { createAddressDescriber } from './describe-addresses.ts'
import { createMonitorProbe } from './monitor-probe.ts'
import { findWitness, type WatchedName } from './monitor-schedule.ts'
import type { BudgetCounters } from './resolver-budget.ts'
import type { MonitorRunOptions, WatchCapabilities } from './watch-options.ts'
import { createZoneWatch, type ZoneWatch } from './zone-watch.ts'

const HOUR_MS = 3_600_000
/** How often a zone is looked at, and how often when something about it is wrong. */
const ZONE_INTERVAL_MS = 300_000
const ZONE_SOON_MS = 5_000
/** What a zone says later than this goes into the next round: a network that lets nobody ask servers delays no round. */
const ZONE_WAIT_MS = 500

/** Makes rounds. */
export interface RoundMaker {
  /** @returns `undefined` when only the serial was asked for, and it stands still. */
  ask(watched: WatchedName, isConfirmation: boolean): Promise<MonitorRound | undefined>
  /** Corroborates, tells, and keeps the state. @throws {RunError} When it cannot be kept. */
  judge(watched: WatchedName, round: MonitorRound): Promise<void>
  counters(): Readonly<Record<string, BudgetCounters>>
  /** Ends what is under way. */
  close(): void
}

/** Prepares rounds of a plan. @param all - The names that are watched now. */
export function createRoundMaker(
  capabilities: WatchCapabilities,
  options: Pick<MonitorRunOptions, 'store' | 'tell' | 'onRound' | 'timeoutMs' | 'signal'>,
  plan: MonitorPlan,
  all: () => readonly WatchedName[],
): RoundMaker {
  const { clock, networkClock = clock } = capabilities
  const { store, tell, onRound, timeoutMs } = options
  const networked = { ...capabilities, clock: networkClock }
  const closing = new AbortController()
  const signal = AbortSignal.any([closing.signal, options.signal])
  const probe = createMonitorProbe(networked, plan, timeoutMs, clock)
  const zones = openZones(capabilities, plan, timeoutMs, signal)
  const bounded: Bounded = (found) => withTimeout(networkClock, found, timeoutMs)
  const knownZone = async (zone: string): Promise<ZoneProfile | undefined> => {
    const witness = findWitness(all(), zone)
    return witness === undefined ? undefined : (await store.load(formatMonitorKey(witness.monitored)))?.profile.zone
  }
  const describe = createAddressDescriber(networked, plan, probe, timeoutMs)
  const addNews = createNewsFinder(
    { capabilities: networked, zones, timeoutMs, knownZone },
    (judged, before) => bounded(describe(judged.answers, before.profile)),
    bounded,
  )
  return {
    ask: async (watched, isConfirmation) => {
      const serials = await findSerials(zones, watched, bounded)
      if (!isConfirmation && isStill(watched, serials, clock.nowMs())) return undefined
      const startedAtMs = clock.nowMs()
      const [round, zone] = await Promise.all([
        probe.ask(watched.monitored, isConfirmation, signal),
        withTimeout(networkClock, lookAtZone(zones, watched, all, startedAtMs), ZONE_WAIT_MS),
      ])
      if (!isConfirmation) [watched.lastFullAtMs, watched.serials] = [startedAtMs, serials]
      return zone === undefined ? round : { ...round, zone: takeZone(watched, zone) }
    },
    judge: async (watched, seen) => {
      const { monitored } = watched
      const key = formatMonitorKey(monitored)
      const before = (await store.load(key)) ?? createMonitorState()
      const first = judgeMonitorRound(before, monitored, seen)
      const round = await addNews(monitored, seen, first, before)
      // Told first: a process that is killed in between tells again, and never loses a page.
      const foreseen = round === seen ? first : judgeMonitorRound(before, monitored, round)
      for (const notice of foreseen.notices) await tell(notice, monitored)
      const judged = await store.update(key, (state) => {
        const result = state === before ? foreseen : judgeMonitorRound(state ?? createMonitorState(), monitored, round)
        return { state: result.state, result }
      })
      follow(watched, judged, clock)
      onRound(monitored, judged, round)
    },
    counters: () => probe.counters(),
    close: () => {
      closing.abort()
      probe.close()
    },
  }
}

/** Waits for one time-out at most. */
type Bounded = <T>(found: Promise<T>) => Promise<T | undefined>

/** Adds to a round that shows something new what others say about it. */
function createNewsFinder(
  options: CorroborationOptions,
  describe: (judged: JudgedRound, before: MonitorState) => Promise<MonitorRound['intelligence']>,
  bounded: Bounded,
): (monitored: MonitoredName, round: MonitorRound, judged: JudgedRound, before: MonitorState) => Promise<MonitorRound> {
  return async (monitored, round, judged, before) => {
    const subject = judged.isBaseline ? undefined : findCandidateClass(judged.answers)
    if (subject === undefined) return round
    const [more, intelligence] = await Promise.all([
      bounded(corroborate(options, before, monitored, { answers: judged.answers, round }, subject)),
      describe(judged, before),
    ])
    const corroboration = { ...round.corroboration, ...more }
    return { ...round, corroboration, ...(intelligence === undefined ? {} : { intelligence }) }
  }
}

/** What the watch remembers of a judged round. */
function follow(watched: WatchedName, { state, confirmAtMs, isZoneWanted }: JudgedRound, clock: Clock): void {
  const nowMs = clock.nowMs()
  const wallMs = clock.wallNowMs()
  watched.confirmAtMs = confirmAtMs === null ? null : nowMs + Math.max(0, confirmAtMs - wallMs)
  watched.isQuiet =
    state.candidates.length === 0 &&
    state.incidents.every(({ status }) => status !== 'open') &&
    !isLearning(state.profile, wallMs)
  if (!isZoneWanted) return
  watched.zoneAtMs = Math.min(watched.zoneAtMs, nowMs + ZONE_SOON_MS)
  const hasFar = watched.regularAtMs - nowMs > ZONE_SOON_MS
  if (hasFar && state.profile.zone !== undefined && watched.confirmAtMs === null && isPending(state.profile.zone))
    watched.confirmAtMs = nowMs + ZONE_SOON_MS
}

function isPending({ pending, ns, ds }: ZoneProfile): boolean {
  return (pending.ns !== null && ns !== null) || (pending.ds !== null && ds !== null)
}

function openZones(
  capabilities: WatchCapabilities,
  { extras = NO_MONITOR_EXTRAS, sinkholes }: MonitorPlan,
  timeoutMs: number,
  signal: AbortSignal,
): ZoneWatch | undefined {
  const { clock, networkClock = clock } = capabilities
  const { roots } = extras
  if (roots === null) return undefined
  const own: readonly NameServer[] = roots.map((address) => ({ name: [], address }))
  const trusted = new Set(roots.flatMap((address) => canonicalIp(address) ?? []))
  const asking = { ...capabilities, clock: networkClock, timeoutMs, trusted }
  // IPv4 first: not every machine has the other.
  const servers = own.length > 0 ? own : ROOT_SERVERS.filter(({ address }) => !address.includes(':'))
  return createZoneWatch({ asking, clock, roots: servers, sinkholes, signal })
}

/** The serials of a name that may be asked for them alone; `undefined` for others, and where a server is silent. */
async function findSerials(
  zones: ZoneWatch | undefined,
  { monitored }: WatchedName,
  bounded: Bounded,
): Promise<string | undefined> {
  if (zones === undefined || monitored.fullIntervalMs === undefined) return undefined
  const located = await bounded(zones.locate(monitored, HOUR_MS))
  return located === undefined ? undefined : bounded(zones.serials(located, monitored.intervalMs / 2))
}

function isStill(
  { monitored, isQuiet, lastFullAtMs, serials: before }: WatchedName,
  serials: string | undefined,
  nowMs: number,
): boolean {
  const isYoung = nowMs - lastFullAtMs < (monitored.fullIntervalMs ?? 0)
  return isQuiet && isYoung && serials !== undefined && serials === before
}

/** What is given into a round is not given again. */
function takeZone(watched: WatchedName, zone: ZoneFacts): ZoneFacts {
  watched.zoneFacts = undefined
  return zone
}

/** The zone of a name that speaks for it, when it is time, or when it came late; `undefined` otherwise. */
async function lookAtZone(
  zones: ZoneWatch | undefined,
  watched: WatchedName,
  all: () => readonly WatchedName[],
  nowMs: number,
): Promise<ZoneFacts | undefined> {
  if (watched.zoneFacts !== undefined) return watched.zoneFacts
  if (zones === undefined || watched.zoneAtMs > nowMs) return undefined
  watched.zoneAtMs = nowMs + HOUR_MS
  const located = await zones.locate(watched.monitored, ZONE_INTERVAL_MS)
  if (located === undefined) return undefined
  watched.zone = located.zoneName
  if (findWitness(all(), located.zoneName) !== watched) return undefined
  watched.zoneAtMs = nowMs + ZONE_INTERVAL_MS
  watched.zoneFacts = await zones.facts(located, ZONE_SOON_MS / 2)
  return watched.zoneFacts
}
