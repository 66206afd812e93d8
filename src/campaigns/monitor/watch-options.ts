/**
 * What a watch is given: capabilities, and what to watch, where to keep it and whom to tell.
 */
import type { Clock } from '../../core/clock.ts'
import type { Files } from '../../core/files.ts'
import type { MonitoredName, MonitorPlan } from '../../model/monitor-name.ts'
import type { MonitorRound } from '../../model/monitor-round.ts'
import type { MonitorNotice, MonitorStateStore, VantageMemory } from '../../model/monitor-state.ts'
import type { HttpClient } from '../../net/http-client.ts'
import type { JudgedRound } from '../../verdicts/monitor-judge.ts'
import type { MonitorOrders } from './monitor-orders.ts'
import type { MonitorProbeCapabilities } from './monitor-probe.ts'
import type { BudgetCounters } from './resolver-budget.ts'

/** What a watch needs of the machine. */
export interface WatchCapabilities extends MonitorProbeCapabilities {
  /** Counts time-outs of the network where `clock` does not run as fast as it; `clock` without. */
  readonly networkClock?: Clock
  /** For the heartbeat and for services that know addresses; neither without it. */
  readonly http?: HttpClient
  /** For lists of bad addresses; none without it. */
  readonly files?: Files
}

/** What is watched. */
export interface MonitorRunOptions {
  readonly plan: MonitorPlan
  readonly store: MonitorStateStore
  readonly timeoutMs: number
  /** Stops after the rounds that are under way. */
  readonly signal: AbortSignal
  /** Hands on what people are to be told; `monitored` is `null` for our own outage and for tests of delivery. */
  readonly tell: (notice: MonitorNotice, monitored: MonitoredName | null) => Promise<void>
  /** Called after each round that was judged. */
  readonly onRound: (monitored: MonitoredName, judged: JudgedRound, round: MonitorRound) => void
  /** Subscribes to new plans, which come into force between two rounds. @returns A function that ends the subscription. */
  readonly follow?: (take: (plan: MonitorPlan) => void) => () => void
  /** Names (as keys) that are asked now; their intervals go on beside. `signal` aborts when there are some. */
  readonly orders?: Pick<MonitorOrders, 'signal' | 'take'>
  /** Where our own outage is remembered; without it a restart forgets it. */
  readonly vantage?: VantageMemory
  /** Told after each round how much resolvers were asked since the plan came into force. */
  readonly onCounters?: (counters: Readonly<Record<string, BudgetCounters>>) => void
}
