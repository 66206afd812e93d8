import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { loadModules } from '../../src/cli/exits-modules.ts'
import { readText } from '../tidy/source-tree.ts'
import { makeTemporaryDirectory } from './temporary-directory.ts'

describe('docs/manual/modules.md', () => {
  test('shows modules that can be loaded as they stand there', async () => {
    const page = readText('docs/manual/modules.md')
    const examples = [...page.matchAll(/^```ts\n([\s\S]*?)^```$/gm)].map((match) => match[1] ?? '')
    const whole = examples.filter((example) => example.includes('export const module'))
    expect(whole.length).toBeGreaterThan(0)
    for (const example of whole) {
      const path = join(makeTemporaryDirectory(), 'example.ts')
      writeFileSync(path, example)
      const [module] = await loadModules([], [path])
      expect(typeof module?.probe).toBe('function')
    }
  })

  test('names every built-in module', async () => {
    const page = readText('docs/manual/modules.md')
    for (const name of ['dnshealth', 'dnsresolution', 'dnspoison', 'dnssec']) expect(page).toContain(`| \`${name}\``)
    await expect(loadModules(['dnshealth', 'dnsresolution', 'dnspoison', 'dnssec'], [])).resolves.toHaveLength(3)
  })
})
