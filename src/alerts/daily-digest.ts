/**
 * The daily digest: what is open, what began and ended, and whether alerts get through.
 *
 * Invariant: one message per day, whoever asks and however often: its id is the day.
 */
import { formatIsoTime } from '../core/clock.ts'
import type { AlertItem, AlertMessage, ChannelOutboxStatus } from '../model/alert.ts'
import type { ExitIncident } from '../model/incident.ts'

const DAY_MS = 86_400_000
/** Notes in one digest. */
const NOTES_MAX = 50

/** What the digest is made of. */
export interface DigestFacts {
  /** `2026-01-31`. */
  readonly day: string
  /** Unix milliseconds. */
  readonly nowMs: number
  /** Incidents that are open or were closed within the last day. */
  readonly incidents: readonly ExitIncident[]
  readonly channels: readonly ChannelOutboxStatus[]
  /** What campaigns have kept for it since the day before. */
  readonly notes: readonly DigestNote[]
}

/** Something that was not worth a message of its own. */
export interface DigestNote {
  readonly text: string
  readonly data: AlertItem['data']
}

/** Composes the digest of a day. */
export function composeDigest({ day, nowMs, incidents, channels, notes }: DigestFacts): AlertMessage {
  const since = formatIsoTime(nowMs - DAY_MS)
  const open = incidents.filter(({ status }) => status === 'open')
  const opened = incidents.filter(({ openedAt }) => openedAt >= since)
  const recovered = incidents.filter(({ status, closedAt }) => status === 'recovered' && (closedAt ?? '') >= since)
  const lapsed = incidents.filter(({ status, closedAt }) => status === 'lapsed' && (closedAt ?? '') >= since)
  const dead = channels.reduce((sum, channel) => sum + channel.dead, 0)
  return {
    id: `digest-${day}`,
    event: 'digest',
    severity: 'info',
    campaign: null,
    createdAt: formatIsoTime(nowMs),
    title: `${day}: ${count(open.length, 'open incident')}${notes.length === 0 ? '' : `, ${count(notes.length, 'note')}`}`,
    lines: [
      `In the last 24 hours ${opened.length} began, ${recovered.length} ended, ${lapsed.length} lapsed because nothing more was seen.`,
      ...(notes.length > NOTES_MAX ? [`Of the notes the newest ${NOTES_MAX} are here; the pages have all.`] : []),
      ...(dead === 0
        ? []
        : [`${count(dead, 'alert')} could not be delivered: \`candor alerts list --dead\` shows why.`]),
    ],
    items: [...open.map(toItem), ...notes.slice(0, NOTES_MAX).map(({ text, data }) => ({ text, url: null, data }))],
    tags: [],
    contacts: [],
  }
}

function toItem({ id, nickname, exitAddress, fingerprint, family, failureType, firstSeen }: ExitIncident): AlertItem {
  return {
    text: `${nickname} ${exitAddress}: ${failureType}${family === 'ipv6' ? ' (AAAA)' : ''} since ${firstSeen.slice(0, 16).replace('T', ' ')} UTC`,
    url: `https://metrics.torproject.org/rs.html#details/${fingerprint}`,
    data: { incident: id, fingerprint, failure_type: failureType, first_seen: firstSeen },
  }
}

function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`
}
