/** The bounds of alerts that a person can move, each with its reason. */
import type { Limit } from '../core/limit.ts'

/** Between two messages about one incident. */
export const REMINDER: Limit = {
  default: 21_600_000,
  min: 0,
  max: 31_536_000_000,
  unit: 'ms',
  why: 'the exits are asked every six hours; 0 reminds never',
}

/** Age at which a message that cannot be delivered is given up. */
export const GIVE_UP_AFTER: Limit = {
  default: 259_200_000,
  min: 60_000,
  max: 2_592_000_000,
  unit: 'ms',
  why: 'three days: a weekend with a dead mail server loses nothing',
}

/** One attempt at one message. */
export const TIMEOUT: Limit = {
  default: 10_000,
  min: 100,
  max: 300_000,
  unit: 'ms',
  why: 'services answer within a second, and a time-out is followed by another attempt',
}

/** Messages of one channel in a minute. */
export const PER_MINUTE: Limit = {
  default: 20,
  min: 1,
  max: 6_000,
  unit: 'messages',
  why: "Telegram's bound for one group; no other service has a lower one",
}

/** TCP port of a mail server. */
export const PORT: Limit = { default: 587, min: 1, max: 65_535, unit: 'port', why: 'by security: 465, 587 or 25' }

/** Channels. */
export const CHANNELS_MAX = 50
