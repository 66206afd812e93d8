/**
 * How long what was measured is kept: the table `[retention]`.
 *
 * Each campaign has settings of its own, named after it; the disk budget is one for the whole archive.
 */
import type { Limit } from '../core/limit.ts'
import { integer, type Setting, type SettingGroup } from './setting.ts'

/** Whole evidence of every relay. */
const EVIDENCE: Limit = {
  default: 7,
  min: 1,
  max: 36_500,
  unit: 'days',
  why: 'who asks how a sound exit was measured asks about this week',
}

/** Whole evidence of failures. */
const FAILURE_EVIDENCE: Limit = {
  default: 90,
  min: 1,
  max: 36_500,
  unit: 'days',
  why: 'an operator who is told of a failure asks within weeks, and a quarter shows whether it comes back',
}

/** One row per relay and run. */
const ROWS: Limit = {
  default: 400,
  min: 2,
  max: 36_500,
  unit: 'days',
  why: 'a year, and a month more, so that this month compares with the same one of last year',
}

/** One row per relay and day. */
const RELAY_DAYS: Limit = {
  default: 1200,
  min: 2,
  max: 36_500,
  unit: 'days',
  why: 'three years show whether an operator gets better; they cost some 20 octets a day and relay',
}

/** The whole archive. */
const DISK_BUDGET: Limit = {
  default: 5120,
  min: 16,
  max: 1_048_576,
  unit: 'MiB',
  why: 'a year of runs over all exits takes a tenth of it',
}

/** The values. */
export interface RetentionSettings {
  readonly exitsEvidence: number
  readonly exitsFailureEvidence: number
  readonly exitsRows: number
  readonly exitsRelayDays: number
  readonly diskBudget: number
}

/** Every setting of retention. */
export const RETENTION_SETTINGS: { readonly [K in keyof RetentionSettings]: Setting<RetentionSettings[K]> } = {
  exitsEvidence: days('exits-evidence', EVIDENCE, 'exit runs: whole evidence of every relay'),
  exitsFailureEvidence: days(
    'exits-failure-evidence',
    FAILURE_EVIDENCE,
    'exit runs: whole evidence of what was no untroubled success',
  ),
  exitsRows: days('exits-rows', ROWS, 'exit runs: one row per relay; older ones become counts per relay and day'),
  exitsRelayDays: days('exits-relay-days', RELAY_DAYS, 'exit runs: counts per relay and day'),
  diskBudget: {
    name: 'disk-budget',
    placeholder: 'MiB',
    schema: integer(DISK_BUDGET),
    default: DISK_BUDGET.default,
    defaultText: '5120 MiB',
    limit: DISK_BUDGET,
    description: 'what the archive may take on the disk; at 80 % it warns, at 90 % it gives up the oldest first',
    example: '2048',
  },
}

/** The table `[retention]`. */
export const RETENTION_SETTING_GROUP: SettingGroup = {
  table: 'retention',
  title: 'Retention',
  settings: Object.values(RETENTION_SETTINGS),
}

function days(name: string, limit: Limit, description: string): Setting<number> {
  return {
    name,
    placeholder: 'days',
    schema: integer(limit),
    default: limit.default,
    defaultText: `${limit.default} days`,
    limit,
    description,
    example: String(limit.default),
  }
}
