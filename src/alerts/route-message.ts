/**
 * Which channels get a message.
 *
 * Invariant: pure. An address that a relay names is written to only when it stands in the list of those who asked for it.
 */
import { ALERT_SEVERITIES, type AlertMessage, type AlertRoute } from '../model/alert.ts'
import type { ChannelSettings } from '../model/channel-settings.ts'

/** A channel, as far as routing goes. */
export interface RoutedChannel {
  readonly settings: Pick<ChannelSettings, 'name' | 'minSeverity' | 'events' | 'subscribe' | 'to'>
  /** Mail addresses that opted in, lower case; empty where the channel writes to no operators. */
  readonly optedIn: ReadonlySet<string>
}

/** @returns One route per channel that takes the message, and one per operator who opted in, without doubles. */
export function routeMessage(message: AlertMessage, channels: readonly RoutedChannel[]): readonly AlertRoute[] {
  return channels.flatMap(({ settings, optedIn }) => {
    if (!takes(settings, message)) return []
    const own = optedIn.size > 0 && settings.to.length === 0 ? [] : ['']
    const operators = message.contacts.filter((address) => optedIn.has(address))
    return [...new Set([...own, ...operators])].map((recipient) => ({ channel: settings.name, recipient }))
  })
}

function takes({ name, minSeverity, events, subscribe }: RoutedChannel['settings'], message: AlertMessage): boolean {
  const named = message.tags.filter((tag) => tag.startsWith('to:'))
  return (
    (named.length === 0 || named.includes(`to:${name}`)) &&
    ALERT_SEVERITIES.indexOf(message.severity) >= ALERT_SEVERITIES.indexOf(minSeverity) &&
    (events.length === 0 || events.includes(message.event)) &&
    (subscribe.length === 0 || subscribe.some((wanted) => matches(wanted.toLowerCase(), message.tags)))
  )
}

/** A contact is text that people write as they like: there the subscription is a part of it. */
function matches(wanted: string, tags: readonly string[]): boolean {
  return wanted.startsWith('contact:')
    ? tags.some((tag) => tag.startsWith('contact:') && tag.toLowerCase().includes(wanted.slice('contact:'.length)))
    : tags.some((tag) => tag.toLowerCase() === wanted)
}
