/**
 * Watches names until it is told to stop: rounds at their intervals, confirming rounds when they are due.
 *
 * Invariant: people are told before the state says so: at least once, never not at all. While our own vantage is down no
 * state changes. Names that are asked at once are bounded.
 */
import { sleep } from '../../core/clock.ts'
import { formatMonitorKey, type MonitorPlan } from '../../model/monitor-name.ts'
import { judgeVantage, type VantageState } from '../../verdicts/monitor-vantage.ts'
import { createDuties } from './monitor-duties.ts'
import { createSchedule, dueAt, takeDue, type WatchedName } from './monitor-schedule.ts'
import { createRoundMaker, type RoundMaker } from './make-round.ts'
import type { MonitorRunOptions, WatchCapabilities } from './watch-options.ts'

/** Names that are asked at once. */
const NAMES_AT_ONCE = 64

/** Watches. @throws {RunError} When a state cannot be kept. */
export async function runMonitor(capabilities: WatchCapabilities, options: MonitorRunOptions): Promise<void> {
  const { clock } = capabilities
  const { signal } = options
  const bell = createBell()
  let next: MonitorPlan | undefined
  const unfollow = options.follow?.((plan) => {
    next = plan
    bell.ring()
  })
  signal.addEventListener('abort', bell.ring)
  const watch: Watch = {
    all: createSchedule(options.plan, [], clock.nowMs()),
    maker: createRoundMaker(capabilities, options, options.plan, () => watch.all),
    vantage: (await options.vantage?.load()) ?? null,
    failure: undefined,
  }
  const duties = createDuties(capabilities, options, () => watch.vantage === null)
  const underWay = new Set<Promise<void>>()
  try {
    while (!signal.aborted && watch.failure === undefined) {
      if (next !== undefined) {
        watch.maker.close()
        watch.all = createSchedule(next, watch.all, clock.nowMs())
        watch.maker = createRoundMaker(capabilities, options, next, () => watch.all)
        duties.follow(next)
        next = undefined
      }
      obey(watch.all, options.orders?.take() ?? [], clock.nowMs())
      for (const { watched, isConfirmation } of takeDue(watch.all, clock.nowMs(), NAMES_AT_ONCE - underWay.size)) {
        const task = runRound(capabilities, options, watch, watched, isConfirmation).finally(() => {
          underWay.delete(task)
          bell.ring()
        })
        underWay.add(task)
      }
      await duties.run()
      const idle = underWay.size >= NAMES_AT_ONCE ? [] : watch.all.filter(({ isBusy }) => !isBusy).map(dueAt)
      options.orders?.signal().addEventListener('abort', bell.ring, { once: true })
      await bell.wait(capabilities, Math.max(0, Math.min(duties.dueAtMs(), ...idle) - clock.nowMs()))
    }
  } finally {
    unfollow?.()
    await Promise.all(underWay)
    watch.maker.close()
  }
  if (watch.failure !== undefined) throw watch.failure.error
}

/** An order makes a round like a confirming one: it teaches and resolves nothing by being asked for often. */
function obey(all: readonly WatchedName[], keys: readonly string[], nowMs: number): void {
  if (keys.length === 0) return
  for (const watched of all) if (keys.includes(formatMonitorKey(watched.monitored))) watched.confirmAtMs = nowMs
}

interface Watch {
  all: readonly WatchedName[]
  maker: RoundMaker
  vantage: VantageState
  failure: { readonly error: unknown } | undefined
}

/** One round from asking to judging. Never rejects: what went wrong ends the watch. */
async function runRound(
  { clock }: WatchCapabilities,
  options: MonitorRunOptions,
  watch: Watch,
  watched: WatchedName,
  isConfirmation: boolean,
): Promise<void> {
  const { signal } = options
  const { maker } = watch
  try {
    const round = await maker.ask(watched, isConfirmation)
    // Rounds that were cut off by the signal or by a new plan say nothing.
    if (round === undefined || signal.aborted || maker !== watch.maker) return
    watched.isFailed = round.answers.every(({ outcome }) => outcome === 'servfail' || outcome === 'failure')
    const counts = { names: watch.all.length, failed: watch.all.filter(({ isFailed }) => isFailed).length }
    const judged = judgeVantage(watch.vantage, counts, Math.round(clock.wallNowMs()))
    const hasMoved = judged.state !== watch.vantage
    watch.vantage = judged.state
    for (const notice of judged.notices) await options.tell(notice, null)
    if (hasMoved) await options.vantage?.keep(judged.state)
    if (watch.vantage === null) await maker.judge(watched, round)
    options.onCounters?.(maker.counters())
  } catch (error) {
    watch.failure ??= { error }
  } finally {
    watched.isBusy = false
  }
}

interface Bell {
  /** Ends the wait that is under way, or the next one. */
  readonly ring: () => void
  /** Waits. */
  wait(capabilities: WatchCapabilities, delayMs: number): Promise<void>
}

function createBell(): Bell {
  let waiting = new AbortController()
  return {
    ring: () => {
      waiting.abort()
    },
    wait: async ({ clock }, delayMs) => {
      await sleep(clock, Math.min(delayMs, 60_000), waiting.signal)
      waiting = new AbortController()
    },
  }
}
