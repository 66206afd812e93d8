/**
 * Brings messages to Telegram: what does not get through waits in KV for a later invocation, as long as the service says.
 *
 * **Invariant**: a message leaves the list when all its parts were taken, or the service will never take it. At least once.
 */
import { formatIsoTime, parseTime } from '../core/clock.ts'
import type { Log } from '../core/log.ts'
import { ALERT_SEVERITIES, type AlertMessage } from '../model/alert.ts'
import type { MonitorNotice } from '../model/monitor-state.ts'
import type { AlertChannel } from '../alerts/channel.ts'
import { composeMonitorMessage } from '../verdicts/monitor-messages.ts'
import type { JudgedName } from './judge-asked.ts'
import type { RememberedAnswer, WaitingMessage } from './worker-memory.ts'

const WAITING_MAX = 100
const BACKOFF_MS = 60_000
const BACKOFF_MS_MAX = 3_600_000
/** What could not be told for so long is news no more. */
const LIFE_MS = 2 * 86_400_000
const LINE_VALUES_MAX = 10

/** The message of a notice: with what was before, and what each resolver says. */
export function composeWorkerMessage(notice: MonitorNotice, name: JudgedName | null): AlertMessage {
  const message = composeMonitorMessage(notice, name?.due.monitored ?? null)
  if (name === null || notice.incident === null) return message
  const mark = notice.incident.key.slice(0, 16)
  const known = name.before?.record?.ips ?? []
  const before = known.length === 0 ? [] : [`before: ${known.slice(0, LINE_VALUES_MAX).join(', ')}`]
  const said = (name.after.last?.answers ?? []).map(formatRemembered)
  const lines = message.lines.map((line) => line.replace(/; candor monitor ack \w+$/, `; POST /ack?key=${mark}`))
  return { ...message, lines: [...lines, ...before, ...said] }
}

/** The daily message of a batch. */
export function composeWorkerDigest(batch: number, lines: readonly string[], atMs: number): AlertMessage {
  return {
    id: `monitor-digest-${batch}-${formatIsoTime(atMs).slice(0, 10)}`,
    event: 'digest',
    severity: 'low',
    campaign: 'monitor',
    createdAt: formatIsoTime(atMs),
    title: 'what changed and disturbs nobody',
    lines,
    items: [],
    tags: ['channel:digest'],
    contacts: [],
  }
}

/** Adds messages to those that wait; where there are too many, the mildest give way. */
export function addMessages(
  waiting: readonly WaitingMessage[],
  messages: readonly AlertMessage[],
  atMs: number,
): readonly WaitingMessage[] {
  const known = new Set(waiting.map(({ message }) => message.id))
  const fresh = messages.filter(({ id }) => !known.has(id))
  const all = [...waiting, ...fresh.map((message) => ({ message, partsDone: 0, attempts: 0, dueAtMs: atMs }))]
  if (all.length <= WAITING_MAX) return all
  const rank = ({ message }: WaitingMessage): number => ALERT_SEVERITIES.indexOf(message.severity)
  const kept = new Set(all.toSorted((a, b) => rank(b) - rank(a)).slice(0, WAITING_MAX))
  return all.filter((each) => kept.has(each))
}

/** Sends what is due, the gravest first. @returns What still waits. */
export async function deliverMessages(
  channel: AlertChannel,
  waiting: readonly WaitingMessage[],
  atMs: number,
  { left, log }: { readonly left: () => number; readonly log: Log },
): Promise<readonly WaitingMessage[]> {
  const rank = ({ message }: WaitingMessage): number => ALERT_SEVERITIES.indexOf(message.severity)
  const due = waiting.filter(({ dueAtMs }) => dueAtMs <= atMs).toSorted((a, b) => rank(b) - rank(a))
  const settled = new Map<WaitingMessage, WaitingMessage | undefined>()
  for (const each of due) {
    if (left() <= 0) break
    const after = await deliver(channel, each, atMs, left)
    settled.set(each, after.waiting)
    if (after.error === null) continue
    log.warn('worker.message.failed', { id: each.message.id, error: after.error })
    // The service said "later": that holds for all that wait.
    if (after.waiting !== undefined) break
  }
  return waiting.flatMap((each) => {
    const after = settled.has(each) ? settled.get(each) : each
    return after === undefined || atMs - parseTime(after.message.createdAt) > LIFE_MS ? [] : [after]
  })
}

async function deliver(
  channel: AlertChannel,
  waiting: WaitingMessage,
  atMs: number,
  left: () => number,
): Promise<{ readonly waiting: WaitingMessage | undefined; readonly error: string | null }> {
  const { message, attempts } = waiting
  const parts = channel.format(message)
  let { partsDone } = waiting
  while (partsDone < parts.length) {
    if (left() <= 0) return { waiting: { ...waiting, partsDone }, error: null }
    const id = `${message.id}-${partsDone}`
    const { signal } = new AbortController()
    const outcome = await channel.send(parts[partsDone] ?? '', { id, recipient: '', signal })
    if (outcome.kind === 'refused') return { waiting: undefined, error: outcome.error }
    if (outcome.kind === 'retry') {
      const backoffMs = Math.min(BACKOFF_MS * 2 ** attempts, BACKOFF_MS_MAX)
      const dueAtMs = atMs + (outcome.afterMs ?? backoffMs)
      return { waiting: { ...waiting, partsDone, attempts: attempts + 1, dueAtMs }, error: outcome.error }
    }
    partsDone += 1
  }
  return { waiting: undefined, error: null }
}

/** `cloudflare: 192.0.2.1, 192.0.2.2` */
function formatRemembered({ resolver, outcome, values }: RememberedAnswer): string {
  const some = values.slice(0, LINE_VALUES_MAX).join(', ')
  const more = values.length > LINE_VALUES_MAX ? `, and ${values.length - LINE_VALUES_MAX} more` : ''
  return `${resolver}: ${outcome === 'answer' ? some + more : outcome.toUpperCase()}`
}
