/**
 * Puts the settings together: flags before environment before file before default, each value with its origin. What a
 * laboratory proposes stands between file and default.
 *
 * Invariant: whatever is not known is refused, and the nearest known name is shown. A misspelt key that is silently
 * ignored measures something else than what was meant.
 */
import { ConfigError } from '../core/config-error.ts'
import { findNearestName } from '../core/nearest-name.ts'
import { parseConfigFile, type FileValues } from './parse-config-file.ts'
import { keyOf, type Setting, type SettingGroup } from './setting.ts'

/** Where the values come from. */
export interface ConfigSources {
  /** The configuration file; `null` without one. */
  readonly file: { readonly path: string; readonly text: string } | null
  readonly environment: Readonly<Record<string, string | undefined>>
  /** Long flag without dashes → what was given: text, a list of texts, or `true`/`false` for a switch. */
  readonly flags: ReadonlyMap<string, unknown>
  /** Values under the names of environment variables, for what nobody has set. */
  readonly proposed?: Readonly<Record<string, string>>
}

/** A value and who said so: `--build-delay`, `CANDOR_EXITS_BUILD_DELAY`, `candor.toml:12` or `default`. */
export interface LoadedValue {
  readonly value: unknown
  readonly origin: string
}

/** The settings of one group, by name. */
export type LoadedGroup = ReadonlyMap<string, LoadedValue>

/** The configuration key of a setting: `exits.build_delay`. */
export function configKey(group: SettingGroup, setting: Setting<unknown>): string {
  const key = keyOf(setting)
  return group.table === '' ? key : `${group.table}.${key}`
}

/** The environment variable of a setting: `CANDOR_EXITS_BUILD_DELAY`. */
export function environmentName(group: SettingGroup, setting: Setting<unknown>): string {
  return `CANDOR_${configKey(group, setting).replaceAll('.', '_').toUpperCase()}`
}

/** Gives the loaded values of a table their types back. `table` must be the one that the group was made of. */
export function collectSettings<T>(table: { readonly [K in keyof T]: Setting<T[K]> }, loaded: LoadedGroup): T {
  const entries = Object.entries<Setting<unknown>>(table)
  return Object.fromEntries(entries.map(([key, setting]) => [key, loaded.get(setting.name)?.value])) as T
}

/**
 * Loads the groups.
 *
 * @param groups - All groups of the program, since a file may hold settings of commands that do not run now.
 * @param flagGroups - Those whose settings are flags of the command: the same name may mean something else elsewhere.
 * @returns For each group, in the same order, its settings.
 * @throws {ConfigError} For unknown keys, values that cannot be used, and text that is no TOML.
 */
export function loadConfig(
  sources: ConfigSources,
  groups: readonly SettingGroup[],
  flagGroups: readonly SettingGroup[] = groups,
): readonly LoadedGroup[] {
  const file = sources.file === null ? new Map<string, never>() : parseConfigFile(sources.file.path, sources.file.text)
  refuseUnknownKeys(file, groups)
  refuseUnknownVariables(sources.environment, groups)
  return groups.map((group) => {
    const own = flagGroups.includes(group) ? sources : { ...sources, flags: new Map<string, unknown>() }
    return new Map(group.settings.map((setting) => [setting.name, loadSetting(group, setting, own, file)]))
  })
}

