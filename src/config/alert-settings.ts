/**
 * The settings of alerts: the table `[alerts]`, and one `[[alerts.channels]]` for each place where people are told.
 *
 * Invariant: no setting holds a secret. Tokens, passwords and secret addresses come from files that only their owner can
 * read, or from the environment.
 */
import { z } from 'zod'
import type { Limit } from '../core/limit.ts'
import { ALERT_EVENTS, ALERT_SEVERITIES } from '../model/alert.ts'
import type { ChannelSettings, MailSecurity } from '../model/channel-settings.ts'
import * as limits from './alert-limits.ts'
import {
  choice,
  countSetting,
  duration,
  flag,
  integer,
  tableList,
  text,
  textList,
  textSetting,
  type Setting,
  type SettingGroup,
} from './setting.ts'

/** When an alert about an exit begins. */
export const ALERT_RULES = ['five_in_a_row', 'two_in_a_row'] as const
/** One of {@link ALERT_RULES}. */
export type AlertRule = (typeof ALERT_RULES)[number]

const SECURITIES: readonly MailSecurity[] = ['tls', 'starttls', 'none']
const SUBSCRIPTION = /^(?:operator|family|contact|owner|category|domain):./
const CLOCK_TIME = '(?:[01]\\d|2[0-3]):[0-5]\\d'

/** The keys of `[[alerts.channels]]`. */
const CHANNEL_SETTINGS: { readonly [K in keyof ChannelSettings]: Setting<ChannelSettings[K]> } = {
  name: {
    name: 'name',
    schema: z.string('must be text').regex(/^[a-z\d][\w-]{0,39}$/i, 'must be a short word of letters, digits, - and _'),
    default: 'alerts',
    description: 'the name of the channel in messages and in the outbox; each needs one of its own',
    example: 'ops',
  },
  kind: {
    name: 'kind',
    schema: text,
    default: 'telegram',
    description: 'telegram, smtp, webhook, ntfy, slack or discord',
    example: 'smtp',
  },
  enabled: {
    name: 'enabled',
    schema: flag,
    default: true,
    description: 'whether it takes part',
    example: 'false',
  },
  minSeverity: {
    name: 'min-severity',
    schema: choice(ALERT_SEVERITIES),
    default: 'info',
    description: `what is milder is not sent here: ${ALERT_SEVERITIES.join(', ')}`,
    example: 'medium',
  },
  events: {
    name: 'events',
    isList: true,
    schema: textList.pipe(
      z.array(z.enum(ALERT_EVENTS, { error: `has a word that is none of ${ALERT_EVENTS.join(', ')}` })),
    ),
    default: [],
    defaultText: 'all',
    description: `which of ${ALERT_EVENTS.join(', ')} are sent here`,
    example: 'new',
  },
  subscribe: {
    name: 'subscribe',
    isList: true,
    schema: textList.pipe(
      z.array(
        z.string().regex(SUBSCRIPTION, 'must begin with operator:, family:, contact:, owner:, category: or domain:'),
      ),
    ),
    default: [],
    defaultText: 'all',
    description:
      'only about these: operator:NAME, family:FINGERPRINT of a member, contact:TEXT in the contact of relays; owner:NAME, category:NAME, domain:NAME of watched names',
    example: 'operator:example.org',
  },
  perMinute: countSetting('per-minute', limits.PER_MINUTE, 'messages a minute at most'),
  url: textSetting('url', 'address of the service (webhook, ntfy)', 'https://hooks.example/candor'),
  urlFile: textSetting(
    'url-file',
    'file (0600) with the address, where it is a secret (slack, discord)',
    '/etc/candor/slack',
  ),
  secretFile: textSetting(
    'secret-file',
    'file (0600) with the key of the signature of a webhook, or with the chat id of Telegram',
    '/etc/candor/webhook-secret',
    'the variable CANDOR_WEBHOOK_SECRET',
  ),
  tokenFile: textSetting(
    'token-file',
    'file (0600) with the token of the bot (telegram, ntfy)',
    '/etc/candor/telegram-token',
    'the variable TELEGRAM_BOT_TOKEN or CANDOR_NTFY_TOKEN',
  ),
  chatId: textSetting('chat-id', 'the chat that the bot writes to', '-1001234567890', 'the variable TELEGRAM_CHAT_ID'),
  apiBase: textSetting(
    'api-base',
    'where the Bot API answers; a server of your own is allowed',
    'http://127.0.0.1:8081',
    'https://api.telegram.org',
  ),
  host: textSetting('host', 'the mail server', 'mail.example.org'),
  port: {
    name: 'port',
    schema: integer(limits.PORT).nullable(),
    default: null,
    defaultText: 'by security: 465, 587 or 25',
    description: 'its port',
    example: '587',
  },
  security: {
    name: 'security',
    schema: choice(SECURITIES),
    default: 'starttls',
    description: 'tls, starttls (refused without), or none',
    example: 'tls',
  },
  user: textSetting('user', 'who logs in at the mail server', 'candor', 'no login'),
  passwordFile: textSetting(
    'password-file',
    'file (0600) with the password',
    '/etc/candor/smtp-password',
    'the variable CANDOR_SMTP_PASSWORD',
  ),
  from: textSetting('from', 'whom mail is from', 'candor@example.org'),
  to: {
    name: 'to',
    isList: true,
    schema: textList,
    default: [],
    description: 'whom mail is to',
    example: 'ops@example.org',
  },
  optInFile: textSetting(
    'opt-in-file',
    'file with the mail addresses of operators who asked to be told about their own relays, one per line',
    '/etc/candor/operators.txt',
  ),
  authorities: textSetting(
    'authorities',
    'certificates (PEM) of the authorities of a service of your own',
    '/etc/candor/ca.pem',
    'those of the system',
  ),
}

