/** The file candor.toml.example, made from the tables of settings. */
import { describeDefault, exampleInToml } from '../../src/config/load-config.ts'
import { findOldNames, OLD_NAMES } from '../../src/config/old-names.ts'
import { SETTING_GROUPS } from '../../src/config/setting-groups.ts'
import { keyOf, type Setting, type SettingGroup } from '../../src/config/setting.ts'

/** Comments are no wider than this. */
const WIDTH = 110

/** The whole file. Lines that begin with `#` and no blank are settings that are switched off. */
export function formatExampleConfig(): string {
  const gone = Object.entries(OLD_NAMES).flatMap(([name, target]) =>
    target.kind === 'none' ? comment(`${name}: ${target.why}.`) : [],
  )
  const secrets = Object.entries(OLD_NAMES).flatMap(([name, target]) =>
    target.kind === 'secret' ? comment(`${name} is ${target.variable}`) : [],
  )
  return [
    '# Every setting of Candor, with its default. Take out the first character of a line to set it.',
    '# Made from the tables in src/config/ by a test: npx vitest run test/contract/settings.test.ts -u',
    '# What the places of a setting are: docs/manual/configuration.md',
    '#',
    '# Where config.env of the earlier deployment had a setting, its old name stands beside it;',
    '# `candor config import config.env` takes the file over.',
    '',
    ...SETTING_GROUPS.flatMap(formatGroup),
    '# Secrets stand in no configuration file but in the environment:',
    ...secrets,
    '',
    '# What config.env had and nothing needs any more:',
    ...gone,
    '',
  ].join('\n')
}

function formatGroup(group: SettingGroup): readonly string[] {
  const plain = group.settings.filter(({ tables }) => tables === undefined)
  const lists = group.settings.filter(({ tables }) => tables !== undefined)
  return [
    `# ---- ${group.title.replaceAll('`', '')} ----`,
    '',
    ...(group.table === '' ? [] : [`[${group.table}]`, '']),
    ...plain.flatMap((setting) => formatSetting(setting, group.table)),
    ...lists.flatMap((setting) => [
      ...comment(`${capitalize(setting.description)}. One such table for each.`),
      `#[[${group.table}.${keyOf(setting)}]]`,
      ...(setting.tables ?? []).flatMap((inner) => formatSetting(inner, `${group.table}.${keyOf(setting)}`)),
    ]),
  ]
}

function formatSetting(setting: Setting<unknown>, table: string): readonly string[] {
  const { limit } = setting
  const key = keyOf(setting)
  const old = findOldNames(table === '' ? key : `${table}.${key}`)
  const show = (value: number): string => String(limit?.unit === 'ms' ? value / 1000 : value)
  const unit = limit?.unit === 'ms' ? 's' : limit?.unit
  return [
    ...comment(`${capitalize(setting.description)}.`),
    ...comment(`Default: ${describeDefault(setting)}.`),
    ...(limit === undefined ? [] : comment(`From ${show(limit.min)} to ${show(limit.max)} ${unit}: ${limit.why}.`)),
    ...(old.length === 0 ? [] : comment(`In config.env: ${old.join(', ')}`)),
    `#${key} = ${exampleInToml(setting)}`,
    '',
  ]
}

/** A comment in lines of bounded width. */
function comment(text: string): readonly string[] {
  const lines: string[] = ['#']
  for (const word of text.split(' ')) {
    const last = lines.at(-1) ?? ''
    if (last.length + word.length + 1 > WIDTH) lines.push(`# ${word}`)
    else lines[lines.length - 1] = `${last} ${word}`
  }
  return lines
}

function capitalize(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1)
}
