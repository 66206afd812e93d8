/**
 * `npm test`: installs what is missing and runs everything that CI runs; the last line says how many passed.
 *
 * Parses and runs on Node 18 to 20; the gates run on the pinned Node.
 *
 * Usage: node scripts/test.mjs [--quick] [--full]
 *   --quick  no tests that start processes, no build
 *   --full   the laboratory with 40 exits and ten million mutated messages as well
 */
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { HOME, PINNED_NODE, say, setUp } from './setup.mjs'

const isQuick = process.argv.includes('--quick')
const isFull = process.argv.includes('--full')
const BIN = join(HOME, 'node_modules/.bin')
/** Two to five minutes of one processor. */
const LONG_FUZZ_INPUTS = '10000000'
const outputs = mkdtempSync(join(tmpdir(), 'candor-test-'))

/** @type {{ passed: number, failed: number, skipped: string[] }} */
const totals = { passed: 0, failed: 0, skipped: [] }

const missing = await setUp(isQuick ? 'start' : 'test')

for (const config of ['tsconfig.json', 'tsconfig.portable.json']) gate(`types (${config})`, 'tsc', ['-p', config])
gate('lint', 'oxlint', ['--type-aware', 'src', 'test', 'scripts', 'fuzz', 'bench'])
gate('format', 'oxfmt', ['--check', 'src', 'test', 'scripts', 'fuzz', 'bench'])
gate('dead code', 'knip', [])
await tests('unit')
if (!isQuick) {
  // Private Tor networks are waited for; what else starts processes fits into these waits.
  await Promise.all([tests('tor'), tests('system')])
  if (gate('build', 'tsc', ['-p', 'tsconfig.build.json']))
    gate('built command', PINNED_NODE, ['dist/cli/main.js', '--version'])
}
if (isFull) gate(`${LONG_FUZZ_INPUTS} mutated messages`, PINNED_NODE, ['fuzz/decode-message.ts', LONG_FUZZ_INPUTS])
rmSync(outputs, { recursive: true, force: true })

process.stdout.write('\n')
for (const name of totals.skipped) process.stdout.write(`skipped: ${name}\n`)
for (const name of missing) process.stdout.write(`missing program: ${name}\n`)
process.stdout.write(`${totals.passed} passed, ${totals.failed} failed\n`)
process.exitCode = totals.failed === 0 ? 0 : 1

/** Runs one check; its output is shown only when it fails. */
function gate(name, command, args) {
  const startedAtMs = Date.now()
  const { status, stdout, stderr, error } = run(command, args, 'pipe')
  const seconds = ((Date.now() - startedAtMs) / 1000).toFixed(1)
  process.stdout.write(`${status === 0 ? 'ok    ' : 'FAILED'} ${name} (${seconds} s)\n`)
  if (status === 0) totals.passed++
  else {
    totals.failed++
    process.stdout.write(`${stdout ?? ''}${stderr ?? ''}${error === undefined ? '' : `${error.message}\n`}`)
  }
  return status === 0
}

/** Runs one project of vitest and counts its tests; its lines name the project. */
async function tests(project) {
  const file = join(outputs, `${project}.json`)
  const args = ['run', '--project', project, '--reporter=default', '--reporter=json', `--outputFile.json=${file}`]
  const child = spawn('vitest', args, { cwd: HOME, stdio: ['ignore', 'inherit', 'inherit'], env: environment() })
  const [status] = await once(child, 'close')
  const report = readReport(file)
  if (report === undefined) {
    say(`vitest left no report of the ${project} tests`)
    totals.failed++
    return
  }
  const failed = countFailed(report)
  totals.passed += report.numPassedTests
  // An error outside of any test fails the run as well.
  totals.failed += failed === 0 && status !== 0 ? 1 : failed
  for (const { assertionResults } of report.testResults)
    for (const { status: outcome, fullName } of assertionResults)
      if (outcome === 'skipped' || outcome === 'pending' || outcome === 'todo') totals.skipped.push(fullName)
}

/** A file that could not be loaded has no tests, and is a failure. */
function countFailed(report) {
  const unloaded = report.testResults.filter((file) => file.status === 'failed' && file.assertionResults.length === 0)
  return report.numFailedTests + unloaded.length
}

function readReport(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8'))
  } catch {
    return undefined
  }
}

function run(command, args, output) {
  return spawnSync(command, args, {
    cwd: HOME,
    encoding: 'utf8',
    maxBuffer: 67_108_864,
    stdio: ['ignore', output, output],
    env: environment(),
  })
}

/** The pinned Node and the tools of the project first. */
function environment() {
  return {
    ...process.env,
    PATH: [BIN, process.env.PATH].join(delimiter),
    ...(isFull ? { CANDOR_TEST_FULL: '1' } : {}),
  }
}
