/** An import as a process that is killed −9 while it works. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { writeSatelliteScan } from '../../bench/satellite-scan.ts'
import { makeTestDirectory } from '../alert-fixtures/alert-parts.ts'
import { runSimulatedCli } from '../contract/simulated-cli.ts'
import { HOME } from '../tidy/source-tree.ts'

const CANDOR = join(HOME, 'src/cli/main.ts')

/** Kills an import as soon as a file is there. @returns Whether it had not ended before. */
async function killImport(scan: string, output: string, path: string): Promise<boolean> {
  const child = spawn(process.execPath, [CANDOR, 'satellite', 'import', scan, '--output', output], { stdio: 'ignore' })
  const file = join(output, path)
  const isThere = (): boolean => existsSync(file) && (path === 'unfinished' || statSync(file).size > 0)
  while (child.exitCode === null && !isThere()) await wait(1)
  child.kill('SIGKILL')
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
  return child.exitCode === null
}

describe('candor satellite import', () => {
  test('is no import when it was killed, and is whole when it was run again', { timeout: 60_000 }, async () => {
    const home = makeTestDirectory()
    const scan = join(home, 'scan')
    writeSatelliteScan(scan, { resolvers: 200, domains: 120, seed: 3, rows: 'results' })
    const undisturbed = join(home, 'undisturbed')
    const whole = await runSimulatedCli(['satellite', 'import', scan, '--output', undisturbed])
    const judged = async (output: string): Promise<unknown> => {
      const { stdout } = await runSimulatedCli(['satellite', 'judge', output])
      const { judged_seconds: _seconds, ...counts } = JSON.parse(stdout) as Record<string, unknown>
      return counts
    }
    const expected = await judged(undisturbed)
    const output = join(home, 'killed')
    let kills = 0
    for (const path of ['unfinished', 'columns/part-1.bin', 'columns/part-2.bin']) {
      if (!(await killImport(scan, output, path))) continue
      kills++
      expect(existsSync(join(output, 'columns.json'))).toBe(false)
      expect((await runSimulatedCli(['satellite', 'judge', output])).status).toBe(2)
    }
    expect(kills).toBeGreaterThan(0)
    const again = await runSimulatedCli(['satellite', 'import', scan, '--output', output])
    expect([again.status, again.stdout]).toEqual([whole.status, whole.stdout])
    expect(existsSync(join(output, 'unfinished'))).toBe(false)
    expect(await judged(output)).toEqual(expected)
    const aside = (directory: string): string =>
      existsSync(join(directory, 'quarantine.jsonl')) ? readFileSync(join(directory, 'quarantine.jsonl'), 'utf8') : ''
    expect(aside(output)).toBe(aside(undisturbed))
  })
})
