/**
 * Mail over SMTP: one connection for each message, protected by TLS unless the settings say otherwise.
 *
 * Invariant: every attempt ends by its time-out, whatever the server does. Nothing in a message can add a header or a
 * recipient: texts are cleaned of line ends, addresses are checked when they are read.
 *
 * Sources: RFC 5321, RFC 3207 (STARTTLS), RFC 3834 (Auto-Submitted); https://nodemailer.com
 */
import { createHash } from 'node:crypto'
import MailComposer from 'nodemailer/lib/mail-composer'
import SMTPConnection from 'nodemailer/lib/smtp-connection'
import { ConfigError } from '../core/config-error.ts'
import type { AlertMessage } from '../model/alert.ts'
import type { AlertChannel, ChannelKind, ChannelParts, DeliveryAttempt, DeliveryOutcome } from './channel.ts'
import { isMailAddress } from './opt-in-list.ts'
import { cleanLine, formatPlainText } from './plain-text.ts'

const PORTS = { tls: 465, starttls: 587, none: 25 } as const
const SUBJECT_CHARS_MAX = 150

/** The kind `smtp`. */
export const smtpChannel: ChannelKind = { kind: 'smtp', hasRecipients: true, create }

/** A mail before it has a recipient: what {@link AlertChannel.format} makes, as JSON. */
interface MailPart {
  readonly subject: string
  readonly text: string
  readonly event: string
}

/** A server and how to speak to it. */
interface MailServer {
  readonly parts: ChannelParts
  readonly host: string
  readonly from: string
  readonly password: string | undefined
}

async function create(parts: ChannelParts): Promise<AlertChannel> {
  const { settings } = parts
  const host = parts.required('host')
  const from = parts.required('from')
  for (const address of [from, ...settings.to]) checkAddress(settings.name, address)
  if (settings.to.length === 0 && settings.optInFile === null)
    throw new ConfigError(`channel ${settings.name}`, 'it writes to nobody', 'to = ["ops@example.org"], or opt_in_file')
  const password = settings.user === null ? undefined : await parts.secret('passwordFile', 'CANDOR_SMTP_PASSWORD')
  const server: MailServer = { parts, host, from, password }
  return {
    format: (message) => [JSON.stringify(toMail(message))],
    // Only `format` makes parts.
    send: async (part, attempt) => send(server, JSON.parse(part) as MailPart, attempt),
  }
}

function checkAddress(name: string, address: string): void {
  if (isMailAddress(address)) return
  throw new ConfigError(`channel ${name}`, `'${address.slice(0, 80)}' is no plain mail address`, 'ops@example.org')
}

function toMail(message: AlertMessage): MailPart {
  const title = cleanLine(message.title).slice(0, SUBJECT_CHARS_MAX).toWellFormed()
  return { subject: `[candor] ${message.event}: ${title}`, text: formatPlainText(message), event: message.event }
}

async function send(server: MailServer, part: MailPart, attempt: DeliveryAttempt): Promise<DeliveryOutcome> {
  const { settings } = server.parts
  const to = attempt.recipient === '' ? settings.to : [attempt.recipient]
  if (to.length === 0) return { kind: 'refused', error: 'no_recipient' }
  const message = await compose(server, part, attempt, to)
  const connection = connectionTo(server)
  return new Promise((resolve) => {
    let isSettled = false
    const settle = (outcome: DeliveryOutcome): void => {
      if (isSettled) return
      isSettled = true
      timeout.cancel()
      attempt.signal.removeEventListener('abort', abort)
      resolve(outcome)
      // The answer counts from here on; an orderly end of the connection is not waited for.
      if (outcome.kind === 'sent') connection.quit()
      else connection.close()
    }
    const abort = (): void => {
      settle({ kind: 'retry', error: 'interrupted' })
    }
    const fail = (error: Error): void => {
      settle(judgeError(error))
    }
    const timeout = server.parts.clock.setTimer(server.parts.timeoutMs, () => {
      settle({ kind: 'retry', error: 'generic_timeout_error' })
    })
    attempt.signal.addEventListener('abort', abort, { once: true })
    connection.on('error', fail)
    connection.once('end', () => {
      settle({ kind: 'retry', error: 'eof_error' })
    })
    const deliver = (): void => {
      connection.send({ from: server.from, to: [...to] }, message, (error) => {
        if (error) fail(error)
        else settle({ kind: 'sent' })
      })
    }
    connection.connect((error) => {
      if (error) fail(error)
      else if (server.password === undefined) deliver()
      else {
        const credentials = { user: settings.user ?? '', pass: server.password }
        connection.login({ credentials }, (refused) => {
          if (refused) fail(refused)
          else deliver()
        })
      }
    })
    if (attempt.signal.aborted) abort()
  })
}

