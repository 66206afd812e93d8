/**
 * Services that take a text by HTTP POST and differ in its wrapping: ntfy, Slack, Discord, and those that imitate them.
 *
 * Invariant: nothing in a text is markup to the service: what strangers wrote mentions nobody and links nowhere.
 *
 * Sources: https://docs.ntfy.sh/publish/, https://api.slack.com/reference/surfaces/formatting (escaping),
 * https://discord.com/developers/docs/resources/webhook#execute-webhook (allowed_mentions)
 */
import type { AlertMessage, AlertSeverity } from '../model/alert.ts'
import type { AlertChannel, ChannelKind, ChannelParts } from './channel.ts'
import { judgeExchange, RESPONSE_OCTETS_MAX } from './http-outcome.ts'
import { cleanLine, formatPlainText, splitPlainText } from './plain-text.ts'
import { readUrl } from './webhook-channel.ts'

/** How one service wants its text. */
interface ChatTemplate {
  readonly kind: string
  /** UTF-16 units of one text. */
  readonly charsMax: number
  /** Makes what strangers wrote plain text for the service. */
  readonly escape: (text: string) => string
  /** The body of the request. */
  readonly wrap: (text: string, message: AlertMessage) => object
}

const NTFY_PRIORITIES: Readonly<Record<AlertSeverity, number>> = { info: 2, low: 2, medium: 3, high: 4, critical: 5 }

/** The kind `ntfy`: JSON to the address of a server; the topic is the path of the url. 4,096 octets are its bound. */
export const ntfyChannel: ChannelKind = chatChannel({
  kind: 'ntfy',
  charsMax: 1300,
  escape: (text) => text,
  wrap: (text, message) => ({
    title: cleanLine(message.title),
    message: text,
    priority: NTFY_PRIORITIES[message.severity],
    tags: [message.event],
  }),
})

/** The kind `slack`: an incoming webhook of Slack, Mattermost or Rocket.Chat. */
export const slackChannel: ChannelKind = chatChannel({
  kind: 'slack',
  charsMax: 12_000,
  escape: (text) => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;'),
  wrap: (text) => ({ text, mrkdwn: false, unfurl_links: false, unfurl_media: false }),
})

/** The kind `discord`: a webhook of Discord. */
export const discordChannel: ChannelKind = chatChannel({
  kind: 'discord',
  charsMax: 1900,
  escape: (text) => text.replaceAll(/[\\*_~`|<>#[\]()]/g, '\\$&'),
  // 4 suppresses previews of links.
  wrap: (text) => ({ content: text, allowed_mentions: { parse: [] }, flags: 4 }),
})

function chatChannel(template: ChatTemplate): ChannelKind {
  return { kind: template.kind, hasRecipients: false, create: (parts) => create(parts, template) }
}

async function create(parts: ChannelParts, { kind, charsMax, escape, wrap }: ChatTemplate): Promise<AlertChannel> {
  const { http, timeoutMs, authorities } = parts
  const address = new URL(await readUrl(parts))
  const segments = address.pathname.split('/').filter((segment) => segment !== '')
  const topic = kind === 'ntfy' ? (segments.at(-1) ?? '') : ''
  if (kind === 'ntfy') address.pathname = `/${segments.slice(0, -1).join('/')}`
  const url = address.href
  const token = kind === 'ntfy' ? await parts.optionalSecret('tokenFile', 'CANDOR_NTFY_TOKEN') : undefined
  return {
    format: (message) =>
      splitPlainText(escapeTexts(message, escape), charsMax).map((text) =>
        JSON.stringify({ ...(topic === '' ? {} : { topic }), ...wrap(text, message) }),
      ),
    send: async (part, { signal }) => {
      const exchange = await http.request({
        method: 'POST',
        url,
        headers: {
          'Content-Type': 'application/json',
          ...(token === undefined ? {} : { Authorization: `Bearer ${token}` }),
        },
        body: new TextEncoder().encode(part),
        timeoutMs,
        bodyOctetsMax: RESPONSE_OCTETS_MAX,
        signal,
        ...(authorities === undefined ? {} : { authorities }),
      })
      return judgeExchange(exchange)
    },
  }
}

/** Addresses are ours and stay as they are. */
function escapeTexts(message: AlertMessage, escape: (text: string) => string): string {
  return formatPlainText({
    ...message,
    title: escape(message.title),
    lines: message.lines.map(escape),
    items: message.items.map((item) => ({ ...item, text: escape(item.text) })),
  })
}
