/**
 * Webhooks: a message as JSON, signed where there is a secret.
 *
 * Format: docs/formats/alerts.md
 */
import { ConfigError } from '../core/config-error.ts'
import type { AlertMessage } from '../model/alert.ts'
import type { AlertChannel, ChannelKind, ChannelParts } from './channel.ts'
import { judgeExchange, RESPONSE_OCTETS_MAX } from './http-outcome.ts'
import { cleanLine } from './plain-text.ts'
import { decodeWebhookSecret, signWebhook } from './webhook-signature.ts'

/** The kind `webhook`. */
export const webhookChannel: ChannelKind = { kind: 'webhook', hasRecipients: false, create }

async function create(parts: ChannelParts): Promise<AlertChannel> {
  const { settings, http, clock, timeoutMs, authorities } = parts
  const url = await readUrl(parts)
  const secret = await parts.optionalSecret('secretFile', 'CANDOR_WEBHOOK_SECRET')
  checkSecret(secret, settings.name)
  return {
    format: (message) => [formatWebhookBody(message)],
    send: async (part, { id, signal }) => {
      const timestampSeconds = Math.floor(clock.wallNowMs() / 1000)
      const signature =
        secret === undefined
          ? {}
          : { 'webhook-signature': await signWebhook(secret, { id, timestampSeconds, body: part }) }
      const exchange = await http.request({
        method: 'POST',
        url,
        headers: {
          'Content-Type': 'application/json',
          'webhook-id': id,
          'webhook-timestamp': String(timestampSeconds),
          ...signature,
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

/** The address of a service: from the settings, or from a file where it is itself a secret. @throws {ConfigError} */
export async function readUrl(parts: ChannelParts): Promise<string> {
  const { name, url, urlFile } = parts.settings
  const text = urlFile === null ? parts.required('url') : await parts.secret('urlFile', 'CANDOR_WEBHOOK_URL')
  if (urlFile === null && url !== null && /^https?:\/\/[^/]*@/.test(url))
    throw new ConfigError(
      `channel ${name}`,
      'its url holds a password, and settings are no place for secrets',
      'url_file = "FILE", with the address in a file that only its owner can read',
    )
  checkAddress(name, 'url', text)
  return text
}

/** Refuses what is no address of a web server; the text may be a secret and is not repeated. @throws {ConfigError} */
export function checkAddress(name: string, key: 'url' | 'api_base', text: string): void {
  if (URL.canParse(text) && /^https?:$/.test(new URL(text).protocol)) return
  throw new ConfigError(
    `channel ${name}`,
    `its ${key} is no address of a web server`,
    `${key} = "https://hooks.example"`,
  )
}

function checkSecret(secret: string | undefined, name: string): void {
  try {
    decodeWebhookSecret(secret ?? '')
  } catch (cause) {
    if (!(cause instanceof TypeError)) throw cause
    throw new ConfigError(
      `channel ${name}`,
      'its secret has no base64 behind whsec_',
      'a file with `whsec_` and base64, or with any other text',
      { cause },
    )
  }
}

/** The body of a webhook. */
function formatWebhookBody(message: AlertMessage): string {
  return JSON.stringify({
    version: 1,
    id: message.id,
    event: message.event,
    severity: message.severity,
    campaign: message.campaign,
    created_at: message.createdAt,
    title: cleanLine(message.title),
    text: message.lines.map(cleanLine),
    alerts: message.items.map(({ data }) => data),
  })
}
