/**
 * `npm run fuzz`: runs every property test with a new seed and many more cases, then each program of fuzz/ with the same
 * seed and 500 times as many inputs. A failure prints its seed; with `CANDOR_FUZZ_SEED` the same cases run again.
 *
 * Usage: node scripts/fuzz.mjs [CASES] [FILE…]
 */
import { spawnSync } from 'node:child_process'
import { randomInt } from 'node:crypto'
import { readdirSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { HOME, PINNED_NODE } from './setup.mjs'

const CASES_DEFAULT = '20000'
/** A mutated packet costs far less than a case of a property test. */
const INPUTS_PER_CASE = 500

const [cases = CASES_DEFAULT, ...files] = process.argv.slice(2)
if (!/^[1-9]\d{0,8}$/.test(cases)) {
  process.stderr.write(`fuzz: '${cases}' is no number of cases; npm run fuzz -- ${CASES_DEFAULT}\n`)
  process.exit(2)
}
const seed = process.env.CANDOR_FUZZ_SEED ?? String(randomInt(2 ** 31))
process.stdout.write(`fuzz: ${cases} cases a property, CANDOR_FUZZ_SEED=${seed}\n`)
const { status } = spawnSync('vitest', ['run', '--project', 'unit', '--testTimeout=600000', ...files], {
  cwd: HOME,
  stdio: 'inherit',
  env: {
    ...process.env,
    PATH: [join(HOME, 'node_modules/.bin'), process.env.PATH].join(delimiter),
    CANDOR_FUZZ_CASES: cases,
    CANDOR_FUZZ_SEED: seed,
  },
})
process.exitCode = status ?? 1
// Files named on the command line are property tests; then the programs are not what was asked for.
for (const name of files.length > 0 ? [] : readdirSync(join(HOME, 'fuzz'))) {
  const args = [join('fuzz', name), String(Number(cases) * INPUTS_PER_CASE), seed]
  if (spawnSync(PINNED_NODE, args, { cwd: HOME, stdio: 'inherit' }).status !== 0) process.exitCode = 1
}
