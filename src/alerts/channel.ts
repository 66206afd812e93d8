/**
 * What a channel is: something that puts a message into its own form and hands the form to a service.
 *
 * Invariant: a channel never retries and never waits for its turn: the delivery worker does, and keeps count. What it
 * says about a failure holds no secret.
 *
 * How to add one: docs/extending.md
 */
import type { Clock } from '../core/clock.ts'
import type { AlertMessage } from '../model/alert.ts'
import type { ChannelSettings } from '../model/channel-settings.ts'
import type { HttpClient } from '../net/http-client.ts'

/** One attempt at one part of a message. */
export interface DeliveryAttempt {
  /** The same at every attempt at this part: receivers recognise a repetition by it. */
  readonly id: string
  /** Mail address of an operator who opted in; '' for the channel's own audience. */
  readonly recipient: string
  /** Aborts when the attempt takes too long or the program ends. */
  readonly signal: AbortSignal
}

/** What became of an attempt. */
export type DeliveryOutcome =
  /** The service has it. */
  | { readonly kind: 'sent' }
  /** Not now; not before `afterMs` milliseconds, where the service said so. */
  | { readonly kind: 'retry'; readonly error: string; readonly afterMs?: number }
  /** This message never. */
  | { readonly kind: 'refused'; readonly error: string }

/** A channel that was set up. */
export interface AlertChannel {
  /** Puts a message into the form of the channel: one part, or several in order where one would be too long. */
  format(message: AlertMessage): readonly string[]
  /** Sends one part. Network trouble is data: the promise rejects only on a bug. */
  send(part: string, attempt: DeliveryAttempt): Promise<DeliveryOutcome>
}

/** What a channel is made of. */
export interface ChannelParts {
  readonly settings: ChannelSettings
  readonly http: HttpClient
  readonly clock: Clock
  /** How long one attempt may take, in milliseconds. */
  readonly timeoutMs: number
  /** PEM of the authorities that the settings name; `undefined` for those of the platform. */
  readonly authorities: string | undefined
  /**
   * Finds a secret: a file (0600) before an environment variable.
   *
   * @throws {ConfigError} When there is neither, or the file cannot be read or may be read by others.
   */
  secret(name: SecretName, variable: string): Promise<string>
  /** The same; `undefined` where there is neither. @throws {ConfigError} */
  optionalSecret(name: SecretName, variable: string): Promise<string | undefined>
  /** Finds a setting that this kind cannot do without. @throws {ConfigError} */
  required(name: 'url' | 'host' | 'from' | 'chatId'): string
}

/** The settings that name files with secrets. */
export type SecretName = 'urlFile' | 'secretFile' | 'tokenFile' | 'passwordFile'

/** A kind of channel: what one file of this room exports. */
export interface ChannelKind {
  /** The word in the configuration: `webhook`. */
  readonly kind: string
  /** Whether messages for operators who opted in can go to their own address. */
  readonly hasRecipients: boolean
  /** Sets a channel up. @throws {ConfigError} When a setting is missing. */
  create(parts: ChannelParts): Promise<AlertChannel>
}
