/** What `candor bulk` asks of whom and how fast, counted by those who are asked. */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { measureOwnDelay } from '../../src/measure/own-delay.ts'
import { nodeClock } from '../../src/platform/node-clock.ts'
import { runSimulatedCli, type CliOutcome } from '../contract/simulated-cli.ts'
import { makeTemporaryDirectory } from '../contract/temporary-directory.ts'
import { startBulkResponders, type SeenQuery } from './bulk-responder.ts'

const PREFIXES = ['127.71.1', '127.71.2', '127.71.3']
const ADDRESSES = Array.from({ length: 200 }, (_, i) => `${PREFIXES[i % 3] ?? ''}.${1 + Math.floor(i / 3)}`)
const prefixOf = (address: string): string => address.replace(/\.\d+$/, '')

/** Runs the command over names against resolvers of one port. */
async function runBulk(
  directory: string,
  names: number,
  resolvers: readonly string[],
  more: readonly string[],
): Promise<CliOutcome> {
  const path = (name: string): string => join(directory, name)
  writeFileSync(path('names'), Array.from({ length: names }, (_, i) => `n${i}.example\n`).join(''))
  writeFileSync(path('resolvers'), resolvers.map((resolver) => `${resolver}\n`).join(''))
  const files = ['--names', path('names'), '--resolvers', path('resolvers'), '--output', path('out')]
  return await runSimulatedCli(['bulk', ...files, '--status-file', path('status'), '--seed', 'seed', ...more])
}

const namesIn = (directory: string): readonly string[] =>
  readFileSync(join(directory, 'out'), 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => (JSON.parse(line) as { readonly name: string }).name)

const readStatus = (directory: string): Readonly<Record<string, number>> =>
  JSON.parse(readFileSync(join(directory, 'status'), 'utf8')) as Readonly<Record<string, number>>

/** The most queries in any second that begins with one. */
function mostInOneSecond(seen: readonly SeenQuery[]): number {
  let most = 0
  let from = 0
  for (const [index, { atMs }] of seen.entries()) {
    while ((seen[from]?.atMs ?? 0) <= atMs - 1000) from++
    most = Math.max(most, index - from + 1)
  }
  return most
}

describe('candor bulk', () => {
  test('keeps the cap on a prefix, with 200 resolvers in three of them', async () => {
    await using servers = await startBulkResponders(ADDRESSES)
    using delay = measureOwnDelay(nodeClock)
    const startedAtMs = nodeClock.nowMs()
    const directory = makeTemporaryDirectory()
    const resolvers = ADDRESSES.map((address) => `${address}#${servers.port}`)
    const { status } = await runBulk(directory, 450, resolvers, ['--per-prefix', '40', '--timeout', '5000'])
    expect(status).toBe(0)
    expect(new Set(namesIn(directory)).size).toBe(450)
    expect(servers.seen).toHaveLength(450)
    // Who counts is on the same busy machine and may see late what was sent in time.
    const lateMs = delay.since(startedAtMs)
    const seenLate = 4 + Math.ceil((lateMs * 40) / 1000)
    for (const prefix of PREFIXES) {
      const seen = servers.seen.filter(({ address }) => prefixOf(address) === prefix)
      expect(seen.length).toBeGreaterThan(120)
      expect(mostInOneSecond(seen)).toBeLessThanOrEqual(41 + seenLate)
      const lastedMs = (seen.at(-1)?.atMs ?? 0) - (seen[0]?.atMs ?? 0)
      expect(lastedMs).toBeGreaterThan((seen.length - 1) * 25 - 100 - lateMs)
    }
  })
  test('lets dead resolvers rest, and still gives each name its record', async () => {
    const isDead = (address: string): boolean => Number(address.split('.')[3]) % 2 === 0
    const asked = async (cooldown: string): Promise<{ dead: number; rests: number }> => {
      await using servers = await startBulkResponders(ADDRESSES.slice(0, 24), isDead)
      const directory = makeTemporaryDirectory()
      const resolvers = ADDRESSES.slice(0, 24).map((address) => `${address}#${servers.port}`)
      const options = ['--rate', '1500', '--timeout', '100', '--retries', '6', '--cooldown', cooldown]
      expect((await runBulk(directory, 3_000, resolvers, options)).status).toBe(0)
      expect(new Set(namesIn(directory)).size).toBe(3_000)
      const dead = servers.seen.filter(({ address }) => isDead(address)).length
      return { dead, rests: readStatus(directory)['rests'] ?? 0 }
    }
    const [without, with_] = [await asked('0'), await asked('1000')]
    expect(without.rests).toBe(0)
    expect(with_.rests).toBeGreaterThanOrEqual(12)
    expect(with_.dead).toBeLessThan(without.dead / 2)
  })
  test('begins nothing new after the deadline, and goes on with --resume', async () => {
    await using servers = await startBulkResponders(ADDRESSES.slice(0, 3))
    const directory = makeTemporaryDirectory()
    const resolvers = ADDRESSES.slice(0, 3).map((address) => `${address}#${servers.port}`)
    const late = await runBulk(directory, 500, resolvers, ['--rate', '200', '--deadline', '800ms'])
    expect(late.status).toBe(3)
    expect(late.stderr).toContain('the deadline has come')
    const first = namesIn(directory).length
    expect(first).toBeGreaterThan(0)
    expect(first).toBeLessThan(500)
    expect((await runBulk(directory, 500, resolvers, ['--resume'])).status).toBe(0)
    expect(new Set(namesIn(directory)).size).toBe(500)
    expect(namesIn(directory)).toHaveLength(500)
  })
  test('refuses caps and times that are none', async () => {
    const directory = makeTemporaryDirectory()
    for (const option of ['--per-prefix', '--per-as', '--cooldown', '--deadline'])
      expect((await runBulk(directory, 1, ['127.71.1.1'], [option, 'much'])).status).toBe(2)
  })
})
