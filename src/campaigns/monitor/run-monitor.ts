/**
 * Watches names until it is told to stop: rounds at their intervals, confirming rounds when they are due.
 *
 * Invariant: people are told before the state says so: at least once, never not at all. While our own vantage is down no state changes. Names that are asked
 * at once are bounded.
 */
import { sleep } from '../../core/clock.ts'
import { formatMonitorKey, type MonitoredName, type MonitorPlan } from '../../model/monitor-name.ts'
import type { MonitorRound } from '../../model/monitor-round.ts'
import type { MonitorNotice, MonitorStateStore } from '../../model/monitor-state.ts'
import { judgeMonitorRound, type JudgedRound } from '../../verdicts/monitor-judge.ts'
import { createMonitorState } from '../../verdicts/monitor-profile.ts'
import { judgeVantage, type VantageState } from '../../verdicts/monitor-vantage.ts'
import { askCertificate } from './ask-certificate.ts'
import type { MonitorOrders } from './monitor-orders.ts'
import { createMonitorProbe, type MonitorProbe, type MonitorProbeCapabilities } from './monitor-probe.ts'

/** Names that are asked at once. */
const NAMES_AT_ONCE = 20

/** What a watch needs. */
export interface MonitorRunOptions {
  readonly plan: MonitorPlan
  readonly store: MonitorStateStore
  readonly timeoutMs: number
  /** Stops after the rounds that are under way. */
  readonly signal: AbortSignal
  /** Hands on what people are to be told; `monitored` is `null` for our own outage. */
  readonly tell: (notice: MonitorNotice, monitored: MonitoredName | null) => Promise<void>
  /** Called after each round that was judged. */
  readonly onRound: (monitored: MonitoredName, judged: JudgedRound, round: MonitorRound) => void
  /** Names that are asked now; their intervals go on beside. */
  readonly orders?: MonitorOrders
}

interface Watched {
  readonly monitored: MonitoredName
  /** Monotonic milliseconds. */
  regularAtMs: number
  confirmAtMs: number | null
  isFailed: boolean
}

interface Asked {
  readonly watched: Watched
  readonly round: MonitorRound
}

/** Watches. @throws {RunError} When a state cannot be kept. */
export async function runMonitor(capabilities: MonitorProbeCapabilities, options: MonitorRunOptions): Promise<void> {
  const { clock } = capabilities
  const { plan, signal, timeoutMs, orders } = options
  const probe = createMonitorProbe(capabilities, plan, timeoutMs)
  const startMs = clock.nowMs()
  const all: readonly Watched[] = plan.names.map((monitored) => ({
    monitored,
    regularAtMs: startMs,
    confirmAtMs: null,
    isFailed: false,
  }))
  let vantage: VantageState = null
  try {
    while (!signal.aborted) {
      const dueMs = Math.min(...all.map(dueAt))
      const waking = orders === undefined ? signal : AbortSignal.any([signal, orders.signal()])
      await sleep(clock, Math.max(0, dueMs - clock.nowMs()), waking)
      if (signal.aborted) return
      follow(all, orders?.take() ?? [], clock.nowMs())
      // Who has waited longest is first, so that nobody starves where there are more names than time.
      const waiting = all.filter((watched) => dueAt(watched) <= clock.nowMs())
      const due = waiting.toSorted((a, b) => dueAt(a) - dueAt(b)).slice(0, NAMES_AT_ONCE)
      const asked = await Promise.all(due.map((watched) => askDue(clock.nowMs(), probe, watched, signal)))
      // Rounds that were cut off by the signal say nothing.
      if (signal.aborted) return
      const counts = { names: all.length, failed: all.filter(({ isFailed }) => isFailed).length }
      const judged = judgeVantage(vantage, counts, Math.round(clock.wallNowMs()))
      vantage = judged.state
      for (const notice of judged.notices) await options.tell(notice, null)
      if (vantage === null) for (const each of asked) await judgeAsked(capabilities, options, each)
    }
  } finally {
    probe.close()
  }
}

/** An order makes a round like a confirming one: it teaches and resolves nothing by being asked for often. */
function follow(all: readonly Watched[], keys: readonly string[], nowMs: number): void {
  if (keys.length === 0) return
  for (const watched of all) if (keys.includes(formatMonitorKey(watched.monitored))) watched.confirmAtMs = nowMs
}

function dueAt({ regularAtMs, confirmAtMs }: Watched): number {
  return Math.min(regularAtMs, confirmAtMs ?? Infinity)
}

async function askDue(nowMs: number, probe: MonitorProbe, watched: Watched, signal: AbortSignal): Promise<Asked> {
  const { monitored, regularAtMs } = watched
  const isConfirmation = regularAtMs > nowMs
  watched.confirmAtMs = null
  // Rounds that were missed are not made up for.
  if (!isConfirmation) watched.regularAtMs = Math.max(regularAtMs + monitored.intervalMs, nowMs)
  const round = await probe.ask(monitored, isConfirmation, signal)
  watched.isFailed = round.answers.every(({ outcome }) => outcome === 'servfail' || outcome === 'failure')
  return { watched, round }
}

async function judgeAsked(
  capabilities: MonitorProbeCapabilities,
  { store, tell, onRound, timeoutMs }: MonitorRunOptions,
  { watched, round }: Asked,
): Promise<void> {
  const { monitored } = watched
  const key = formatMonitorKey(monitored)
  const before = (await store.load(key)) ?? createMonitorState()
  const address = findNewAddress(judgeMonitorRound(before, monitored, round))
  const tls =
    address === undefined ? 'unknown' : await askCertificate(capabilities, address, monitored.domain, timeoutMs)
  const corroborated = { ...round, corroboration: { ...round.corroboration, tls } }
  // Told first: a process that is killed in between tells again, and never loses a page.
  for (const notice of judgeMonitorRound(before, monitored, corroborated).notices) await tell(notice, monitored)
  const judged = await store.update(key, (state) => {
    const result = judgeMonitorRound(state ?? createMonitorState(), monitored, corroborated)
    return { state: result.state, result }
  })
  if (judged.confirmAtMs !== null) {
    const inMs = judged.confirmAtMs - capabilities.clock.wallNowMs()
    watched.confirmAtMs = capabilities.clock.nowMs() + Math.max(0, inMs)
  }
  onRound(monitored, judged, corroborated)
}

function findNewAddress({ answers }: JudgedRound): string | undefined {
  return answers.flatMap(({ units }) => units).find((each) => each.class === 'K3' && each.unit.prefix !== null)?.unit
    .text
}
