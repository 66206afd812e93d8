import { execFileSync, spawnSync } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import type { Command } from 'commander'
import { describe, expect, test } from 'vitest'
import { createCliContext } from '../../src/cli/cli-context.ts'
import { createProgram, runCli } from '../../src/cli/run-cli.ts'
import { SCHEDULE_SETTINGS } from '../../src/config/serve-settings.ts'
import { HOME, readText } from '../tidy/source-tree.ts'
import { createCliCapabilities } from './simulated-cli.ts'

const UNITS = readdirSync(join(HOME, 'deploy/systemd')).filter((name) => !name.endsWith('.d'))
const CRON = readdirSync(join(HOME, 'deploy/cron.d'))
const HAS_SYSTEMD = spawnSync('systemd-analyze', ['--version']).status === 0

if (!HAS_SYSTEMD) process.stderr.write('skipped: systemd-analyze verify of deploy/systemd (apt-get install systemd)\n')

/** Every call of candor in a text, as words. */
function listCalls(text: string): readonly (readonly string[])[] {
  const calls = text.matchAll(
    /(?:^ExecStart(?:Post)?=\/usr\/local\/bin\/|&& |; )candor ((?:serve|exits|publish|domains)[^;>\n]*)/gm,
  )
  return [...calls].map(([, words = '']) => words.trim().split(/\s+/))
}

/** The command that words name, and the words behind it. */
function findCommand(program: Command, words: readonly string[]): readonly [Command, readonly string[]] {
  const next = program.commands.find((command) => command.name() === words[0])
  return next === undefined ? [program, words] : findCommand(next, words.slice(1))
}

async function findUnknownOptions(words: readonly string[]): Promise<readonly string[]> {
  const context = createCliContext(createCliCapabilities().capabilities, runCli)
  const program = await createProgram([], context, () => {})
  const [command, rest] = findCommand(program, words)
  const known = new Set([...command.options, ...program.options].flatMap(({ long }) => long ?? []))
  return rest.filter((word) => word.startsWith('-') && !known.has(word))
}

describe('deploy', () => {
  test('has units, timers and cron files', () => {
    expect(UNITS).toEqual([
      'candor-exits.service',
      'candor-exits.timer',
      'candor-retention.service',
      'candor-retention.timer',
      'candor-sets.service',
      'candor.service',
    ])
    expect(CRON).toEqual(['candor-exits', 'candor-retention'])
  })

  test.each([...UNITS.map((name) => `deploy/systemd/${name}`), ...CRON.map((name) => `deploy/cron.d/${name}`)])(
    '%s calls commands that there are, with options that they have',
    async (path) => {
      const calls = listCalls(readText(path))
      expect(calls.length).toBe(path.endsWith('.timer') ? 0 : /candor(?:-sets)?\.service$/.test(path) ? 1 : 2)
      for (const words of calls) {
        expect([words, await findUnknownOptions(words)]).toEqual([words, []])
        // What runs by the clock passes over a run that still goes on.
        expect(words.includes('--skip-if-busy') || words[0] === 'serve' || words[0] === 'domains').toBe(true)
      }
    },
  )

  test('runs by cron when the daemon would', () => {
    const times = CRON.map((name) => /^[\d*](?:\S* ){5}/m.exec(readText(`deploy/cron.d/${name}`))?.[0].trim())
    expect(times).toEqual([SCHEDULE_SETTINGS.exits.default, SCHEDULE_SETTINGS.retention.default])
    for (const name of CRON) expect(readText(`deploy/cron.d/${name}`).endsWith('\n')).toBe(true)
  })

  test('has cron lines that a shell can read', () => {
    for (const name of CRON) {
      const line = /^[\d*](?:\S* ){5}candor (.*)$/m.exec(readText(`deploy/cron.d/${name}`))?.[1] ?? ''
      expect(line).not.toContain('%')
      execFileSync('sh', ['-n', '-c', line])
    }
  })

  test.skipIf(!HAS_SYSTEMD).each(UNITS)('%s passes systemd-analyze verify', (name) => {
    const { stderr } = spawnSync('systemd-analyze', ['verify', join(HOME, 'deploy/systemd', name)], {
      encoding: 'utf8',
    })
    const complaints = stderr
      .split('\n')
      .filter((line) => line.includes('candor') && !line.includes('is not executable'))
    expect(complaints).toEqual([])
  })
})