function loadSetting(
  group: SettingGroup,
  setting: Setting<unknown>,
  { environment, flags, proposed }: ConfigSources,
  file: FileValues,
): LoadedValue {
  const given = flags.get(setting.name)
  if (given !== undefined) {
    const origin = given === false ? `--no-${setting.name}` : `--${setting.name}`
    const example = setting.placeholder === undefined ? origin : `${origin} ${setting.example}`
    return { value: check(setting, given, origin, example), origin }
  }
  const variable = environmentName(group, setting)
  const text = setting.tables === undefined ? environment[variable] : undefined
  if (text !== undefined && text !== '')
    return { value: check(setting, text, variable, `${variable}=${setting.example}`), origin: variable }
  const key = configKey(group, setting)
  const found = file.get(key)
  if (found !== undefined) {
    const path = `${key} (${found.place})`
    const line = setting.tables === undefined ? `${keyOf(setting)} = ${exampleInToml(setting)}` : setting.example
    return { value: check(setting, found.value, path, line), origin: found.place }
  }
  const proposal = proposed?.[variable]
  if (proposal !== undefined)
    return { value: check(setting, proposal, variable, `${variable}=${setting.example}`), origin: 'laboratory' }
  return { value: setting.default, origin: 'default' }
}

function check(setting: Setting<unknown>, value: unknown, path: string, example: string): unknown {
  const result = setting.schema.safeParse(value)
  if (result.success) return result.data
  const reasons = result.error.issues.map((issue) => issue.message)
  const why = setting.limit === undefined ? '' : `; the default is ${describeDefault(setting)} (${setting.limit.why})`
  const shown = setting.isSecret === true ? 'cannot be used' : reasons.join('; ')
  throw new ConfigError(path, `${setting.name} ${shown}${why}`, example)
}

/** How the default is shown in help, manual and errors. */
export function describeDefault(setting: Setting<unknown>): string {
  if (setting.defaultText !== undefined) return setting.defaultText
  if (setting.limit?.unit === 'ms') return `${Number(setting.default) / 1000} s`
  if (setting.default === null) return 'none'
  if (typeof setting.default === 'string') return setting.default
  const shown = JSON.stringify(setting.default)
  return shown === '[]' ? 'none' : shown
}

/** The example of a setting as a value of a configuration file. */
export function exampleInToml(setting: Setting<unknown>): string {
  if (setting.isList === true) return `[${JSON.stringify(setting.example)}]`
  const isPlain = /^(?:true|false|\d+(?:\.\d+)?)$/.test(setting.example)
  // A run id is digits and text all the same.
  const fits = isPlain && setting.schema.safeParse(JSON.parse(setting.example)).success
  return fits ? setting.example : JSON.stringify(setting.example)
}

function refuseUnknownKeys(file: FileValues, groups: readonly SettingGroup[]): void {
  const known = groups.flatMap((group) => group.settings.map((setting) => configKey(group, setting)))
  for (const [key, { place }] of file) {
    if (known.includes(key)) continue
    throw new ConfigError(`${key} (${place})`, 'there is no setting of that name', suggestKey(key, known))
  }
}

/** A key in the wrong table is not misspelt: its last part is known. */
function suggestKey(key: string, known: readonly string[]): string {
  const last = key.slice(key.lastIndexOf('.') + 1)
  const moved = known.find((name) => name === last || name.endsWith(`.${last}`))
  if (moved !== undefined)
    return moved === last ? `${last}, above the first table` : `${moved}: ${last} below [${moved.split('.')[0]}]`
  const nearest = findNearestName(key, known)
  return nearest === undefined ? '`candor config check` shows all settings' : `${nearest}, in the same place`
}

/** Only names that begin like one of our tables: other `CANDOR_` variables may be somebody else's. */
function refuseUnknownVariables(
  environment: Readonly<Record<string, string | undefined>>,
  groups: readonly SettingGroup[],
): void {
  const known = groups.flatMap((group) =>
    group.settings.filter(({ tables }) => tables === undefined).map((setting) => environmentName(group, setting)),
  )
  const prefixes = groups.filter(({ table }) => table !== '').map(({ table }) => `CANDOR_${table.toUpperCase()}_`)
  for (const name of Object.keys(environment)) {
    if (known.includes(name) || !prefixes.some((prefix) => name.startsWith(prefix))) continue
    const nearest = findNearestName(name, known)
    throw new ConfigError(
      name,
      'there is no setting that this environment variable would set',
      nearest === undefined ? `unset ${name}` : `${nearest}=…`,
    )
  }
}
