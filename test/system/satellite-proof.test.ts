/**
 * `candor satellite full` in the laboratory, from one command line: every rule is right about every pair that counts, and
 * every published boolean is as published. Small in `npm test`; 200 resolvers × 100 names and five seeds in full.
 */
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { silentLog } from '../../src/core/log.ts'
import { startLaboratoryWithoutTor } from '../../src/lab/laboratory.ts'
import type { SatelliteSize } from '../../src/lab/satellite-plan.ts'
import { createSatelliteWorld, SATELLITE_SIZE } from '../../src/lab/satellite-world.ts'
import { nodeClock } from '../../src/platform/node-clock.ts'
import { nodeFiles } from '../../src/platform/node-files.ts'
import { nodeNet } from '../../src/platform/node-net.ts'
import { nodeProcesses } from '../../src/platform/node-processes.ts'
import { startCandor } from './laboratory-run.ts'

const isFull = process.env['CANDOR_TEST_FULL'] === '1'
const SMALL: SatelliteSize = { resolvers: 10, domains: 30 }
const SMALL_TIMEOUT_MS = 90_000
const FULL_TIMEOUT_MS = 600_000
const PUBLISHED_FILES = ['blockpages.json', 'dns.pkt', 'log.json', 'resolvers.json', 'results_verified.json']
const RULES = 16
const CASES_MIN = 20

/** One line of the table that is printed: true cases, near misses, precision and recall as text. */
interface PrintedRule {
  readonly rule: string
  readonly cases: number
  readonly near: number
  readonly precision: string
  readonly recall: string
}

/** What the command printed about the truth. */
interface Proof {
  readonly status: number | null
  readonly stderr: string
  readonly rules: readonly PrintedRule[]
  /** Files at the top of the tree. */
  readonly files: readonly string[]
}

async function prove(seed: string, size: SatelliteSize, extra: readonly string[]): Promise<Proof> {
  const root = await mkdtemp(join(tmpdir(), 'candor-satellite-'))
  const directory = join(root, 'lab')
  const machine = { clock: nodeClock, net: nodeNet, files: nodeFiles, processes: nodeProcesses, log: silentLog }
  const worlds = new Map([['satellite', createSatelliteWorld(size)]])
  const laboratory = await startLaboratoryWithoutTor(machine, { seed, directory, worlds })
  try {
    const words = ['lab', 'run', '--directory', directory, '--', 'satellite', 'full', '--output', root, ...extra]
    const { status, stderr } = await startCandor(words, {}).outcome
    const tree = (await readdir(root)).find((name) => name.startsWith('CP_Satellite-')) ?? ''
    return { status, stderr, rules: readRules(stderr), files: tree === '' ? [] : await readdir(join(root, tree)) }
  } finally {
    await laboratory.stop()
    await rm(root, { recursive: true, force: true })
  }
}

function readRules(text: string): readonly PrintedRule[] {
  return text.split('\n').flatMap((line) => {
    const found = /^([a-z-]+) +(\d+) +(\d+) +\d+ +(\d\.\d{3}|–) +(\d\.\d{3}|–)$/.exec(line)
    if (found === null) return []
    const [, rule = '', cases, near, precision = '', recall = ''] = found
    return [{ rule, cases: Number(cases), near: Number(near), precision, recall }]
  })
}

function expectPerfect({ status, stderr, rules, files }: Proof): void {
  const any = expect.any(String) as string
  expect([status, stderr]).toEqual([0, any])
  expect(rules).toHaveLength(RULES)
  const wrong = rules.filter(({ precision, recall }) => !/^(1\.000|–)$/.test(precision) || !/^(1\.000|–)$/.test(recall))
  expect([wrong, stderr]).toEqual([[], any])
  const published = /^(\d+) of (\d+) pairs have the published booleans/m.exec(stderr)
  expect([published?.[1], stderr]).toEqual([published?.[2], any])
  expect(stderr).toContain('\n0 questions reached the')
  expect(files).toEqual(expect.arrayContaining(PUBLISHED_FILES))
}

describe('candor satellite full', () => {
  test(
    'judges a small world rightly, asks nobody who opted out, and writes the tree',
    { timeout: SMALL_TIMEOUT_MS },
    async () => {
      const proof = await prove('small', SMALL, ['--timeout', '600ms'])
      expectPerfect(proof)
      expect(proof.stderr).toMatch(/^\d+ of \d+ pairs are ambiguous/m)
    },
  )

  test.skipIf(!isFull).each(['one', 'two', 'three', 'four', 'five'])(
    'judges 200 resolvers × 100 names rightly, with twenty cases and near misses of every rule, seed %s',
    { timeout: FULL_TIMEOUT_MS },
    async (seed) => {
      const proof = await prove(seed, SATELLITE_SIZE, [])
      expectPerfect(proof)
      const few = proof.rules.filter(({ cases, near }) => cases < CASES_MIN || near < CASES_MIN)
      expect(few).toEqual([])
      process.stderr.write(proof.stderr)
    },
  )
})
