/**
 * The outbox of alerts in SQLite.
 *
 * ```
 *             begin              sent
 *   waiting ────────► sending ─────────► sent
 *      ▲                │  │
 *      └─── retry ──────┘  └──── bury ──► dead ──► waiting (revive)
 * ```
 *
 * Invariant: a delivery that is `sent` is never given out again. One that is `sending` when the process dies is: whether
 * the other side has it cannot be known, and an alert that comes twice is better than one that never comes.
 */
import type { DatabaseSync } from 'node:sqlite'
import { formatIsoTime } from '../core/clock.ts'
import {
  ALERT_SEVERITIES,
  type AlertDelivery,
  type AlertMessage,
  type AlertOutbox,
  type AlertRoute,
  type ChannelOutboxStatus,
  type DeliveryState,
  type DueDelivery,
} from '../model/alert.ts'
import type { AlertDatabase, Row } from './alert-database.node.ts'

const UNROUTED_MAX = 100
/** Deliveries that may wait for one channel; at one every three seconds these are eight hours. */
const WAITING_MAX = 10_000
/** After so many failures, about ten minutes, a delivery no longer holds up those behind it. */
const HOLDING_ATTEMPTS = 8
const LIST_MAX = 10_000
const IS_OPEN = "state IN ('waiting', 'sending')"

/** The outbox over an open file; whoever opened the file closes it. */
export function createAlertOutbox(database: AlertDatabase): AlertOutbox {
  const { connection } = database
  const unrouted = connection.prepare(
    `SELECT record FROM message WHERE routed = 0 ORDER BY sequence LIMIT ${UNROUTED_MAX}`,
  )
  const next = connection.prepare(`
    SELECT d.*, m.record FROM delivery d JOIN message m ON m.id = d.message_id
    WHERE d.channel = :channel AND d.${IS_OPEN} AND d.rank >= :rank AND d.due_ms <= :now AND NOT EXISTS (
      SELECT 1 FROM delivery e WHERE e.channel = d.channel AND e.recipient = d.recipient AND e.${IS_OPEN}
      AND e.rank >= :rank AND e.attempts < ${HOLDING_ATTEMPTS} AND e.sequence < d.sequence)
    ORDER BY d.attempts >= ${HOLDING_ATTEMPTS}, d.sequence LIMIT 1`)
  const update = (assignments: string): ((...values: readonly (string | number)[]) => void) => {
    const statement = connection.prepare(`UPDATE delivery SET ${assignments} WHERE sequence = ?`)
    return (...values) => {
      database.transact(() => statement.run(...values))
    }
  }
  const begin = update("state = 'sending', attempts = attempts + 1")
  const progress = update('parts_done = ?')
  const sent = update("state = 'sent', settled_ms = ?, error = NULL, error_ms = NULL")
  const retry = update("state = 'waiting', error = ?, error_ms = ?, due_ms = ?")
  const bury = update("state = 'dead', error = ?, error_ms = ?, settled_ms = ?")
  return {
    add: async (message) => database.transact(() => insertMessage(connection, message)),
    unrouted: async () => unrouted.all().map(messageOf),
    route: async (messageId, routes, nowMs) => {
      route(database, messageId, routes, nowMs)
    },
    next: async (channel, nowMs, minSeverity) => {
      const row = next.get({ channel, rank: ALERT_SEVERITIES.indexOf(minSeverity), now: Math.floor(nowMs) })
      return row === undefined ? undefined : toDue(row)
    },
    begin: async (sequence) => {
      begin(sequence)
    },
    progress: async (sequence, partsDone) => {
      progress(partsDone, sequence)
    },
    sent: async (sequence, nowMs) => {
      sent(Math.floor(nowMs), sequence)
    },
    retry: async (sequence, error, nowMs, dueAtMs) => {
      retry(error, Math.floor(nowMs), Math.floor(dueAtMs), sequence)
    },
    bury: async (sequence, error, nowMs) => {
      bury(error, Math.floor(nowMs), Math.floor(nowMs), sequence)
    },
    abandon: async (channel, nowMs) => {
      abandon(database, channel, Math.floor(nowMs))
    },
    revive: async (channel, nowMs) => revive(database, channel, nowMs),
    status: async () => readStatus(connection),
    list: async (states, limit) => listDeliveries(connection, states, limit),
    prune: async (sentBeforeMs, deadBeforeMs) => prune(database, sentBeforeMs, deadBeforeMs),
  }
}

/** Keeps a message inside a transaction of the caller. @returns Whether its id is new. */
export function insertMessage(connection: DatabaseSync, message: AlertMessage): boolean {
  const sequence = Number(connection.prepare('SELECT max(sequence) AS found FROM message').get()?.['found'] ?? 0) + 1
  return (
    connection
      .prepare('INSERT OR IGNORE INTO message (id, sequence, record) VALUES (?, ?, ?)')
      .run(message.id, sequence, JSON.stringify(message)).changes === 1
  )
}

