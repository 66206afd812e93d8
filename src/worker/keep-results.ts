/**
 * Tells and writes what came of an invocation.
 *
 * **Invariant**: never more writes a day than the plan allows. When those of a day are used up, nobody is told what could not be
 * remembered as told, because they would be told it every minute; that it is so, is told before.
 */
import { formatIsoTime } from '../core/clock.ts'
import type { AlertMessage } from '../model/alert.ts'
import type { MonitorNotice } from '../model/monitor-state.ts'
import { decideRecord, isUrgent, type RecordDecision } from './decide-writes.ts'
import { addMessages, composeWorkerDigest, composeWorkerMessage, deliverMessages } from './deliver-messages.ts'
import type { JudgedName } from './judge-asked.ts'
import { formatRecord, formatRecordKey } from './name-record.ts'
import type { InvocationParts } from './invocation-parts.ts'
import { HEARTBEAT_COST, lazyMinutes, MESSAGE_RESERVE } from './worker-limits.ts'
import type { RememberedName, WorkerBatch, WorkerIndex } from './worker-memory.ts'

const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS
const DAY_MS = 24 * HOUR_MS
/** The daily message goes out from 8:00 UTC on. */
const DIGEST_HOUR = 8
const DIGEST_LINES_MAX = 50
/** The share of a day's writes after which people are told that they run out. */
const WARNING_SHARE = 0.9
/** The share of a day's writes that records may use; the rest is for what people are told. */
const RECORD_SHARE = 0.6
/** Invocations begin some seconds early or late. */
const SLACK_MS = 30_000

/** What came of an invocation. */
export interface InvocationOutcome {
  readonly atMs: number
  /** As it is to be, but for what is added here. */
  readonly index: WorkerIndex
  readonly indexBefore: WorkerIndex
  /** As they were read. */
  readonly batches: ReadonlyMap<number, WorkerBatch>
  readonly judged: readonly JudgedName[]
  /** About this vantage. */
  readonly notices: readonly MonitorNotice[]
}

interface Change {
  readonly number: number
  readonly batch: WorkerBatch
  readonly isUrgent: boolean
  readonly digest: AlertMessage | null
}

/** Tells and writes. @returns How many messages there were. @throws {RunError} When KV cannot be written. */
export async function keepResults(parts: InvocationParts, outcome: InvocationOutcome): Promise<number> {
  const { limits, memory, subrequests, log } = parts
  const { atMs, judged } = outcome
  const day = formatIsoTime(atMs).slice(0, 10)
  const written = outcome.index.writes.day === day ? outcome.index.writes.count : 0
  const left = limits.urgentWrites - written
  const changes = [...outcome.batches].map(([number, batch]) => changeBatch(number, batch, outcome))
  const wishes = listRecords(judged, atMs)
  const recordsLeft = Math.min(
    Math.floor(limits.urgentWrites * RECORD_SHARE) - written - changes.length - 1,
    subrequests.left() - changes.length - 1 - MESSAGE_RESERVE - HEARTBEAT_COST,
  )
  const isPressing = recordsLeft > 0 && wishes.some((each) => each.isPressing)
  // A record that is written is remembered with its name.
  const pressed = new Set(isPressing ? wishes.map(({ name }) => name.due.batch) : [])
  const urgent = changes.filter(({ isUrgent: isOwn, number }) => isOwn || pressed.has(number))
  const messages = composeMessages(outcome, urgent)
  const confirming = nextConfirming(outcome)
  const isIndexChanged = messages.length > 0 || !equalIndexes({ ...outcome.index, confirming }, outcome.indexBefore)
  const hasWaiting = outcome.index.outbox.some(({ dueAtMs }) => dueAtMs <= atMs)
  const isWriting = urgent.length > 0 || isIndexChanged || hasWaiting
  if (isWriting && urgent.length + 1 > left) {
    log.error('worker.writes.used_up', { day, written, untold: messages.length })
    for (const change of changes) if (!change.isUrgent) memory.holdBatch(change.number, change.batch)
    return 0
  }
  const saved = new Set(urgent.map(({ number }) => number))
  const records = wishes.filter(({ name }) => saved.has(name.due.batch)).slice(0, Math.max(0, recordsLeft))
  const cost = urgent.length + 1 + records.length
  const isNear = written < limits.urgentWrites * WARNING_SHARE && written + cost >= limits.urgentWrites * WARNING_SHARE
  const toTell = [...messages, ...(isNear ? [composeWarning(day, atMs)] : [])]
  const keptIndex = { ...outcome.index, confirming, writes: { day, count: written + cost }, writtenAtMs: atMs }
  const outbox = await tell(parts, keptIndex, toTell, atMs, changes.length + 1 + records.length + HEARTBEAT_COST)
  for (const change of changes) await keepBatch(parts, change, saved.has(change.number), records, outcome)
  if (!isWriting) return 0
  await memory.saveIndex(subrequests.kv, { ...keptIndex, outbox })
  for (const { name, record } of records)
    await subrequests.kv.put(formatRecordKey(name.due.monitored), formatRecord(name.due.monitored, record))
  return toTell.length
}

