import { readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { createAccessGuard } from '../../src/api/access.ts'
import { openTokenFile } from '../../src/api/token-file.ts'
import { nodeClock } from '../../src/platform/node-clock.ts'
import { nodeFiles } from '../../src/platform/node-files.ts'
import { runSimulatedCli, type CliOutcome } from './simulated-cli.ts'
import { makeTemporaryDirectory } from './temporary-directory.ts'

function run(directory: string, ...words: readonly string[]): Promise<CliOutcome> {
  return runSimulatedCli(['tokens', ...words, '--data-dir', directory])
}

describe('candor tokens', () => {
  test('makes a token that works, shows it once and keeps only its digest', async () => {
    const directory = makeTemporaryDirectory()
    const { stdout, status } = await run(directory, 'add', 'operator', '--write')
    expect([status, stdout]).toEqual([0, expect.stringMatching(/^candor_[A-Za-z0-9_-]{43}\n$/)])
    const path = join(directory, 'tokens.json')
    expect(readFileSync(path, 'utf8')).not.toContain(stdout.trim())
    expect(statSync(path).mode & 0o777).toBe(0o600)
    const file = openTokenFile(nodeFiles, directory, nodeClock)
    const guard = createAccessGuard({ tokens: () => file.tokens(), isReadProtected: () => true }, nodeClock)
    const stranger = { isOwner: false, address: '203.0.113.1' }
    expect(await guard.check('write', stranger, `Bearer ${stdout.trim()}`)).toEqual({ granted: true })
    const list = await run(directory, 'list')
    expect(JSON.parse(list.stdout)).toMatchObject({ name: 'operator', scopes: ['read', 'write'] })
  })

  test('removes a token, and names the one that was probably meant', async () => {
    const directory = makeTemporaryDirectory()
    await run(directory, 'add', 'dashboard')
    const wrong = await run(directory, 'remove', 'dashbord')
    expect([wrong.status, wrong.stderr]).toEqual([2, expect.stringContaining('candor tokens remove dashboard')])
    expect((await run(directory, 'remove', 'dashboard')).status).toBe(0)
    expect((await run(directory, 'list')).stdout).toBe('')
  })

  test('refuses a name that is taken or none', async () => {
    const directory = makeTemporaryDirectory()
    await run(directory, 'add', 'one')
    expect((await run(directory, 'add', 'one')).status).toBe(2)
    expect((await run(directory, 'add', '../one')).status).toBe(2)
  })

  test('does not write over a file that it does not understand', async () => {
    const directory = makeTemporaryDirectory()
    writeFileSync(join(directory, 'tokens.json'), '{"version":2}')
    const { status, stderr } = await run(directory, 'add', 'one')
    expect([status, stderr]).toEqual([1, expect.stringContaining('is no list of tokens of this version')])
    expect(readFileSync(join(directory, 'tokens.json'), 'utf8')).toBe('{"version":2}')
  })
})
