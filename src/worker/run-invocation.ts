/**
 * One invocation of the Worker: asks whose turn it is, judges, tells, and writes what changed.
 *
 * ```
 *   index ─► plan ─► batches ─► questions ─► origins ─► judge ─► tell ─► write batches, index, records
 * ```
 *
 * **Invariant**: never more subrequests than the plan allows; each step leaves enough for those behind it. People are told before
 * the state says so: at least once. While this vantage reaches nobody, nothing is judged.
 */
import { RunError } from '../core/config-error.ts'
import type { MonitorNotice } from '../model/monitor-state.ts'
import { runPool } from '../measure/run-pool.ts'
import { judgeVantage } from '../verdicts/monitor-vantage.ts'
import { askOverFetch } from './ask-over-fetch.ts'
import type { InvocationParts } from './invocation-parts.ts'
import { listDailyTest, sendHeartbeat } from './do-duties.ts'
import { judgeAsked, type AskedName, type JudgedName } from './judge-asked.ts'
import { keepResults } from './keep-results.ts'
import { formatRecordKey, parseRecord, type NameRecord } from './name-record.ts'
import { layOutNames, planMinute, planNow, type DueName, type NameLayout } from './plan-minute.ts'
import { HEARTBEAT_COST, MESSAGE_RESERVE, ORIGIN_RESERVE, type WorkerLimits } from './worker-limits.ts'
import type { WorkerBatch, WorkerIndex } from './worker-memory.ts'

/** Connections that one invocation may hold open at once. */
const CONNECTIONS_MAX = 6

/** What is wanted of an invocation. */
export interface InvocationRequest {
  /** The time of its rounds, Unix milliseconds. */
  readonly atMs: number
  /** Names that somebody wants to be asked now: all whose turn it is when there are none. `null` for the interval's work. */
  readonly wanted: readonly string[] | null
}

/** What an invocation did. */
export interface InvocationResult {
  readonly judged: readonly JudgedName[]
  /** Names that were asked. */
  readonly asked: number
  readonly isDown: boolean
  readonly messages: number
  readonly subrequests: number
  readonly writes: number
}

/** Runs an invocation. @throws {RunError} When KV cannot be read or written. */
export async function runInvocation(
  parts: InvocationParts,
  { atMs, wanted }: InvocationRequest,
): Promise<InvocationResult> {
  const { plan, limits, memory, subrequests, asker, clock } = parts
  const { kv } = subrequests
  const index = await memory.loadIndex(kv)
  const layout = layOutNames(index.batches, plan.names)
  const due = chooseDue(layout, index, limits, atMs, wanted)
  const numbers = [...new Set(due.map(({ batch }) => batch))]
  const loaded = await Promise.all(numbers.map(async (number) => [number, await memory.loadBatch(kv, number)] as const))
  const batches = new Map<number, WorkerBatch>(loaded)
  const asked = await askAll(parts, await admit(parts, due, batches), batches, atMs)
  const vantage = judgeReach(index, asked, atMs)
  const isDown = vantage.sinceMs !== null
  // What writing costs at least, and a message or two.
  const reserve = numbers.length + 1 + MESSAGE_RESERVE + HEARTBEAT_COST
  const lookupsLeft = (): number => subrequests.left() - reserve
  const judged = isDown ? [] : await judgeAsked({ asker, plan, clock, lookupsLeft }, asked)
  const messages = await keepResults(parts, {
    atMs,
    index: { ...index, batches: layout.batches, downSinceMs: vantage.sinceMs, ...(wanted && { checkedAtMs: atMs }) },
    indexBefore: index,
    batches,
    judged,
    notices: [...vantage.notices, ...(wanted === null ? listDailyTest(plan, atMs) : [])],
  })
  if (wanted === null && !isDown) await sendHeartbeat(plan, subrequests.http)
  const { made, writes } = subrequests.counts()
  return { judged, asked: asked.length, isDown, messages, subrequests: made, writes }
}

function chooseDue(
  layout: NameLayout,
  { confirming }: WorkerIndex,
  limits: WorkerLimits,
  atMs: number,
  wanted: InvocationRequest['wanted'],
): readonly DueName[] {
  if (wanted === null) return planMinute(layout, confirming, limits, atMs)
  if (wanted.length === 0)
    return planMinute(layout, confirming, limits, atMs).map((name) => ({ ...name, isConfirmation: true }))
  return planNow(
    layout.names.filter(({ key }) => wanted.includes(key)),
    limits,
  )
}

interface AdmittedName {
  readonly due: DueName
  readonly record: NameRecord | undefined
}

/** Reads the records of names of which nothing else is known; a name for whose record nothing is left waits for its next turn. */
async function admit(
  { subrequests, limits }: InvocationParts,
  due: readonly DueName[],
  batches: ReadonlyMap<number, WorkerBatch>,
): Promise<readonly AdmittedName[]> {
  let left = subrequests.left() - batches.size - 1 - ORIGIN_RESERVE - MESSAGE_RESERVE - HEARTBEAT_COST
  const admitted = due.filter(({ batch, key, monitored }) => {
    const isFresh = batches.get(batch)?.names[key] === undefined
    // A record that is read, and written at the end.
    const cost = monitored.resolvers.length + (isFresh ? 2 : 0)
    if (cost > left) return false
    left -= cost
    return true
  })
  if (admitted.length === 0 && due.length > 0)
    throw new RunError(`${limits.subrequests} subrequests are too few for ${due[0]?.key ?? ''}`)
  return Promise.all(
    admitted.map(async (name) => {
      if (batches.get(name.batch)?.names[name.key] !== undefined) return { due: name, record: undefined }
      return { due: name, record: parseRecord(await subrequests.kv.get(formatRecordKey(name.monitored))) }
    }),
  )
}

async function askAll(
  { asker, plan }: InvocationParts,
  admitted: readonly AdmittedName[],
  batches: ReadonlyMap<number, WorkerBatch>,
  atMs: number,
): Promise<readonly AskedName[]> {
  const resolversMax = Math.max(1, ...admitted.map(({ due }) => due.monitored.resolvers.length))
  const asked: AskedName[] = []
  const work = async ({ due, record }: AdmittedName): Promise<AskedName> => {
    const { isConfirmation, batch, key, monitored } = due
    const round = await askOverFetch(asker, plan, monitored, { atMs, isConfirmation })
    return { due, round, record, before: batches.get(batch)?.names[key] }
  }
  const inFlight = Math.max(1, Math.floor(CONNECTIONS_MAX / resolversMax))
  const { signal } = new AbortController()
  for await (const each of runPool(admitted, { inFlight, signal, work })) asked.push(each)
  return asked
}

/** Whether anybody is reached at all, by the names of this invocation; one name alone says nothing. */
function judgeReach(
  { downSinceMs }: WorkerIndex,
  asked: readonly AskedName[],
  atMs: number,
): { readonly sinceMs: number | null; readonly notices: readonly MonitorNotice[] } {
  const failed = asked.filter(({ round }) =>
    round.answers.every(({ outcome }) => outcome === 'servfail' || outcome === 'failure'),
  ).length
  if (asked.length < 2 && failed === asked.length) return { sinceMs: downSinceMs, notices: [] }
  const { state, notices } = judgeVantage(downSinceMs, { names: asked.length, failed }, atMs)
  return { sinceMs: state, notices }
}
