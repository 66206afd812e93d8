/** kill −9 of `candor domains sync` at random moments: what was acknowledged stays, and no output is half written. */
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { describe, expect, onTestFinished, test } from 'vitest'
import { createSeededRandom, randomInt } from '../../src/core/random.ts'
import { findDomainKind, nameDomains, startUpstream } from '../../src/lab/domains-world.ts'
import { nodeClock } from '../../src/platform/node-clock.ts'
import { nodeNet } from '../../src/platform/node-net.ts'
import { makeTemporaryDirectory } from '../contract/temporary-directory.ts'
import { HOME } from '../tidy/source-tree.ts'

const IS_FULL = (process.env['CANDOR_TEST_FULL'] ?? '') !== ''
const KILLS = IS_FULL ? 40 : 3
const NAMES = IS_FULL ? 10_000 : 3_000
const OPERATORS = ['alpha', 'beta', 'gamma']

function startSync(argv: readonly string[]): ChildProcess {
  return spawn(process.execPath, [join(HOME, 'src/cli/main.ts'), 'domains', 'sync', ...argv], {
    stdio: ['ignore', 'ignore', 'inherit'],
    env: { ...process.env, NO_COLOR: '1' },
  })
}

/** The checks that the status file says are done. */
function readAcknowledged(path: string): number {
  if (!existsSync(path)) return 0
  return (JSON.parse(readFileSync(path, 'utf8')) as { readonly checks: number }).checks
}

function countJudged(data: string): number {
  const path = join(data, 'domains', 'domains.db')
  if (!existsSync(path)) return 0
  using database = new DatabaseSync(path, { readOnly: true })
  expect(database.prepare('PRAGMA integrity_check').get()?.['integrity_check']).toBe('ok')
  const row = database.prepare(
    "SELECT count(*) AS n FROM domain WHERE json_extract(health, '$.lastOutcome') IS NOT NULL",
  )
  return Number(row.get()?.['n'])
}

/** What is not as a run wrote it as a whole. */
function findHalfWritten(sets: string): readonly string[] {
  const isWhole: Readonly<Record<string, (lines: readonly string[]) => boolean>> = {
    'domains.jsonl': (lines) => lines.length === NAMES && lines.every((line) => line.endsWith('}')),
    'sets.json': ([line = '']) => 'addresses_v4' in (JSON.parse(line) as object),
    'sets.nft': (lines) => /^(?:add element .* \}|flush set .*)$/.test(lines.at(-1) ?? ''),
    'sets.ipset': (lines) => lines.at(-1) === 'destroy names_v6_new',
    'addresses-v4.txt': (lines) => lines.every((line) => line.split('.').length === 4),
  }
  return Object.keys(isWhole).filter((file) => {
    const path = join(sets, file)
    if (!existsSync(path)) return false
    const text = readFileSync(path, 'utf8')
    return !text.endsWith('\n') || isWhole[file]?.(text.slice(0, -1).split('\n')) === false
  })
}

describe('candor domains sync', () => {
  test('loses nothing that it acknowledged when it is killed', { timeout: 300_000 }, async () => {
    const data = makeTemporaryDirectory()
    const list = join(data, 'list.txt')
    const statusFile = join(data, 'status.json')
    writeFileSync(list, nameDomains(NAMES).join('\n'))
    const argv = ['--list', list, '--data-dir', data, '--status-file', statusFile, '--quiet']
    for (const operator of OPERATORS) {
      const manner = { operator, answeredPerSecond: 0, deniedShare: 0, isFiltering: false }
      const server = await startUpstream({ net: nodeNet, clock: nodeClock }, manner, operator)
      onTestFinished(() => server.close())
      argv.push('--resolvers', `127.0.0.1#${server.endpoint.port} ${operator}`)
    }
    const random = createSeededRandom('kills')
    let judgedBefore = 0
    for (let kill = 0; kill < KILLS; kill++) {
      writeFileSync(statusFile, '{"checks":0}')
      const child = startSync(argv)
      const timer = setTimeout(() => child.kill('SIGKILL'), 300 + randomInt(random, IS_FULL ? 5_000 : 1_500))
      await once(child, 'exit')
      clearTimeout(timer)
      const judged = countJudged(data)
      expect(judged - judgedBefore).toBeGreaterThanOrEqual(readAcknowledged(statusFile))
      judgedBefore = judged
      expect(findHalfWritten(join(data, 'domains', 'sets'))).toEqual([])
    }
    const last = startSync(argv)
    const [code] = (await once(last, 'exit')) as [number]
    expect([code, countJudged(data)]).toEqual([0, NAMES])
    expect(findHalfWritten(join(data, 'domains', 'sets'))).toEqual([])
    const good = nameDomains(NAMES).filter((name) => findDomainKind(name) === 'good').length
    const { addresses_v4: addresses } = JSON.parse(
      readFileSync(join(data, 'domains', 'sets', 'sets.json'), 'utf8'),
    ) as { readonly addresses_v4: readonly string[] }
    // Two names may have the same address.
    expect(addresses.length).toBeGreaterThan(good * 0.9)
  })
})
