/** The settings of the daemon: the tables `[serve]` and `[schedule]`. */
import { z } from 'zod'
import { parseCronExpression } from '../core/cron-expression.ts'
import { canonicalIp } from '../core/ip-address.ts'
import type { Limit } from '../core/limit.ts'
import { duration, flag, integer, textList, type Setting, type SettingGroup } from './setting.ts'

const PORT: Limit = { default: 8_053, min: 0, max: 65_535, unit: 'port', why: '53 is the port of DNS' }
const RUN_LOGS: Limit = { default: 200, min: 1, max: 10_000, unit: 'files', why: 'fifty days of four runs a day' }
const JITTER: Limit = {
  default: 120_000,
  min: 0,
  max: 3_600_000,
  unit: 'ms',
  why: 'so that not all daemons of the world begin in the same second',
}

const EVENT_STREAMS: Limit = {
  default: 128,
  min: 0,
  max: 1_500,
  unit: 'streams',
  why: 'of the 2,000 connections that are served at once, most are left for pages',
}

/** What stands for no schedule at all. */
export const NEVER = 'never'

/** The values of `[serve]`. */
export interface ServeSettings {
  readonly listen: string
  readonly port: number
  readonly hosts: readonly string[]
  readonly runLogs: number
  readonly protectReading: boolean
  readonly eventStreams: number
}

/** The values of `[schedule]`: cron expressions or {@link NEVER}; durations are in milliseconds. */
export interface ScheduleSettings {
  readonly exits: string
  readonly satellite: string
  readonly archive: string
  readonly retention: string
  readonly jitter: number
}

const address: z.ZodType<string> = z.string('must be an address').transform((value, context) => {
  const canonical = canonicalIp(value.replace(/^\[(.*)\]$/, '$1'))
  if (canonical !== undefined) return canonical
  context.addIssue({ code: 'custom', message: `is '${value.slice(0, 60)}', which is no IP address` })
  return z.NEVER
})

const hostNames: z.ZodType<readonly string[]> = textList.transform((hosts, context) => {
  for (const host of hosts) {
    if (!/^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$/i.test(host))
      context.addIssue({ code: 'custom', message: `has '${host.slice(0, 60)}', which is no host name` })
  }
  return hosts.map((host) => host.toLowerCase())
})

const cron: z.ZodType<string> = z
  .string('must be text')
  .refine((value) => value === NEVER || parseCronExpression(value) !== undefined, {
    error: ({ input }) => `is '${String(input).slice(0, 60)}', no cron expression (minute, hour, day, month, weekday)`,
  })

/** Every setting of `[serve]`. */
export const SERVE_SETTINGS: { readonly [K in keyof ServeSettings]: Setting<ServeSettings[K]> } = {
  listen: {
    name: 'listen',
    placeholder: 'address',
    schema: address,
    default: '127.0.0.1',
    description: 'the address that pages and API are served on',
    example: '127.0.0.1',
  },
  port: {
    name: 'port',
    placeholder: 'number',
    schema: integer(PORT),
    default: PORT.default,
    limit: PORT,
    description: 'its port; 0 lets the system choose',
    example: '8053',
  },
  hosts: {
    name: 'hosts',
    placeholder: 'name',
    isList: true,
    schema: hostNames,
    default: [],
    description: 'host names that are answered besides the loopback ones, as a proxy in front passes them on',
    example: 'exits.zone.example',
  },
  runLogs: {
    name: 'run-logs',
    placeholder: 'number',
    schema: integer(RUN_LOGS),
    default: RUN_LOGS.default,
    limit: RUN_LOGS,
    description: 'log files of runs that are kept',
    example: '200',
  },
  protectReading: {
    name: 'protect-reading',
    schema: flag,
    default: false,
    description: 'ask for a token (candor tokens add) also where nothing is changed: for API, events and metrics',
    example: 'true',
  },
  eventStreams: {
    name: 'event-streams',
    placeholder: 'number',
    schema: integer(EVENT_STREAMS),
    default: EVENT_STREAMS.default,
    limit: EVENT_STREAMS,
    description: 'pages and programs that may look at runs live at once; each is one connection',
    example: '128',
  },
}

/** Every setting of `[schedule]`. */
export const SCHEDULE_SETTINGS: { readonly [K in keyof ScheduleSettings]: Setting<ScheduleSettings[K]> } = {
  exits: schedule('exits', '15 */6 * * *', 'when exits are measured: a cron expression in UTC, or never'),
  satellite: {
    ...schedule('satellite', NEVER, 'when open resolvers are measured, by the table [satellite]: the same, or never'),
    example: '0 4 * * 1,4',
  },
  archive: schedule('archive', '30 2 * * *', 'when the archive gives up what is old: a cron expression, or never'),
  retention: schedule('retention', '0 3 1 * *', 'when old published files are packed and removed: the same'),
  jitter: {
    name: 'jitter',
    placeholder: 'seconds',
    schema: duration(JITTER),
    default: JITTER.default,
    limit: JITTER,
    description: 'largest random delay after each of these times',
    example: '2m',
  },
}

/** The table `[serve]`. */
export const SERVE_SETTING_GROUP: SettingGroup = {
  table: 'serve',
  title: '`candor serve`',
  settings: Object.values(SERVE_SETTINGS),
}

/** The table `[schedule]`. */
export const SCHEDULE_SETTING_GROUP: SettingGroup = {
  table: 'schedule',
  title: 'Schedule of `candor serve`',
  settings: Object.values(SCHEDULE_SETTINGS),
}

function schedule(name: string, expression: string, description: string): Setting<string> {
  return { name, placeholder: 'cron', schema: cron, default: expression, description, example: expression }
}
