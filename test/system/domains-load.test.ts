/**
 * A long list, cold, against upstreams that throttle and lie: attempts, time-outs by upstream, time and memory.
 * `CANDOR_TEST_FULL` has 100,000 names and prints the figures of docs/design/0016-domains.md.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import {
  DOMAINS_CANARY,
  findDomainKind,
  nameDomains,
  startUpstream,
  UPSTREAM_MANNERS,
} from '../../src/lab/domains-world.ts'
import { nodeClock } from '../../src/platform/node-clock.ts'
import { nodeNet } from '../../src/platform/node-net.ts'
import { makeTemporaryDirectory } from '../contract/temporary-directory.ts'
import { HOME } from '../tidy/source-tree.ts'

const IS_FULL = (process.env['CANDOR_TEST_FULL'] ?? '') !== ''
const NAMES = IS_FULL ? 100_000 : 2_000
/** What a throttling upstream answers, of the queries that one second brings it: a part. */
const THROTTLED_PER_SECOND = 300
const RSS_MAX_MIB = 300
const SAMPLE_MS = 100

interface Ran {
  readonly stdout: string
  readonly peakMib: number
  readonly code: number | null
}

/** Runs a command in a process of its own, and looks at its memory all the time. */
async function runProcess(argv: readonly string[]): Promise<Ran> {
  const child = spawn(process.execPath, [join(HOME, 'src/cli/main.ts'), ...argv], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let [stdout, peakMib] = ['', 0]
  child.stdout.on('data', (octets: Uint8Array) => {
    stdout += new TextDecoder().decode(octets)
  })
  const sampler = setInterval(() => {
    try {
      const status = readFileSync(`/proc/${child.pid}/status`, 'utf8')
      peakMib = Math.max(peakMib, Number(/VmHWM:\s+(\d+)/.exec(status)?.[1] ?? 0) / 1024)
    } catch {
      // It has just ended.
    }
  }, SAMPLE_MS)
  const [code] = (await once(child, 'close')) as [number | null]
  clearInterval(sampler)
  return { stdout, peakMib, code }
}

describe('candor domains sync', () => {
  test(
    'takes a long list cold: bounded, without believing the liar, without losing a good name',
    { timeout: 900_000 },
    async () => {
      const data = makeTemporaryDirectory()
      const names = nameDomains(NAMES)
      const list = join(data, 'list.txt')
      writeFileSync(list, names.join('\n'))
      const upstreams: string[] = []
      for (const [index, manner] of UPSTREAM_MANNERS.entries()) {
        const answeredPerSecond = manner.answeredPerSecond === 0 ? 0 : THROTTLED_PER_SECOND
        const server = await startUpstream(
          { net: nodeNet, clock: nodeClock },
          { ...manner, answeredPerSecond },
          `${index}`,
        )
        onTestFinished(() => server.close())
        upstreams.push('--resolvers', `127.0.0.1#${server.endpoint.port} ${manner.operator}`)
      }
      const startedMs = nodeClock.nowMs()
      const argv = ['--data-dir', data, ...upstreams]
      const { stdout, peakMib, code } = await runProcess([
        'domains',
        'sync',
        '--list',
        list,
        '--canaries',
        DOMAINS_CANARY,
        ...argv,
      ])
      const seconds = (nodeClock.nowMs() - startedMs) / 1000
      const record = JSON.parse(stdout) as Readonly<Record<string, unknown>>
      expect([code, record['end'], record['checks']]).toEqual([0, 'done', NAMES])
      if (IS_FULL)
        process.stdout.write(
          `${NAMES} domains in ${seconds.toFixed(1)} s, ${peakMib.toFixed(0)} MiB at most: ${stdout}\n`,
        )
      expect(peakMib).toBeLessThan(RSS_MAX_MIB)
      expect(peakMib).toBeGreaterThan(20)
      expect(Number(record['attempts_avg_per_domain'])).toBeLessThan(2)
      const pool = await runProcess(['resolvers', 'list', ...argv])
      const members = pool.stdout
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line) as Readonly<Record<string, unknown>>)
      const voters = members.filter((member) => member['has_vote'] === true).map((member) => member['operator'])
      expect(voters).not.toContain('epsilon')
      expect(new Set(voters)).toContain('alpha')
      const text = readFileSync(join(data, 'domains', 'sets', 'domains.jsonl'), 'utf8')
      const good = text
        .trim()
        .split('\n')
        .map(
          (line) => JSON.parse(line) as { readonly name: string; readonly state: string; readonly addresses: object[] },
        )
        .filter(({ name }) => findDomainKind(name) === 'good')
      expect(good.filter(({ state }) => state === 'QUARANTINE' || state === 'HARD')).toEqual([])
      // Those that only throttling upstreams were asked for are due again within minutes.
      const unanswered = good.filter(({ addresses }) => addresses.length === 0)
      expect(unanswered.length).toBeLessThan(good.length * 0.02)
    },
  )
})