/** The values of all settings of alerts, as given; `null` where nothing was. Durations are in milliseconds. */
export interface AlertSettings {
  readonly rule: AlertRule
  readonly reminder: number
  readonly quietHours: string | null
  readonly digest: string | null
  readonly timeZone: string
  readonly timeout: number
  readonly giveUpAfter: number
  readonly operatorReports: string | null
  readonly channels: readonly ChannelSettings[]
}

/** Every setting of alerts. */
export const ALERT_SETTINGS: { readonly [K in keyof AlertSettings]: Setting<AlertSettings[K]> } = {
  rule: {
    name: 'rule',
    placeholder: 'rule',
    schema: choice(ALERT_RULES),
    default: 'five_in_a_row',
    description: 'when an exit is reported: five_in_a_row (or 3 over 12 hours), or two_in_a_row (many false alarms)',
    example: 'two_in_a_row',
  },
  reminder: period('reminder', limits.REMINDER, 'time between two messages about an incident that lasts, 0 for never'),
  quietHours: {
    ...clock('quiet-hours', `^${CLOCK_TIME}-${CLOCK_TIME}$`, 'hh:mm-hh:mm'),
    description: 'hold back everything below critical between these times',
    example: '22:00-07:00',
  },
  digest: {
    ...clock('digest', `^${CLOCK_TIME}$`, 'hh:mm'),
    description: 'when the daily digest is sent',
    example: '08:00',
  },
  timeZone: {
    name: 'time-zone',
    placeholder: 'zone',
    schema: text.refine(isTimeZone, 'is no time zone'),
    default: 'UTC',
    description: 'the time zone of quiet hours and digest',
    example: 'Europe/Berlin',
  },
  timeout: period('timeout', limits.TIMEOUT, 'how long one attempt at a delivery may take'),
  giveUpAfter: period(
    'give-up-after',
    limits.GIVE_UP_AFTER,
    'age at which a message that cannot be delivered is given up',
  ),
  operatorReports: {
    ...textSetting(
      'operator-reports',
      'write a report for each operator with failing relays here',
      '/var/lib/candor/operators',
    ),
    placeholder: 'directory',
  },
  channels: {
    name: 'channels',
    schema: tableList<ChannelSettings>(CHANNEL_SETTINGS, limits.CHANNELS_MAX),
    default: [],
    tables: Object.values(CHANNEL_SETTINGS),
    description: 'where people are told',
    example: '[[alerts.channels]] with name = "ops", kind = "smtp", host = "mail.example.org", from = "…", to = ["…"]',
  },
}

/** The table `[alerts]` of the configuration file. */
export const ALERT_SETTING_GROUP: SettingGroup = {
  table: 'alerts',
  title: 'Alerts',
  settings: Object.values(ALERT_SETTINGS),
}

function period(name: string, limit: Limit, description: string): Setting<number> {
  const schema = duration(limit)
  return {
    name,
    placeholder: 'seconds',
    schema,
    default: limit.default,
    limit,
    description,
    example: `${limit.default / 1000}s`,
  }
}

function clock(
  name: string,
  pattern: string,
  placeholder: string,
): Omit<Setting<string | null>, 'description' | 'example'> {
  const schema = z.string('must be text').regex(new RegExp(pattern), `must be like ${placeholder}`).nullable()
  return { name, placeholder, schema, default: null }
}

function isTimeZone(name: string): boolean {
  try {
    return new Intl.DateTimeFormat('en-GB', { timeZone: name }).resolvedOptions().timeZone !== ''
  } catch (error) {
    if (error instanceof RangeError) return false
    throw error
  }
}
