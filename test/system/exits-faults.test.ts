/** What breaks while a scan goes on: relays, the consensus, the zone. Every exit here is right, so any blame is false. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { FAULTS } from '../../src/lab/faults.ts'
import type { ExitResult } from '../../src/model/exit-result.ts'
import {
  eventually,
  hasTor,
  readJournalLines,
  readReport,
  startCandor,
  startTestLaboratory,
  type TestLaboratory,
} from './laboratory-run.ts'

const EXITS = 8
const isFull = process.env['CANDOR_TEST_FULL'] === '1'

/** Nicknames with a verdict in the journal so far. */
async function measured(directory: string): Promise<ReadonlySet<string>> {
  const lines = await readJournalLines(directory)
  const results = lines.filter(({ kind }) => kind === 'result').map((line) => line['result'] as ExitResult)
  return new Set(results.map(({ exit_nickname: nickname }) => nickname))
}

describe.skipIf(!hasTor)('candor exits run while things break (needs tor: apt-get install tor)', () => {
  let lab: TestLaboratory
  beforeAll(async () => {
    const right = FAULTS.filter(({ name }) => name === 'right')
    lab = await startTestLaboratory({
      size: { authorities: 3, middles: 1, exits: EXITS },
      seed: 'faults',
      faults: Array.from({ length: EXITS }, () => right).flat(),
    })
  })
  afterAll(async () => {
    await lab[Symbol.asyncDispose]()
  })

  test('ends, and blames nobody, when relays freeze and die meanwhile', async () => {
    const directory = await lab.newDirectory()
    const { network } = lab.laboratory
    const command = startCandor(['exits', 'run', '--analysis-dir', directory, '--in-flight', '2'], lab.environment)
    await eventually(async () => (await measured(directory)).size >= 1, 60_000)
    const done = await measured(directory)
    const [frozen = '', killed = ''] = network.relays
      .filter(({ role, nickname }) => role === 'exit' && !done.has(nickname))
      .map(({ nickname }) => nickname)
      .slice(-2)
    await network.relay(frozen).freeze()
    await network.relay('middle1').freeze()
    await network.relay(killed).kill()
    try {
      expect((await command.outcome).status).toBe(0)
    } finally {
      await network.relay(frozen).thaw()
      await network.relay('middle1').thaw()
    }
    const { results } = await readReport(directory)
    expect(results).toHaveLength(EXITS)
    const statuses = new Map(results.map((result) => [result.exit_nickname, result.status]))
    const others = [...statuses].filter(([nickname]) => nickname !== frozen && nickname !== killed)
    expect(others.filter(([, status]) => status !== 'success')).toEqual([])
    // Either was measured before it broke, or nothing is said about its DNS.
    const harmless = ['success', 'circuit_fail', 'error']
    expect(harmless).toContain(statuses.get(frozen))
    expect(harmless).toContain(statuses.get(killed))
  })

  // Two voting periods and a slow run: two minutes, of which a scenario on a virtual clock shows the logic in none.
  test.skipIf(!isFull)(
    'says of a relay that left the consensus that it left, and no more (npm run test:full)',
    async () => {
      const directory = await lab.newDirectory()
      // Slow enough for two voting periods to pass before the last relay's turn comes.
      const args = ['exits', 'run', '--analysis-dir', directory, '--in-flight', '1', '--build-delay', '10']
      const command = startCandor(args, lab.environment)
      await eventually(async () => (await measured(directory)).size >= 1, 60_000)
      const [header] = await readJournalLines(directory)
      const order = header?.['candidates'] as readonly { readonly fingerprint: string }[]
      const { relays } = lab.laboratory.network
      const leaver = relays.find(({ fingerprint }) => fingerprint === order.at(-1)?.fingerprint)
      await lab.laboratory.network.expel(leaver?.nickname ?? '')
      expect((await command.outcome).status).toBe(0)
      const { results } = await readReport(directory)
      const left = results.find(({ exit_fingerprint: fingerprint }) => fingerprint === leaver?.fingerprint)
      expect([left?.status, left?.error_code]).toEqual(['circuit_fail', 'LEFT_CONSENSUS'])
    },
  )

  test('calls the run invalid instead of accusing exits when the zone falls silent', async () => {
    const directory = await lab.newDirectory()
    const command = startCandor(['exits', 'run', '--analysis-dir', directory, '--in-flight', '1'], lab.environment)
    await eventually(async () => (await measured(directory)).size >= 1, 60_000)
    await lab.laboratory.authority.close()
    const { status, stderr } = await command.outcome
    expect([status, stderr]).toEqual([1, expect.stringContaining('invalid')])
    const lines = await readJournalLines(directory)
    const verdicts = lines.filter(({ kind }) => kind === 'result').map((line) => line['result'] as ExitResult)
    expect(verdicts.filter((result) => ['wrong_ip', 'dns_fail', 'timeout'].includes(result.status))).toEqual([])
    const refused = await startCandor(['exits', 'run', '--analysis-dir', await lab.newDirectory()], lab.environment)
      .outcome
    expect([refused.status, refused.stderr]).toEqual([1, expect.stringContaining('fails its pre-flight')])
  })
})
