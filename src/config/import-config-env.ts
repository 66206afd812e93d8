/**
 * Turns `config.env` of the earlier deployment into a configuration file and a file of secrets.
 *
 * Invariant: no secret gets into the configuration file or into a message. Whatever is not taken over is named with its
 * line.
 */
import { formatTomlValue } from './format-toml-value.ts'
import { configKey } from './load-config.ts'
import { OLD_NAMES } from './old-names.ts'
import { parseEnvFile, type EnvAssignment, type EnvProblem } from './parse-env-file.ts'
import { STORE_SETTINGS } from './publish-settings.ts'
import { keyOf, type Setting, type SettingGroup } from './setting.ts'

/** What comes out of an old file. */
export interface ImportedConfig {
  /** The configuration file, TOML. */
  readonly toml: string
  /** The file of secrets, `NAME='value'` a line, as systemd and shells read it; empty when there is none. */
  readonly secrets: string
  /** What is not taken over. */
  readonly problems: readonly EnvProblem[]
  /** What is not needed any more, and what to know about it. */
  readonly notes: readonly EnvProblem[]
}

/** Whose store each of the old two is. */
const STORE_KINDS = { do: 'spaces', r2: 'r2' } as const

/**
 * Imports the text of a file.
 *
 * @param home - What `$HOME` stands for.
 * @param groups - All groups of settings: values are checked against them.
 */
export function importConfigEnv(text: string, home: string, groups: readonly SettingGroup[]): ImportedConfig {
  const { assignments, problems: unread } = parseEnvFile(text, home)
  const found: Found = { keys: new Map(), stores: new Map(), secrets: [], problems: [...unread], notes: [] }
  for (const assignment of assignments) take(assignment, found, groups)
  return {
    toml: formatFile(found, groups),
    secrets: found.secrets.join(''),
    problems: found.problems.toSorted((a, b) => a.line - b.line),
    notes: found.notes,
  }
}

interface Found {
  /** Configuration key → TOML value and where it came from. */
  readonly keys: Map<string, string>
  readonly stores: Map<'do' | 'r2', Map<string, string>>
  readonly secrets: string[]
  readonly problems: EnvProblem[]
  readonly notes: EnvProblem[]
}

function take({ name, value, line }: EnvAssignment, found: Found, groups: readonly SettingGroup[]): void {
  const target = Object.hasOwn(OLD_NAMES, name) ? OLD_NAMES[name] : undefined
  if (target === undefined) {
    found.problems.push({ line, message: `${name}: there was no such setting` })
    return
  }
  if (target.kind === 'none') {
    found.notes.push({ line, message: `${name} is not needed: ${target.why}` })
    return
  }
  if (value === '') return
  if (target.kind === 'secret') {
    if (/^[\x21-\x26\x28-\x7E]{1,512}$/.test(value)) found.secrets.push(`${target.variable}='${value}'\n`)
    else found.problems.push({ line, message: `${name}: what is in it is no key` })
    return
  }
  const setting = target.kind === 'key' ? findSetting(target.key, groups) : findStoreSetting(target.key)
  const checked = setting?.schema.safeParse(value)
  if (setting === undefined || checked?.success !== true) {
    const why = checked?.error?.issues.map(({ message }) => message).join('; ') ?? 'there is no such setting any more'
    found.problems.push({ line, message: `${name}: ${why}` })
    return
  }
  const entry = `${formatTomlValue(toFileValue(setting, checked.data, value))} # ${name}`
  if (target.kind === 'key') found.keys.set(target.key, entry)
  else found.stores.set(target.store, (found.stores.get(target.store) ?? new Map()).set(target.key, entry))
}

/** The value as a person would write it: durations stay seconds. */
function toFileValue(setting: Setting<unknown>, checked: unknown, given: string): unknown {
  return setting.limit?.unit === 'ms' ? (/^[\d.]+$/.test(given) ? Number(given) : given) : checked
}

function findSetting(key: string, groups: readonly SettingGroup[]): Setting<unknown> | undefined {
  for (const group of groups) {
    const setting = group.settings.find((candidate) => configKey(group, candidate) === key)
    if (setting !== undefined) return setting
  }
  return undefined
}

function findStoreSetting(key: string): Setting<unknown> | undefined {
  return Object.values<Setting<unknown>>(STORE_SETTINGS).find((setting) => keyOf(setting) === key)
}

function formatFile({ keys, stores }: Found, groups: readonly SettingGroup[]): string {
  const parts = ['# Made from config.env. All settings: candor.toml.example\n']
  for (const { table } of groups) {
    const lines = [...keys]
      .filter(([key]) => key.startsWith(`${table}.`))
      .map(([key, entry]) => `${key.slice(table.length + 1)} = ${entry}\n`)
    if (lines.length > 0) parts.push(`\n[${table}]\n`, ...lines)
  }
  for (const [store, entries] of stores) {
    parts.push('\n[[publish.stores]]\n', `name = "${store}"\n`, `kind = "${STORE_KINDS[store]}"\n`)
    // The old account was of Cloudflare as a whole; empty, it leaves a store without address.
    for (const [key, entry] of entries) parts.push(`${key} = ${entry}\n`)
  }
  return parts.join('')
}
