import { describe, expect, test } from 'vitest'
import type { Command } from 'commander'
import { createCliContext } from '../../src/cli/cli-context.ts'
import { createProgram, runCli } from '../../src/cli/run-cli.ts'
import { readText } from '../tidy/source-tree.ts'
import { createCliCapabilities } from './simulated-cli.ts'

/** The commands that do something, `exits run` for example. */
function listCommands(command: Command, path: readonly string[] = []): readonly string[] {
  const visible = command.createHelp().visibleCommands(command)
  const inner = visible.filter((child) => child.name() !== 'help')
  return inner.length === 0 ? [path.join(' ')] : inner.flatMap((child) => listCommands(child, [...path, child.name()]))
}

/** The commands that README.md lists, alternatives (`lab up | run`) taken apart. */
function listDocumented(readme: string): readonly string[] {
  return [...readme.matchAll(/^candor ([a-z |-]+?) {2,}\S/gm)].flatMap(([, words = '']) => {
    const [first = '', ...others] = words.split(' | ')
    const group = first.split(' ').slice(0, -1)
    return [first, ...others.map((name) => [...group, name].join(' '))]
  })
}

describe('README.md', () => {
  test('lists the commands that there are', async () => {
    const context = createCliContext(createCliCapabilities().capabilities, runCli)
    const commands = listCommands(await createProgram([], context, () => {}))
    expect(listDocumented(readText('README.md')).toSorted()).toEqual(commands.toSorted())
  })

  test('names npm scripts that there are', () => {
    const { scripts } = JSON.parse(readText('package.json')) as { readonly scripts: Readonly<Record<string, string>> }
    const named = [...readText('README.md').matchAll(/npm (?:run )?(start|test|[a-z]+:[a-z]+)/g)].map(
      ([, name = '']) => name,
    )
    expect(named).toContain('start')
    for (const name of named) expect(Object.keys(scripts)).toContain(name)
  })
})