function changeBatch(number: number, batch: WorkerBatch, { index, judged, atMs }: InvocationOutcome): Change {
  const own = judged.filter(({ due }) => due.batch === number)
  const watched = new Set(index.batches[number])
  // Names that are watched no more are forgotten when something else is written.
  const kept = Object.entries(batch.names).filter(([key]) => watched.has(key))
  const names: Readonly<Record<string, RememberedName>> = {
    ...Object.fromEntries(kept),
    ...Object.fromEntries(own.map(({ due, after }) => [due.key, after])),
  }
  const lines = own.flatMap(({ notices, due }) =>
    notices.filter(({ channel }) => channel === 'digest').map(({ title }) => `${due.monitored.name}: ${title}`),
  )
  const digest = [...batch.digest, ...lines].slice(0, DIGEST_LINES_MAX)
  const digestDueMs = batch.digest.length === 0 && lines.length > 0 ? nextDigestAt(atMs) : batch.digestDueMs
  const changed = { ...batch, names, digest, digestDueMs }
  if (digest.length === 0 || atMs < digestDueMs)
    return { number, batch: changed, isUrgent: own.some(isUrgent), digest: null }
  const message = composeWorkerDigest(number, digest, atMs)
  return { number, batch: { ...changed, digest: [] }, isUrgent: true, digest: message }
}

function composeMessages({ judged, notices }: InvocationOutcome, urgent: readonly Change[]): readonly AlertMessage[] {
  return [
    ...notices.map((notice) => composeWorkerMessage(notice, null)),
    ...judged.flatMap((name) =>
      name.notices.filter(({ channel }) => channel !== 'digest').map((notice) => composeWorkerMessage(notice, name)),
    ),
    ...urgent.flatMap(({ digest }) => digest ?? []),
  ]
}

/** Names that go on being looked at: in the order in which that began. */
function nextConfirming({ index, judged }: InvocationOutcome): readonly string[] {
  const isOpen = new Map(judged.map(({ due, after }) => [due.key, after.state.candidates.length > 0]))
  const known = new Set(index.batches.flat())
  const going = index.confirming.filter((key) => known.has(key) && isOpen.get(key) !== false)
  const fresh = [...isOpen].filter(([key, open]) => open && !going.includes(key)).map(([key]) => key)
  return [...going, ...fresh]
}

function equalIndexes(a: WorkerIndex, b: WorkerIndex): boolean {
  const coreOf = ({ batches, confirming, downSinceMs, checkedAtMs }: WorkerIndex): string =>
    JSON.stringify([batches, confirming, downSinceMs, checkedAtMs])
  return coreOf(a) === coreOf(b)
}

interface RecordChange extends RecordDecision {
  readonly name: JudgedName
}

/** Records that differ, the pressing ones first. */
function listRecords(judged: readonly JudgedName[], atMs: number): readonly RecordChange[] {
  const changes = judged.flatMap((name) => {
    const decision = decideRecord(name, atMs)
    return decision === undefined ? [] : [{ name, ...decision }]
  })
  return changes.toSorted((a, b) => Number(b.isPressing) - Number(a.isPressing))
}

async function tell(
  { channel, subrequests, log }: InvocationParts,
  { outbox }: WorkerIndex,
  messages: readonly AlertMessage[],
  atMs: number,
  reserve: number,
): Promise<WorkerIndex['outbox']> {
  if (channel === null) {
    for (const { id, title } of messages) log.warn('worker.message.nobody', { id, title })
    return []
  }
  const waiting = addMessages(outbox, messages, atMs)
  const left = (): number => subrequests.left() - reserve
  return waiting.length === 0 ? waiting : deliverMessages(channel, waiting, atMs, { left, log })
}

async function keepBatch(
  { memory, subrequests, limits }: InvocationParts,
  { number, batch }: Change,
  isNow: boolean,
  records: readonly RecordChange[],
  { index, atMs, judged }: InvocationOutcome,
): Promise<void> {
  const own = records.filter(({ name }) => name.due.batch === number)
  const renewed = Object.fromEntries(own.map(({ name, record }) => [name.due.key, { ...name.after, record }] as const))
  const kept = { ...batch, names: { ...batch.names, ...renewed } }
  const lazyMs = lazyMinutes(limits, index.batches.length) * MINUTE_MS
  const isRipe = judged.some(({ due }) => due.batch === number) && atMs - batch.writtenAtMs >= lazyMs - SLACK_MS
  if (isNow || isRipe) await memory.saveBatch(subrequests.kv, number, { ...kept, writtenAtMs: atMs })
  else memory.holdBatch(number, kept)
}

function nextDigestAt(atMs: number): number {
  const today = Math.floor(atMs / DAY_MS) * DAY_MS + DIGEST_HOUR * HOUR_MS
  return today > atMs ? today : today + DAY_MS
}

function composeWarning(day: string, atMs: number): AlertMessage {
  return {
    id: `monitor-writes-${day}`,
    event: 'new',
    severity: 'medium',
    campaign: 'monitor',
    createdAt: formatIsoTime(atMs),
    title: 'the writes of this day are nearly used up',
    lines: ['what happens after that is told from 00:00 UTC on, when it still lasts'],
    items: [],
    tags: ['channel:availability'],
    contacts: [],
  }
}
