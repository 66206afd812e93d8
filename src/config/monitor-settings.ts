/**
 * The table `[monitor]` of a configuration file: which names the daemon watches, and how long it keeps what it saw.
 *
 * Names and resolvers stand in a file of their own (`include`), or here as `[[monitor.domains]]` and
 * `[[monitor.resolvers]]`; what is in them is read by `monitor-file.ts`, which knows their lines.
 */
import { z } from 'zod'
import { parsePrefix } from '../core/ip-address.ts'
import type { Limit } from '../core/limit.ts'
import { duration, integer, textList, textSetting, type Setting, type SettingGroup } from './setting.ts'

const TIMEOUT: Limit = {
  default: 5_000,
  min: 100,
  max: 60_000,
  unit: 'ms',
  why: 'a resolver that does not answer within it helps nobody, and the round after must not wait',
}

const ROUNDS_DAYS: Limit = {
  default: 7,
  min: 1,
  max: 400,
  unit: 'days',
  why: 'who looks into a change asks what every round of this week saw',
}

const HOURS_DAYS: Limit = {
  default: 400,
  min: 2,
  max: 36_500,
  unit: 'days',
  why: 'a year, and a month more, so that this month compares with the same one of last year',
}

const DISK_BUDGET: Limit = {
  default: 2048,
  min: 16,
  max: 1_048_576,
  unit: 'MiB',
  why: 'a week of 1,500 names and types that rotate all the time takes a quarter of it',
}

/** The values; `timeout` is in milliseconds. */
export interface MonitorSettings {
  readonly include: string | null
  readonly timeout: number
  readonly roundsDays: number
  readonly hoursDays: number
  readonly diskBudget: number
  readonly sinkholes: readonly string[]
  readonly resolvers: readonly unknown[]
  readonly domains: readonly unknown[]
}

/** Every setting of the monitor in the daemon. */
export const MONITOR_SETTINGS: { readonly [K in keyof MonitorSettings]: Setting<MonitorSettings[K]> } = {
  include: {
    ...textSetting(
      'include',
      'file with the names to watch; a relative path is looked for beside the file that names it',
      'dns-monitor.toml',
    ),
    placeholder: 'file',
  },
  timeout: {
    name: 'timeout',
    placeholder: 'seconds',
    schema: duration(TIMEOUT),
    default: TIMEOUT.default,
    limit: TIMEOUT,
    description: 'how long a resolver may take',
    example: '5s',
  },
  roundsDays: days('rounds-days', ROUNDS_DAYS, 'how long every round is kept; older ones become counts per hour'),
  hoursDays: days('hours-days', HOURS_DAYS, 'how long counts per hour are kept; changes and incidents are for ever'),
  diskBudget: {
    name: 'disk-budget',
    placeholder: 'MiB',
    schema: integer(DISK_BUDGET),
    default: DISK_BUDGET.default,
    defaultText: `${DISK_BUDGET.default} MiB`,
    limit: DISK_BUDGET,
    description: 'what the monitor may take on the disk; at 80 % it warns, at 90 % it rolls up earlier',
    example: '1024',
  },
  sinkholes: {
    name: 'sinkholes',
    placeholder: 'prefix',
    isList: true,
    schema: textList.refine(
      (texts) => texts.every((each) => parsePrefix(each) !== undefined),
      'has a text that is no prefix',
    ),
    default: [],
    description: 'prefixes of addresses that answer for names that were taken away',
    example: '192.0.2.0/24',
  },
  resolvers: tables('resolvers', 'who is asked, where it is not Cloudflare, Google and Quad9', [
    textSetting('name', 'its name', 'own'),
    textSetting('operator', 'who runs it: resolvers of one operator are one witness', 'Own', 'the name'),
    textSetting('url', 'udp://, tcp://, tls:// or https:// with the place', 'https://dns.zone.example/dns-query'),
    textSetting('address', 'address of the host that the url names', '192.0.2.53', 'that of the url'),
    textSetting('format', 'wire or, over HTTPS, json', 'json', 'wire'),
  ]),
  domains: tables('domains', 'names to watch, where no file is included', [
    textSetting('name', 'what alerts show', 'Shop', 'the domain'),
    textSetting('domain', 'the name that is asked for', 'shop.zone.example'),
    { ...textSetting('record-type', 'one or several types', 'A', 'A'), isList: true },
    textSetting('category', 'a word of yours, for routing', 'web'),
    textSetting('owner', 'whose name it is: for routing, a page and tokens', 'team-web'),
    textSetting('interval', 'time between rounds, 1 s to 24 h', '60s', '60s'),
    textSetting('mode', 'auto learns; pin takes what is expected and nothing else', 'pin', 'auto'),
    { ...textSetting('expect', 'addresses, prefixes, AS numbers or records that are right', 'AS64500'), isList: true },
    {
      ...textSetting(
        'approve',
        'the same for a change that was announced, each with a span or without',
        '192.0.2.0/24',
      ),
      isList: true,
    },
    {
      ...textSetting('maintenance', 'spans in which nobody is told', '2026-01-31T22:00:00Z/2026-02-01T02:00:00Z'),
      isList: true,
    },
    { ...textSetting('resolvers', 'names of resolvers, of two operators or more', 'own', 'all'), isList: true },
    { ...textSetting('channels', 'names of alert channels that alone are told', 'ops', 'all'), isList: true },
  ]),
}

/** The table `[monitor]`. */
export const MONITOR_SETTING_GROUP: SettingGroup = {
  table: 'monitor',
  title: 'The monitor of `candor serve`',
  settings: Object.values(MONITOR_SETTINGS),
}

/** What is in them is checked where their lines are known. */
function tables(
  name: string,
  description: string,
  keys: readonly Setting<string | null>[],
): Setting<readonly unknown[]> {
  const schema = z.array(z.unknown(), 'must be a list of tables')
  return { name, schema, default: [], tables: keys, description, example: `[[monitor.${name}]]` }
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
