/**
 * Telegram: `sendMessage` of the Bot API.
 *
 * Invariant: the token stands in the address of the request, as Telegram wants it, and nowhere else: no error names the
 * address. Everything in a message is escaped.
 *
 * Sources: https://core.telegram.org/bots/api#sendmessage, #making-requests (errors), #responseparameters
 */
import { ConfigError } from '../core/config-error.ts'
import type { HttpFailure, HttpResponse } from '../net/http-client.ts'
import type { AlertChannel, ChannelKind, ChannelParts, DeliveryOutcome } from './channel.ts'
import { judgeExchange, RESPONSE_OCTETS_MAX, retryAfter } from './http-outcome.ts'
import { cleanLine } from './plain-text.ts'
import { checkAddress } from './webhook-channel.ts'
import { formatTelegramHtml, splitTelegramHtml } from './telegram-html.ts'

/** Telegram's own bound of one message. */
const MESSAGE_CHARS_MAX = 4096
const PUBLIC_API = 'https://api.telegram.org'
const DESCRIPTION_CHARS_MAX = 160

/** The kind `telegram`. */
export const telegramChannel: ChannelKind = { kind: 'telegram', hasRecipients: false, create }

async function create(parts: ChannelParts): Promise<AlertChannel> {
  const { settings, http, timeoutMs, authorities } = parts
  const token = await parts.secret('tokenFile', 'TELEGRAM_BOT_TOKEN')
  if (!/^[\w:-]{1,200}$/.test(token))
    throw new ConfigError(
      `channel ${settings.name}`,
      'the token of the bot has characters that no token has',
      'TELEGRAM_BOT_TOKEN=digits:letters, as BotFather gave it',
    )
  const chatId = settings.chatId ?? (await parts.secret('secretFile', 'TELEGRAM_CHAT_ID'))
  const base = settings.apiBase ?? PUBLIC_API
  checkAddress(settings.name, 'api_base', base)
  const url = `${base.replace(/\/+$/, '')}/bot${token}/sendMessage`
  return {
    format: (message) => splitTelegramHtml(formatTelegramHtml(message), MESSAGE_CHARS_MAX),
    send: async (part, { signal }) => {
      const exchange = await http.request({
        method: 'POST',
        url,
        headers: { 'Content-Type': 'application/json' },
        body: new TextEncoder().encode(formatRequest(chatId, part)),
        timeoutMs,
        bodyOctetsMax: RESPONSE_OCTETS_MAX,
        signal,
        ...(authorities === undefined ? {} : { authorities }),
      })
      return judge(exchange, token)
    },
  }
}

function formatRequest(chatId: string, text: string): string {
  return JSON.stringify({
    chat_id: chatId,
    text,
    parse_mode: 'HTML',
    link_preview_options: { is_disabled: true },
  })
}

/** Telegram answers errors in JSON: a description, and how long to wait. */
function judge(exchange: HttpResponse | HttpFailure, token: string): DeliveryOutcome {
  const outcome = judgeExchange(exchange)
  if (exchange.kind === 'failure') return outcome
  const reply = parseReply(exchange.body)
  // A status of 200 without Telegram's own word for it comes from something else, a proxy's page for example.
  if (outcome.kind === 'sent') return reply.ok === true ? outcome : { kind: 'retry', error: 'no_telegram_reply' }
  const text = typeof reply.description === 'string' ? reply.description.replaceAll(token, '…') : ''
  const error = `${outcome.error} ${cleanLine(text.slice(0, DESCRIPTION_CHARS_MAX))}`.trim()
  return outcome.kind === 'refused'
    ? { kind: 'refused', error }
    : { ...outcome, error, ...retryAfter(reply.parameters?.retry_after) }
}

interface TelegramReply {
  readonly ok?: unknown
  readonly description?: unknown
  readonly parameters?: { readonly retry_after?: number }
}

function parseReply(body: Uint8Array): TelegramReply {
  try {
    const reply: unknown = JSON.parse(new TextDecoder().decode(body))
    return typeof reply === 'object' && reply !== null ? reply : {}
  } catch (error) {
    if (error instanceof SyntaxError) return {}
    throw error
  }
}