function connectionTo({ parts, host }: MailServer): SMTPConnection {
  const { settings, timeoutMs, authorities } = parts
  return new SMTPConnection({
    host,
    port: settings.port ?? PORTS[settings.security],
    secure: settings.security === 'tls',
    requireTLS: settings.security === 'starttls',
    ignoreTLS: settings.security === 'none',
    name: 'candor.invalid',
    connectionTimeout: timeoutMs,
    greetingTimeout: timeoutMs,
    socketTimeout: timeoutMs,
    dnsTimeout: timeoutMs,
    socketCloseTimeout: 1000,
    maxResponseSize: 65_536,
    logger: false,
    tls: { minVersion: 'TLSv1.2', ...(authorities === undefined ? {} : { ca: authorities }) },
  })
}

async function compose(
  { parts, from }: MailServer,
  { subject, text, event }: MailPart,
  { id, recipient }: DeliveryAttempt,
  to: readonly string[],
): Promise<Buffer> {
  const place = createHash('sha256').update(`${parts.settings.name}\n${recipient}`).digest('hex').slice(0, 16)
  const mail = new MailComposer({
    from,
    to: [...to],
    subject,
    text,
    // The same at every attempt, so that servers and programs recognise a repetition.
    messageId: `<${id}.${place}@${from.slice(from.indexOf('@') + 1)}>`,
    headers: { 'Auto-Submitted': 'auto-generated', 'X-Candor-Event': event },
    disableFileAccess: true,
    disableUrlAccess: true,
  })
  return mail.compile().build()
}

const WORDS: readonly (readonly [RegExp, string])[] = [
  [/certificate|altname/i, 'ssl_invalid_certificate'],
  [/ECONNREFUSED/, 'connection_refused'],
  [/ECONNRESET|EPIPE|closed/, 'connection_reset'],
  [/ENOTFOUND|EAI_AGAIN/, 'dns_lookup_error'],
  [/EHOSTUNREACH/, 'host_unreachable'],
  [/ENETUNREACH/, 'network_unreachable'],
]
const CODES: Readonly<Record<string, string>> = {
  EAUTH: 'smtp_login_refused',
  EDNS: 'dns_lookup_error',
  ETIMEDOUT: 'generic_timeout_error',
  ETLS: 'ssl_failed_handshake',
}

/** The text of the server is left out: it may repeat what it was sent. */
function judgeError(error: Error & { readonly code?: string; readonly responseCode?: number }): DeliveryOutcome {
  const { code = '', responseCode = 0 } = error
  const word = CODES[code] ?? WORDS.find(([pattern]) => pattern.test(error.message))?.[1] ?? 'smtp_failure'
  const text = responseCode === 0 ? word : `${code === 'EAUTH' ? word : 'smtp_reply'}: ${responseCode}`
  const isForGood = responseCode >= 500 && (code === 'EENVELOPE' || code === 'EMESSAGE')
  return isForGood ? { kind: 'refused', error: text } : { kind: 'retry', error: text }
}
