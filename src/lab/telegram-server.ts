/**
 * Something that speaks Telegram's Bot API, `sendMessage` at least, as strictly as the real one: it parses the HTML,
 * counts characters, limits the rate and says for how long.
 *
 * Invariant: what it holds is bounded, and nothing leaves it.
 *
 * Sources: https://core.telegram.org/bots/api#sendmessage, #html-style; https://core.telegram.org/bots/faq (limits)
 */
import type { Clock } from '../core/clock.ts'
import { serveHttp, type HttpServer, type ServedRequest, type ServedResponse } from './http-server.ts'

const KEPT_MAX = 10_000
const MESSAGE_CHARS_MAX = 4096
const ENTITIES: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"' }
/** Tags that Telegram knows, as far as anybody sends them to us. */
const TAGS = new Set(['a', 'b', 'strong', 'i', 'em', 'u', 's', 'code', 'pre'])

/** A message that was taken. */
export interface TelegramMessage {
  readonly chatId: string
  readonly html: string
  /** What a person reads. */
  readonly text: string
}

/** How the server behaves. */
export interface TelegramServerOptions {
  readonly token: string
  readonly clock: Clock
  /** Messages that are taken before 429 is answered for a while; `undefined` for no limit. */
  readonly burst?: number
  /** What 429 says, and how long it lasts, in seconds. */
  readonly retryAfterSeconds?: number
  /** Told of each message that is taken. */
  readonly onMessage?: (message: TelegramMessage) => void
}

/** The running server. */
export interface TelegramServer extends AsyncDisposable {
  /** For `api_base`. */
  readonly url: string
  /** What was taken, in order. */
  readonly messages: readonly TelegramMessage[]
  /** How many were refused because of the rate. */
  limited(): number
}

/** Starts the server on a port of 127.0.0.1 that the system chooses. */
export async function startTelegramServer(options: TelegramServerOptions): Promise<TelegramServer> {
  const { token, clock, burst = Infinity, retryAfterSeconds = 1 } = options
  const messages: TelegramMessage[] = []
  let taken = 0
  let limited = 0
  let closedUntilMs = -Infinity
  const answer = (request: ServedRequest): ServedResponse => {
    if (request.url !== `/bot${token}/sendMessage`) return reply(404, { description: 'Not Found' })
    if (clock.nowMs() < closedUntilMs || taken >= burst) {
      if (taken >= burst) closedUntilMs = clock.nowMs() + retryAfterSeconds * 1000
      taken = 0
      limited += 1
      const description = `Too Many Requests: retry after ${retryAfterSeconds}`
      return reply(429, { description, parameters: { retry_after: retryAfterSeconds } })
    }
    const message = readMessage(request.body)
    if (typeof message === 'string') return reply(400, { description: `Bad Request: ${message}` })
    taken += 1
    if (messages.length < KEPT_MAX) messages.push(message)
    options.onMessage?.(message)
    return { status: 200, body: JSON.stringify({ ok: true, result: { message_id: messages.length } }) }
  }
  const server: HttpServer = await serveHttp(answer)
  return {
    url: server.url,
    messages,
    limited: () => limited,
    [Symbol.asyncDispose]: () => server.close(),
  }
}

function reply(status: number, fields: Readonly<Record<string, unknown>>): ServedResponse {
  return { status, body: JSON.stringify({ ok: false, error_code: status, ...fields }) }
}

/** @returns The message, or what is wrong with it. */
function readMessage(body: string): TelegramMessage | string {
  let given: unknown
  try {
    given = JSON.parse(body)
  } catch {
    return 'the body is no JSON'
  }
  const { chat_id: chatId, text: html, parse_mode: mode } = (given ?? {}) as Readonly<Record<string, unknown>>
  if (typeof chatId !== 'string' || chatId === '') return 'chat_id is empty'
  if (typeof html !== 'string' || html === '') return 'message text is empty'
  const text = mode === 'HTML' ? parseTelegramHtml(html) : html
  if (text === undefined) return "can't parse entities"
  if (text.trim() === '') return 'message text is empty'
  return text.length > MESSAGE_CHARS_MAX ? 'message is too long' : { chatId, html, text }
}

/** @returns What a person reads; `undefined` for what Telegram refuses: unknown tags, tags not closed, bare `<` and `&`. */
export function parseTelegramHtml(html: string): string | undefined {
  const open: string[] = []
  let text = ''
  for (const [token] of html.matchAll(/<[^>]*>?|&\w*;?|[^<&]+/g)) {
    const entity = /^&(\w+);$/.exec(token)
    const tag = /^<(\/?)([a-z]+)(?: href="[^"<>]*")?>$/.exec(token)
    if (entity !== null) {
      const character = ENTITIES[entity[1] ?? '']
      if (character === undefined) return undefined
      text += character
    } else if (tag !== null) {
      const [, slash, name = ''] = tag
      if (!TAGS.has(name)) return undefined
      if (slash === '') open.push(name)
      else if (open.pop() !== name) return undefined
    } else if (/^[<&]/.test(token)) return undefined
    else text += token
  }
  return open.length === 0 ? text : undefined
}
