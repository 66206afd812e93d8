import { chmodSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { signWebhook } from '../../src/alerts/webhook-signature.ts'
import { serveHttp, type ServedRequest, type ServedResponse } from '../../src/lab/http-server.ts'
import { startTelegramServer, type TelegramServer } from '../../src/lab/telegram-server.ts'
import {
  startWebhookReceiver,
  type WebhookReceiver,
  type WebhookReceiverOptions,
} from '../../src/lab/webhook-receiver.ts'
import { nodeClock } from '../../src/platform/node-clock.ts'
import {
  createRealChannel,
  createRealChannels,
  exampleMessage,
  exampleSettings,
  makeTestDirectory,
  sendAll,
} from '../alert-fixtures/alert-parts.ts'

const TOKEN = '123456:very-SECRET-token'
const ENVIRONMENT = { TELEGRAM_BOT_TOKEN: TOKEN, TELEGRAM_CHAT_ID: '-100' }
const HOSTILE =
  '<b>&amp; </a><script>alert("x")</script> \u202E\nline\u0000 @everyone <!channel> [x](http://evil.example)'

async function telegram(
  options: { readonly burst?: number; readonly retryAfterSeconds?: number } = {},
): Promise<TelegramServer> {
  const server = await startTelegramServer({ token: TOKEN, clock: nodeClock, ...options })
  onTestFinished(() => server[Symbol.asyncDispose]())
  return server
}

async function receiver(options: Partial<WebhookReceiverOptions> = {}): Promise<WebhookReceiver> {
  const server = await startWebhookReceiver({ secret: 'key', clock: nodeClock, ...options })
  onTestFinished(() => server[Symbol.asyncDispose]())
  return server
}

async function serve(answer: (request: ServedRequest) => ServedResponse): Promise<string> {
  const server = await serveHttp(answer)
  onTestFinished(() => server.close())
  return server.url
}

describe('telegramChannel', () => {
  test('says what strangers wrote as text', async () => {
    const server = await telegram()
    const channel = await createRealChannel({ kind: 'telegram', apiBase: server.url }, ENVIRONMENT)
    const items = [{ text: HOSTILE, url: 'https://metrics.example/#details/A"&<', data: {} }]
    expect(await sendAll(channel, exampleMessage('m', { title: HOSTILE, lines: [HOSTILE], items }))).toEqual(['sent'])
    const [message] = server.messages
    expect(message?.chatId).toBe('-100')
    const cleaned = '<b>&amp; </a><script>alert("x")</script> line @everyone <!channel> [x](http://evil.example)'
    expect(message?.text).toBe(`New (medium): ${cleaned}\n${cleaned}\n• ${cleaned}`)
  })

  test('splits what is longer than 4,096 characters', async () => {
    const server = await telegram()
    const channel = await createRealChannel({ kind: 'telegram', apiBase: server.url }, ENVIRONMENT)
    const items = Array.from({ length: 190 }, (_, index) => ({
      text: `exit${index} <&> 198.51.100.1: timeout 5 times in a row`,
      url: `https://metrics.torproject.org/rs.html#details/${index}`,
      data: {},
    }))
    const told = await sendAll(channel, exampleMessage('m', { items }))
    expect(told.length).toBeGreaterThan(5)
    expect(new Set(told)).toEqual(new Set(['sent']))
    const text = server.messages.map((message) => message.text).join('')
    for (const item of items) expect(text).toContain(item.text)
    for (const { html } of server.messages) expect(html.length).toBeLessThanOrEqual(4096)
  })

  test('hands on how long Telegram wants it to wait', async () => {
    const server = await telegram({ burst: 1, retryAfterSeconds: 7 })
    const channel = await createRealChannel({ kind: 'telegram', apiBase: server.url }, ENVIRONMENT)
    await sendAll(channel, exampleMessage('a'))
    const signal = new AbortController().signal
    expect(await channel.send('b', { id: 'b', recipient: '', signal })).toEqual({
      kind: 'retry',
      error: 'http_unexpected_status_code: 429 Too Many Requests: retry after 7',
      afterMs: 7_000,
    })
    expect(server.limited()).toBe(1)
  })

  test('is refused for good what Telegram cannot read, and tries again what may be mended', async () => {
    const server = await telegram()
    const channel = await createRealChannel({ kind: 'telegram', apiBase: server.url }, ENVIRONMENT)
    const signal = new AbortController().signal
    expect(await channel.send('<b>open', { id: 'x', recipient: '', signal })).toEqual({
      kind: 'refused',
      error: "http_unexpected_status_code: 400 Bad Request: can't parse entities",
    })
    const wrong = await createRealChannel(
      { kind: 'telegram', apiBase: server.url },
      { ...ENVIRONMENT, TELEGRAM_BOT_TOKEN: '1:wrong' },
    )
    expect(await sendAll(wrong, exampleMessage('a'))).toEqual(['retry http_unexpected_status_code: 404 Not Found'])
  })

  test('believes no page that is not the Bot API, and repeats no token', async () => {
    const portal = await serve(() => ({ status: 200, body: '<h1>Please log in</h1>' }))
    const one = await createRealChannel({ kind: 'telegram', apiBase: portal }, ENVIRONMENT)
    expect(await sendAll(one, exampleMessage('a'))).toEqual(['retry no_telegram_reply'])
    const echo = await serve(({ url }) => ({ status: 500, body: JSON.stringify({ ok: false, description: url }) }))
    const two = await createRealChannel({ kind: 'telegram', apiBase: echo }, ENVIRONMENT)
    expect(await sendAll(two, exampleMessage('a'))).toEqual([
      'retry http_unexpected_status_code: 500 /bot…/sendMessage',
    ])
  })
})

describe('signWebhook', () => {
  test('gives the signature of the published example', async () => {
    // https://github.com/standard-webhooks/standard-webhooks: the example that its libraries test.
    const signature = await signWebhook('whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw', {
      id: 'msg_p5jXN8AQM9LWM0D4loKWxJek',
      timestampSeconds: 1_614_265_330,
      body: '{"test": 2432232314}',
    })
    expect(signature).toBe('v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=')
  })
})

describe('webhookChannel', () => {
  const item = { text: 'exit1', url: null, data: { fingerprint: 'A', consecutive_count: 5 } }

  test.each(['key', 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw'])(
    'signs with %s so that a receiver believes it',
    async (secret) => {
      const server = await receiver({ secret })
      const channel = await createRealChannel({ url: server.url }, { CANDOR_WEBHOOK_SECRET: secret })
      expect(await sendAll(channel, exampleMessage('m', { items: [item] }))).toEqual(['sent'])
      expect(JSON.parse(server.webhooks[0]?.body ?? '')).toEqual({
        version: 1,
        id: 'm',
        event: 'new',
        severity: 'medium',
        campaign: 'exits',
        created_at: '2026-01-31T12:00:00.000Z',
        title: 'about m',
        text: ['One sentence.'],
        alerts: [{ fingerprint: 'A', consecutive_count: 5 }],
      })
    },
  )

  test('is recognised when it comes twice', async () => {
    const server = await receiver()
    const channel = await createRealChannel({ url: server.url }, { CANDOR_WEBHOOK_SECRET: 'key' })
    await sendAll(channel, exampleMessage('m'))
    await sendAll(channel, exampleMessage('m'))
    expect(server.webhooks).toHaveLength(1)
    expect(server.arrivals.get('m.1')).toBe(2)
  })

  test('is not believed with another key, and tries again', async () => {
    const server = await receiver()
    const channel = await createRealChannel({ url: server.url }, { CANDOR_WEBHOOK_SECRET: 'other' })
    expect(await sendAll(channel, exampleMessage('m'))).toEqual(['retry http_unexpected_status_code: 401'])
    expect(server.refused()).toBe(1)
    expect(server.webhooks).toEqual([])
  })

  test.each([
    [500, 'retry'],
    [302, 'retry'],
    [410, 'retry'],
    [400, 'refused'],
    [413, 'refused'],
  ])('takes status %s as %s', async (status, kind) => {
    const server = await receiver({ behave: () => status })
    const channel = await createRealChannel({ url: server.url }, { CANDOR_WEBHOOK_SECRET: 'key' })
    expect(await sendAll(channel, exampleMessage('m'))).toEqual([`${kind} http_unexpected_status_code: ${status}`])
  })

  test('gives up a receiver that never answers', async () => {
    const server = await receiver({ behave: () => 'hang' })
    const channel = await createRealChannel({ url: server.url }, { CANDOR_WEBHOOK_SECRET: 'key' }, 200)
    expect(await sendAll(channel, exampleMessage('m'))).toEqual(['retry generic_timeout_error'])
  })
})

describe('ntfyChannel, slackChannel, discordChannel', () => {
  /** What a service is sent for a message full of other people's markup. */
  async function sendHostile(kind: string, environment: Readonly<Record<string, string>> = {}): Promise<ServedRequest> {
    const requests: ServedRequest[] = []
    const base = await serve((request) => {
      requests.push(request)
      return { status: 200, body: 'ok' }
    })
    const path = join(makeTestDirectory(), 'url')
    writeFileSync(path, `${base}/topic\n`, { mode: 0o600 })
    const channel = await createRealChannel({ kind, urlFile: path }, environment)
    expect(await sendAll(channel, exampleMessage('m', { title: HOSTILE, severity: 'high' }))).toEqual(['sent'])
    return requests[0] ?? { method: '', url: '', headers: {}, body: '{}' }
  }

  test('ntfy gets topic, priority and token', async () => {
    const request = await sendHostile('ntfy', { CANDOR_NTFY_TOKEN: 'tk_secret' })
    expect(request).toMatchObject({ url: '/', headers: { authorization: 'Bearer tk_secret' } })
    expect(JSON.parse(request.body)).toMatchObject({ topic: 'topic', priority: 4, tags: ['new'] })
  })

  test('slack gets text without tags and mentions', async () => {
    const request = await sendHostile('slack')
    const { text } = JSON.parse(request.body) as { text: string }
    expect(request.url).toBe('/topic')
    expect(text).toContain('&lt;!channel&gt;')
    expect(text).not.toMatch(/[<>]/)
  })

  test('discord gets text without markup, and may mention nobody', async () => {
    const body = JSON.parse((await sendHostile('discord')).body) as { content: string }
    expect(body).toMatchObject({ allowed_mentions: { parse: [] } })
    expect(body.content).toContain('@everyone \\<!channel\\> \\[x\\]\\(http')
  })

  test('splits what is too long for the service', async () => {
    const contents: string[] = []
    const url = await serve((request) => {
      contents.push((JSON.parse(request.body) as { content: string }).content)
      return { status: 204, body: '' }
    })
    const channel = await createRealChannel({ kind: 'discord', url })
    const items = Array.from({ length: 100 }, (_, index) => ({ text: `exit${index} `.repeat(8), url: null, data: {} }))
    await sendAll(channel, exampleMessage('m', { items }))
    expect(contents.length).toBeGreaterThan(3)
    for (const content of contents) expect(content.length).toBeLessThanOrEqual(1900)
    expect(contents.join('')).toContain('exit99')
  })
})

describe('createChannels', () => {
  test.each([
    [{ kind: 'pigeon' }, "there is no kind 'pigeon'"],
    [{ kind: 'webhook' }, 'cannot do without url'],
    [{ kind: 'webhook', url: 'ftp://a.example/' }, 'no address of a web server'],
    [{ kind: 'webhook', url: 'https://user:pw@a.example/' }, 'holds a password'],
    [{ kind: 'telegram' }, 'token_file is not given'],
    [{ kind: 'webhook', url: 'hooks.example' }, 'no address of a web server'],
    [{ kind: 'smtp', host: 'mail.example', from: 'a@b.example' }, 'it writes to nobody'],
    [
      { kind: 'smtp', host: 'mail.example', from: 'a@b.example\r\nBcc: c@d.example', to: ['x@y.example'] },
      'no plain mail',
    ],
    [{ kind: 'webhook', url: 'http://127.0.0.1/', optInFile: '/x' }, 'cannot write to operators'],
  ])('refuses %j', async (settings, message) => {
    await expect(createRealChannel(settings)).rejects.toThrow(message)
  })

  test('refuses a Bot API that is nowhere', async () => {
    const settings = { kind: 'telegram', apiBase: 'api.telegram.org' }
    await expect(createRealChannel(settings, ENVIRONMENT)).rejects.toThrow('its api_base is no address')
  })

  test('refuses two channels of one name, and leaves out what is not enabled', async () => {
    const settings = exampleSettings({ url: 'http://127.0.0.1:9/' })
    await expect(createRealChannels([settings, settings])).rejects.toThrow('two channels have this name')
    expect(await createRealChannels([{ ...settings, kind: 'pigeon', enabled: false }])).toEqual([])
  })

  test('takes a secret from a file that only its owner can read', async () => {
    const path = join(makeTestDirectory(), 'token')
    writeFileSync(path, `${TOKEN}\n`, { mode: 0o600 })
    const server = await telegram()
    const settings = { kind: 'telegram', apiBase: server.url, tokenFile: path, chatId: '7' }
    expect(await sendAll(await createRealChannel(settings), exampleMessage('m'))).toEqual(['sent'])
    chmodSync(path, 0o640)
    const error: unknown = await createRealChannel(settings).catch((cause: unknown) => cause)
    expect(String(error)).toContain('can be read by others')
    expect(JSON.stringify(error)).not.toContain('SECRET')
  })
})
