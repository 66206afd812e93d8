/**
 * What people are told, and how far it got: the records between incidents, channels and whoever shows deliveries.
 *
 * Invariant: a message has one id for ever, and of each id, channel and recipient there is at most one delivery.
 *
 * Format: docs/formats/alerts.md
 */
import type { Json } from '../core/log.ts'

/** How much something matters, mildest first. */
export const ALERT_SEVERITIES = ['info', 'low', 'medium', 'high', 'critical'] as const
/** One of {@link ALERT_SEVERITIES}. */
export type AlertSeverity = (typeof ALERT_SEVERITIES)[number]

/** What a message says: the first three are the life of an incident. */
export const ALERT_EVENTS = ['new', 'ongoing', 'recovered', 'digest', 'test'] as const
/** One of {@link ALERT_EVENTS}. */
export type AlertEvent = (typeof ALERT_EVENTS)[number]

/** One line of a message: a relay, a name. */
export interface AlertItem {
  /** For people: one line, plain text. */
  readonly text: string
  /** Where to read more; `null` without such a place. */
  readonly url: string | null
  /** For programs: the published fields. */
  readonly data: Readonly<Record<string, Json>>
}

/** A message, before any channel has put it into its own form. Texts may hold what strangers wrote: channels escape. */
export interface AlertMessage {
  /** Unique: `exits-20260131120000-new-ipv4-FINGERPRINT`. Letters, digits, `-`, `_`, `.` only. */
  readonly id: string
  readonly event: AlertEvent
  readonly severity: AlertSeverity
  /** `exits`, …; `null` for what is not about one campaign. */
  readonly campaign: string | null
  /** ISO 8601 UTC. */
  readonly createdAt: string
  /** One sentence without full stop, plain text. */
  readonly title: string
  /** Further sentences, plain text. */
  readonly lines: readonly string[]
  readonly items: readonly AlertItem[]
  /** What subscriptions match: `operator:example.org`, `family:FINGERPRINT`, `contact:…`. */
  readonly tags: readonly string[]
  /** Mail addresses that the subject itself gives; written to only where they opted in. */
  readonly contacts: readonly string[]
}

/** Where a delivery stands. `sending` outlives a process that was killed; the next one sends it again. */
export type DeliveryState = 'waiting' | 'sending' | 'sent' | 'dead'

/** One message on its way to one place. */
export interface AlertDelivery {
  /** Position in the outbox; lower was there before. */
  readonly sequence: number
  readonly messageId: string
  readonly channel: string
  /** Mail address of an operator who opted in; '' for the channel's own audience. */
  readonly recipient: string
  readonly state: DeliveryState
  /** Attempts that were begun. */
  readonly attempts: number
  /** Parts of a long message that were acknowledged. */
  readonly partsDone: number
  /** Unix milliseconds, as all times of this record. */
  readonly createdAtMs: number
  /** Not before this time. */
  readonly dueAtMs: number
  /** When it was acknowledged or given up; `null` before. */
  readonly settledAtMs: number | null
  /** Why the newest attempt failed, without any secret; `null` when none did. */
  readonly error: string | null
}

/** A delivery with what it carries. */
export interface DueDelivery {
  readonly delivery: AlertDelivery
  readonly message: AlertMessage
}

/** What one channel's outbox amounts to. */
export interface ChannelOutboxStatus {
  readonly channel: string
  /** Waiting or being sent. */
  readonly waiting: number
  readonly sent: number
  /** Given up, kept for reading and for another try. */
  readonly dead: number
  /** Unix milliseconds; `null` when nothing waits. */
  readonly oldestWaitingAtMs: number | null
  /** The newest error and when it happened; `null` when there was none, or a delivery succeeded since. */
  readonly lastError: string | null
  readonly lastErrorAtMs: number | null
  readonly lastSentAtMs: number | null
}

/** Where a message is to go. */
export interface AlertRoute {
  readonly channel: string
  readonly recipient: string
}

/** What waits to be sent: the port between whoever has something to tell, the delivery, and pages. */
export interface AlertOutbox {
  /** Keeps a message. @returns Whether its id is new; an id that is known changes nothing. */
  add(message: AlertMessage): Promise<boolean>
  /** Messages that have not been given their deliveries, earliest first, at most 100. */
  unrouted(): Promise<readonly AlertMessage[]>
  /** Gives a message its deliveries, in one transaction; those beyond the bound of a channel are dead at once. */
  route(messageId: string, routes: readonly AlertRoute[], nowMs: number): Promise<void>
  /**
   * The next delivery of a channel that is due. Deliveries to one recipient stay in order, except that what has failed
   * eight times holds up nobody. Recipients overtake each other, and a severity of at least `minSeverity` overtakes
   * what is below it.
   */
  next(channel: string, nowMs: number, minSeverity: AlertSeverity): Promise<DueDelivery | undefined>
  /** Says that an attempt begins: on the disk before an octet leaves. */
  begin(sequence: number): Promise<void>
  /** Says that parts were acknowledged: on the disk when the call returns its promise. */
  progress(sequence: number, partsDone: number): Promise<void>
  /** Says that all was acknowledged: on the disk when the call returns its promise. */
  sent(sequence: number, nowMs: number): Promise<void>
  /** Says that the attempt failed and when the next is due. */
  retry(sequence: number, error: string, nowMs: number, dueAtMs: number): Promise<void>
  /** Gives a delivery up. */
  bury(sequence: number, error: string, nowMs: number): Promise<void>
  /** Gives up what waits for a channel that is configured no more. */
  abandon(channel: string, nowMs: number): Promise<void>
  /** Puts dead deliveries of a channel, or of all, back. @returns How many. */
  revive(channel: string | null, nowMs: number): Promise<number>
  /** One entry per channel that ever had a delivery, by name. */
  status(): Promise<readonly ChannelOutboxStatus[]>
  /** Deliveries in one of `states`, newest first, at most `limit`, with the titles of their messages. */
  list(
    states: readonly DeliveryState[],
    limit: number,
  ): Promise<readonly (AlertDelivery & { readonly title: string })[]>
  /** Forgets what was sent before a time, and what died before an earlier one. @returns How many messages. */
  prune(sentBeforeMs: number, deadBeforeMs: number): Promise<number>
}
