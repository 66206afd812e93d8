/**
 * The whole proof: 3 + 3 + 40 relays with every fault, at 8, 40 and 120 in flight, and with the faults shuffled.
 *
 * Run by `npm run test:full`. The rate is printed, never judged: it is the machine's as much as ours.
 */
import { describe, expect, test } from 'vitest'
import { FAULTS } from '../../src/lab/faults.ts'
import type { ExitReport } from '../../src/model/exit-result.ts'
import {
  hasTor,
  misclassified,
  readReport,
  runExitsIn,
  startTestLaboratory,
  type TestLaboratory,
} from './laboratory-run.ts'

const SIZE = { authorities: 3, middles: 3, exits: 40 }
const isFull = process.env['CANDOR_TEST_FULL'] === '1'

async function scan(lab: TestLaboratory, args: readonly string[]): Promise<ExitReport> {
  const directory = await lab.newDirectory()
  const outcome = await runExitsIn(lab, directory, args)
  expect([outcome.status, outcome.stderr]).toEqual([0, expect.any(String)])
  const report = await readReport(directory)
  const { total_relays: total, duration_ms: ms, unsure } = report.metadata
  process.stdout.write(
    `${args.join(' ')}: ${total} relays in ${(ms / 1000).toFixed(1)} s, ${((1000 * total) / ms).toFixed(1)} relays/s, ${unsure} unsure\n`,
  )
  return report
}

describe.skipIf(!isFull || !hasTor)('candor exits run with every fault (npm run test:full; needs tor)', () => {
  for (const seed of ['first', 'second']) {
    test(
      `misclassifies no relay at 8, 40 and 120 in flight, faults placed by seed ${seed}`,
      { timeout: 900_000 },
      async () => {
        await using lab = await startTestLaboratory({ size: SIZE, seed, firstHopDelayMs: 1_500 })
        expect(new Set([...lab.laboratory.truth.values()].map(({ fault }) => fault)).size).toBeGreaterThanOrEqual(
          Math.min(40, FAULTS.length) - Object.keys(lab.laboratory.describe().tor.skipped).length,
        )
        for (const inFlight of [8, 40]) {
          const { results, metadata } = await scan(lab, ['--in-flight', String(inFlight)])
          expect(misclassified(lab.laboratory, results)).toEqual([])
          expect(metadata.unsure).toBe(0)
        }
        const { results, metadata } = await scan(lab, ['--in-flight', '40', '--cross-validate', '3', '--hops', '3'])
        expect(misclassified(lab.laboratory, results)).toEqual([])
        expect(metadata.unsure).toBeLessThanOrEqual(2)
      },
    )
  }

  test('is fast where nothing is broken', { timeout: 600_000 }, async () => {
    const right = FAULTS.find(({ name }) => name === 'right')
    expect(right).toBeDefined()
    await using lab = await startTestLaboratory({
      size: SIZE,
      seed: 'healthy',
      faults: Array.from({ length: SIZE.exits }, () => right ?? FAULTS[0]!),
    })
    for (const inFlight of ['40', '40', '64']) {
      const { metadata } = await scan(lab, ['--in-flight', inFlight])
      expect(metadata.success).toBe(SIZE.exits)
    }
  })
})
