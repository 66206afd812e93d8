/** One configured channel, as `config/` reads it and `alerts/` uses it. `null` where nothing was given. */
import type { AlertEvent, AlertSeverity } from './alert.ts'

/** How SMTP is protected: from the first octet, after STARTTLS (refused without), or not at all. */
export type MailSecurity = 'tls' | 'starttls' | 'none'

/** One `[[alerts.channels]]`. */
export interface ChannelSettings {
  /** Unique among the channels; stands in the outbox. */
  readonly name: string
  readonly kind: string
  readonly enabled: boolean
  /** What is milder is not sent here. */
  readonly minSeverity: AlertSeverity
  /** Empty for all. */
  readonly events: readonly AlertEvent[]
  /** `operator:…`, `family:…`, `contact:…`: one must match; empty for all. */
  readonly subscribe: readonly string[]
  /** Messages a minute at most. */
  readonly perMinute: number
  readonly url: string | null
  readonly urlFile: string | null
  readonly secretFile: string | null
  readonly tokenFile: string | null
  readonly chatId: string | null
  readonly apiBase: string | null
  readonly host: string | null
  readonly port: number | null
  readonly security: MailSecurity
  readonly user: string | null
  readonly passwordFile: string | null
  readonly from: string | null
  readonly to: readonly string[]
  /** File with the mail addresses of operators who asked for mail. */
  readonly optInFile: string | null
  /** File with certificates (PEM) of the authorities that are trusted. */
  readonly authorities: string | null
}