function route(database: AlertDatabase, messageId: string, routes: readonly AlertRoute[], nowMs: number): void {
  const { connection } = database
  const find = connection.prepare('SELECT record FROM message WHERE id = ? AND routed = 0')
  const count = connection.prepare(`SELECT count(*) AS found FROM delivery WHERE channel = ? AND ${IS_OPEN}`)
  const insert = connection.prepare(`INSERT OR IGNORE INTO delivery
    (message_id, channel, recipient, rank, state, created_ms, due_ms, settled_ms, error, error_ms)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`)
  const mark = connection.prepare('UPDATE message SET routed = 1 WHERE id = ?')
  const now = Math.floor(nowMs)
  database.transact(() => {
    const row = find.get(messageId)
    if (row === undefined) return
    const rank = ALERT_SEVERITIES.indexOf(messageOf(row).severity)
    for (const { channel, recipient } of routes) {
      const isFull = Number(count.get(channel)?.['found']) >= WAITING_MAX
      const [state, settled, error] = isFull
        ? (['dead', now, 'outbox_full'] as const)
        : (['waiting', null, null] as const)
      insert.run(messageId, channel, recipient, rank, state, now, now, settled, error, settled)
    }
    mark.run(messageId)
  })
}

function abandon(database: AlertDatabase, channel: string, nowMs: number): void {
  const statement = database.connection.prepare(`UPDATE delivery
    SET state = 'dead', error = 'channel_not_configured', error_ms = :now, settled_ms = :now
    WHERE channel = :channel AND ${IS_OPEN}`)
  database.transact(() => statement.run({ channel, now: nowMs }))
}

function revive(database: AlertDatabase, channel: string | null, nowMs: number): number {
  const statement = database.connection.prepare(`UPDATE delivery
    SET state = 'waiting', attempts = 0, created_ms = :now, due_ms = :now, settled_ms = NULL
    WHERE state = 'dead' AND (:channel IS NULL OR channel = :channel)`)
  return database.transact(() => Number(statement.run({ channel, now: Math.floor(nowMs) }).changes))
}

function readStatus(connection: DatabaseSync): readonly ChannelOutboxStatus[] {
  const rows = connection
    .prepare(`SELECT channel, sum(${IS_OPEN}) AS waiting, sum(state = 'sent') AS sent, sum(state = 'dead') AS dead,
      min(iif(${IS_OPEN}, created_ms, NULL)) AS oldest, max(iif(state = 'sent', settled_ms, NULL)) AS last_sent
      FROM delivery GROUP BY channel ORDER BY channel`)
    .all()
  const newestError = connection.prepare(`SELECT error, error_ms FROM delivery
    WHERE channel = ? AND error IS NOT NULL AND state <> 'sent' ORDER BY error_ms DESC LIMIT 1`)
  return rows.map((row) => {
    const lastSentAtMs = numberOrNull(row['last_sent'])
    const error = newestError.get(String(row['channel']))
    const errorAtMs = numberOrNull(error?.['error_ms'])
    const isCurrent = errorAtMs !== null && (lastSentAtMs === null || errorAtMs >= lastSentAtMs)
    return {
      channel: String(row['channel']),
      waiting: Number(row['waiting']),
      sent: Number(row['sent']),
      dead: Number(row['dead']),
      oldestWaitingAtMs: numberOrNull(row['oldest']),
      lastError: isCurrent ? String(error?.['error']) : null,
      lastErrorAtMs: isCurrent ? errorAtMs : null,
      lastSentAtMs,
    }
  })
}

function listDeliveries(
  connection: DatabaseSync,
  states: readonly DeliveryState[],
  limit: number,
): readonly (AlertDelivery & { readonly title: string })[] {
  return connection
    .prepare(`SELECT d.*, m.record FROM delivery d JOIN message m ON m.id = d.message_id
      WHERE d.state IN (${states.map(() => '?').join(', ')}) ORDER BY d.sequence DESC LIMIT ?`)
    .all(...states, Math.min(limit, LIST_MAX))
    .map((row) => ({ ...toDelivery(row), title: messageOf(row).title }))
}

function prune(database: AlertDatabase, sentBeforeMs: number, deadBeforeMs: number): number {
  const { connection } = database
  const forget = connection.prepare(`DELETE FROM delivery
    WHERE (state = 'sent' AND settled_ms < ?) OR (state = 'dead' AND settled_ms < ?)`)
  const sweep = connection.prepare(`DELETE FROM message WHERE routed = 1
    AND json_extract(record, '$.createdAt') < ? AND NOT EXISTS (SELECT 1 FROM delivery WHERE message_id = message.id)`)
  return database.transact(() => {
    forget.run(Math.floor(sentBeforeMs), Math.floor(deadBeforeMs))
    return Number(sweep.run(formatIsoTime(sentBeforeMs)).changes)
  })
}

function toDue(row: Row): DueDelivery {
  return { delivery: toDelivery(row), message: messageOf(row) }
}

function toDelivery(row: Row): AlertDelivery {
  return {
    sequence: Number(row['sequence']),
    messageId: String(row['message_id']),
    channel: String(row['channel']),
    recipient: String(row['recipient']),
    state: String(row['state']) as DeliveryState,
    attempts: Number(row['attempts']),
    partsDone: Number(row['parts_done']),
    createdAtMs: Number(row['created_ms']),
    dueAtMs: Number(row['due_ms']),
    settledAtMs: numberOrNull(row['settled_ms']),
    error: row['error'] === null ? null : String(row['error']),
  }
}

/** Only `insertMessage` writes this column. */
function messageOf(row: Row): AlertMessage {
  return JSON.parse(String(row['record'])) as AlertMessage
}

function numberOrNull(value: unknown): number | null {
  return value === null || value === undefined ? null : Number(value)
}
