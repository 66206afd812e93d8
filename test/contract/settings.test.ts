import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { PACE_PROFILES } from '../../src/config/pace-profiles.ts'
import { HOME, readText } from '../tidy/source-tree.ts'
import { formatExampleConfig } from './example-config.ts'
import { formatSettingsPage } from './settings-page.ts'

describe('docs/manual', () => {
  test('has the settings as they are', async () => {
    await expect(formatSettingsPage()).toMatchFileSnapshot(join(HOME, 'docs/manual/settings.md'))
  })

  test('comes with an example that has the settings as they are', async () => {
    await expect(formatExampleConfig()).toMatchFileSnapshot(join(HOME, 'candor.toml.example'))
  })

  test('has the paces as they are', () => {
    const page = readText('docs/manual/configuration.md')
    for (const pace of Object.values(PACE_PROFILES)) {
      const seconds = [pace.buildDelayMs, pace.delayNoiseMs, pace.queryTimeoutMs].map((ms) => `${ms / 1000} s`)
      const rate = pace.circuitsPerSecond === 0 ? '–' : String(pace.circuitsPerSecond)
      const row = [`\`${pace.profile}\``, ...seconds, pace.attempts, `${pace.retryDelayMs / 1000} s`, rate]
      expect(page).toContain(`| ${row.join(' | ')} |`)
    }
  })

  test('names every exit status', () => {
    const statuses = [...readText('src/cli/exit-status.ts').matchAll(/^export const \w+ = (\d+)$/gm)].map(([, n]) => n)
    expect(statuses.length).toBeGreaterThan(5)
    const page = readText('docs/manual/exit-status.md')
    for (const status of statuses) expect(page).toContain(`| ${status} |`)
  })
})
