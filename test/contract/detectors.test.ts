import { readdirSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { RULE_PAGES } from '../../src/web/satellite-words.ts'
import { runSimulatedCli } from './simulated-cli.ts'

describe('candor list detectors', () => {
  test('lists every page, and every rule of resolvers with its page', async () => {
    const { status, stdout } = await runSimulatedCli(['list', 'detectors', '--format', 'jsonl'])
    expect(status).toBe(0)
    const records = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { readonly id: string; readonly page: string; readonly question: string })
    const pages = readdirSync(new URL('../../docs/detectors', import.meta.url)).map((name) => name.replace('.md', ''))
    expect([...new Set(records.map(({ page }) => page))].toSorted()).toEqual(
      pages.filter((name) => name !== 'README').toSorted(),
    )
    for (const [rule, page] of Object.entries(RULE_PAGES)) {
      expect(records).toContainEqual(expect.objectContaining({ id: rule, page }))
    }
  })
})

describe('candor explain', () => {
  test.each([
    ['satellite-blockpage', '# satellite-blockpage'],
    ['injected-response', '# satellite-injected'],
    ['PERMANENT', '# PERMANENT'],
  ])('explains %s', async (id, title) => {
    const { status, stdout } = await runSimulatedCli(['explain', id])
    expect(status).toBe(0)
    expect(stdout.startsWith(title)).toBe(true)
  })

  test.each(['blockpgae', '../README', 'readme'])('names the nearest one to %s, or the list', async (id) => {
    const { status, stderr } = await runSimulatedCli(['explain', id])
    expect(status).toBe(2)
    expect(stderr).toMatch(id === 'blockpgae' ? /candor explain blockpage/ : /candor (?:list detectors|explain)/)
  })
})
