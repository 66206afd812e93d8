/** The page docs/manual/settings.md, made from the table of settings. */
import { configKey, describeDefault, environmentName } from '../../src/config/load-config.ts'
import { SETTING_GROUPS } from '../../src/config/setting-groups.ts'
import { keyOf, type Setting, type SettingGroup } from '../../src/config/setting.ts'

/** The whole page as Markdown. */
export function formatSettingsPage(): string {
  return [
    '# Settings',
    '',
    'Made from the table of settings in `src/config/` by a test (`npx vitest run test/contract/settings.test.ts -u`).',
    'How the three places of a setting work together: [configuration.md](configuration.md).',
    '',
    ...SETTING_GROUPS.flatMap(formatGroup),
    '## Bounds',
    '',
    '| setting | default | from | to | why this default |',
    '|---|---|---|---|---|',
    ...SETTING_GROUPS.flatMap(({ settings }) => settings.flatMap(formatLimit)),
    '',
  ].join('\n')
}

function formatGroup(group: SettingGroup): readonly string[] {
  const lead = group.table === '' ? 'Keys at the top of the file.' : `Keys of the table \`[${group.table}]\`.`
  const lists = group.settings.flatMap((setting) => {
    if (setting.tables === undefined) return []
    return ['', `### \`[[${group.table}.${keyOf(setting)}]]\``, '', formatTablesOf(setting.tables)]
  })
  return [`## ${group.title}`, '', lead, '', formatTable(group), ...lists, '']
}

/** The keys of an array of tables, which no flag and no variable can set. */
function formatTablesOf(settings: readonly Setting<unknown>[]): string {
  return [
    '| key | default | meaning |',
    '|---|---|---|',
    ...settings.map((setting) => `| \`${keyOf(setting)}\` | ${describeDefault(setting)} | ${setting.description} |`),
  ].join('\n')
}

function formatTable(group: SettingGroup): string {
  return [
    '| flag | key | environment | default | meaning |',
    '|---|---|---|---|---|',
    ...group.settings.map((setting) => {
      const key = configKey(group, setting).split('.').at(-1) ?? ''
      const cells = [
        formatFlag(setting),
        `\`${key}\``,
        setting.tables === undefined ? `\`${environmentName(group, setting)}\`` : 'none',
        describeDefault(setting),
        setting.description.replaceAll('|', '\\|') + (setting.isList === true ? '; may be repeated' : ''),
      ]
      return `| ${cells.join(' | ')} |`
    }),
  ].join('\n')
}

function formatFlag({ name, short, placeholder, isSecret, tables, default: value }: Setting<unknown>): string {
  if (isSecret === true) return 'none: a secret'
  if (tables !== undefined) return 'none: tables'
  const flag = `--${name}${placeholder === undefined ? '' : ` <${placeholder.replaceAll('|', '\\|')}>`}`
  const opposite = value === true ? `, \`--no-${name}\`` : ''
  return `${short === undefined ? '' : `\`${short}\`, `}\`${flag}\`${opposite}`
}

function formatLimit({ name, limit }: Setting<unknown>): readonly string[] {
  if (limit === undefined) return []
  const show = (value: number): string => (limit.unit === 'ms' ? `${value / 1000} s` : `${value} ${limit.unit}`)
  return [`| \`--${name}\` | ${show(limit.default)} | ${show(limit.min)} | ${show(limit.max)} | ${limit.why} |`]
}
