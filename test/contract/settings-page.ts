/** The page docs/manual/settings.md, made from the table of settings. */
import { EXIT_SETTING_GROUP } from '../../src/config/exit-settings.ts'
import { GENERAL_SETTING_GROUP } from '../../src/config/general-settings.ts'
import { configKey, describeDefault, environmentName } from '../../src/config/load-config.ts'
import type { Setting, SettingGroup } from '../../src/config/setting.ts'

/** The whole page as Markdown. */
export function formatSettingsPage(): string {
  return [
    '# Settings',
    '',
    'Made from the table of settings in `src/config/` by a test (`npx vitest run test/contract/settings.test.ts -u`).',
    'How the three places of a setting work together: [configuration.md](configuration.md).',
    '',
    '## Shared settings',
    '',
    'Keys at the top of the file.',
    '',
    formatTable(GENERAL_SETTING_GROUP),
    '',
    '## `candor exits run`',
    '',
    'Keys of the table `[exits]`.',
    '',
    formatTable(EXIT_SETTING_GROUP),
    '',
    '## Bounds',
    '',
    '| setting | default | from | to | why this default |',
    '|---|---|---|---|---|',
    ...[GENERAL_SETTING_GROUP, EXIT_SETTING_GROUP].flatMap(({ settings }) => settings.flatMap(formatLimit)),
    '',
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
        `\`${environmentName(group, setting)}\``,
        describeDefault(setting),
        setting.description.replaceAll('|', '\\|') + (setting.isList === true ? '; may be repeated' : ''),
      ]
      return `| ${cells.join(' | ')} |`
    }),
  ].join('\n')
}

function formatFlag({ name, short, placeholder, isSecret, default: value }: Setting<unknown>): string {
  if (isSecret === true) return 'none: a secret'
  const flag = `--${name}${placeholder === undefined ? '' : ` <${placeholder.replaceAll('|', '\\|')}>`}`
  const opposite = value === true ? `, \`--no-${name}\`` : ''
  return `${short === undefined ? '' : `\`${short}\`, `}\`${flag}\`${opposite}`
}

function formatLimit({ name, limit }: Setting<unknown>): readonly string[] {
  if (limit === undefined) return []
  const show = (value: number): string => (limit.unit === 'ms' ? `${value / 1000} s` : `${value} ${limit.unit}`)
  return [`| \`--${name}\` | ${show(limit.default)} | ${show(limit.min)} | ${show(limit.max)} | ${limit.why} |`]
}
