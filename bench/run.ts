/**
 * Measures what a query costs, beside other programs: `npm run bench -- [OPTION…]`.
 *
 * Each round runs every client once, against a responder of its own on a processor of its own, in an order that turns from
 * round to round; so that whatever else the machine does hits all of them. The medians go to RESULTS.md.
 *
 *   --names N          names per run, default 1,000,000
 *   --rounds N         rounds, default 5
 *   --resolvers N,N    how many resolvers, default 1,200
 *   --memory N,N       peak memory of `candor bulk` with so many names, default none; RESULTS.md has 1000000,10000000
 *   --doh N            queries over HTTPS per client and round, default 10,000; 0 for none
 *   --massdns FILE     the program, if it is not in the PATH; the same for --zdns and --dnsperf
 *   --only TEXT        only clients whose label contains it; the baseline always
 *   --scan RxN         instead of all this, a whole scan of Satellite with R resolvers and N names; RESULTS.md has 10000x2000,
 *                      which needs 50 GB of disk and a quarter of an hour
 *   --directory DIR    where that scan is made, default the directory for temporary files
 *   --output FILE      default RESULTS.md beside this file; `-` for standard output
 */
import { execFileSync, spawnSync } from 'node:child_process'
import { closeSync, existsSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { parseArgs } from 'node:util'
import { loadNativeAddon } from '../src/platform/native-sockets.ts'
import { BASELINE, type BenchClient, type BenchTask, listClients } from './clients.ts'
import { type ClientRun, formatResults, type MemoryRun } from './format-results.ts'
import { measureDoh } from './measure-doh.ts'
import { measureScan, SCAN_HEADING } from './measure-scan.ts'
import { hasCompiler, startResponder } from './responder.ts'

const RUN_SECONDS_MAX = 600
/** The responder has the last processor for itself. */
const PROCESSORS = navigator.hardwareConcurrency

const HOME = join(import.meta.dirname, '..')
/** The command as the published package has it, compiled: from its sources it starts slower and takes more memory. */
const CANDOR = [process.execPath, '--disable-warning=ExperimentalWarning', join(HOME, 'dist/cli/main.js')]

const { values: options } = parseArgs({
  options: {
    names: { type: 'string', default: '1000000' },
    rounds: { type: 'string', default: '5' },
    resolvers: { type: 'string', default: '1,200' },
    memory: { type: 'string', default: '' },
    doh: { type: 'string', default: '10000' },
    massdns: { type: 'string' },
    zdns: { type: 'string' },
    dnsperf: { type: 'string' },
    only: { type: 'string', default: '' },
    scan: { type: 'string' },
    directory: { type: 'string', default: tmpdir() },
    output: { type: 'string', default: join(import.meta.dirname, 'RESULTS.md') },
  },
})

if (hasCompiler() && options.scan !== undefined) measureWholeScan(options.scan)
else if (hasCompiler() && PROCESSORS >= 2) await measure()
else {
  process.stderr.write('bench: skipped: needs Linux with gcc and two processors\n')
  process.exitCode = 3
}

/** Replaces the section about scans, and leaves the others. */
function measureWholeScan(size: string): void {
  const [resolvers = 0, domains = 0] = size.split('x').map(Number)
  const directory = mkdtempSync(join(options.directory, 'candor-bench-'))
  try {
    buildCommand()
    const meter = buildProgram(directory, 'measure-child')
    const task = { resolvers, domains, directory, meter, processors: PROCESSORS, candor: CANDOR }
    const section = measureScan(task)
    if (section === undefined) {
      process.stderr.write('bench: skipped: the disk is too small for this scan\n')
      process.exitCode = 3
    } else if (options.output === '-') process.stdout.write(section)
    else writeFileSync(options.output, `${readSections(options.output).measured.trimEnd()}\n\n${section}`)
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}

/** What a page has before the section about scans, and that section. */
function readSections(path: string): { readonly measured: string; readonly scan: string } {
  const page = existsSync(path) ? readFileSync(path, 'utf8') : ''
  const at = page.indexOf(`\n${SCAN_HEADING}`)
  return at === -1 ? { measured: page, scan: '' } : { measured: page.slice(0, at), scan: page.slice(at) }
}

function buildCommand(): void {
  execFileSync(process.execPath, [join(HOME, 'node_modules/typescript/bin/tsc'), '-p', 'tsconfig.build.json'], {
    cwd: HOME,
  })
}

async function measure(): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'candor-bench-'))
  try {
    execFileSync(process.execPath, [join(HOME, 'scripts/build-native.mjs')])
    buildCommand()
    const meter = buildProgram(directory, 'measure-child')
    const programs = {
      dnsperf: options.dnsperf ?? findProgram('dnsperf'),
      massdns: options.massdns ?? findProgram('massdns'),
      zdns: options.zdns ?? findProgram('zdns'),
      floor: buildProgram(directory, 'floor'),
      backends: listBackends(),
    }
    const absent = Object.entries(programs).flatMap(([name, path]) => (path === undefined ? [name] : []))
    const clients = listClients(programs, options.resolvers.split(',').map(Number)).filter(
      ({ label }) => label === BASELINE || label.includes(options.only),
    )
    const names = Number(options.names)
    writeNames(directory, names)
    const runs: ClientRun[] = []
    for (let round = 0; round < Number(options.rounds); round++)
      for (let place = 0; place < clients.length; place++) {
        const client = clients[(place + round) % clients.length] as BenchClient
        runs.push(await runClient(client, directory, meter, names))
      }
    const memory = await measureMemory(clients, directory, meter)
    const dohQueries = findProgram('openssl') === undefined ? 0 : Number(options.doh)
    const doh = dohQueries === 0 ? undefined : await measureDoh(directory, dohQueries, Number(options.rounds))
    const results = formatResults({ names, runs, memory, absent, dohQueries, doh })
    if (options.output === '-') process.stdout.write(results)
    else writeFileSync(options.output, `${results}${readSections(options.output).scan}`)
    if (doh === undefined) process.stderr.write('bench: skipped: queries over HTTPS (--doh 0, or no openssl)\n')
    if (programs.backends.length === 1) process.stderr.write('bench: skipped: native sockets, which are not built\n')
    for (const name of absent) process.stderr.write(`bench: skipped: ${name}, which is not installed\n`)
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}

/** Memory is measured once, of the backend that the command takes by itself: it is the peak that counts. */
async function measureMemory(
  clients: readonly BenchClient[],
  directory: string,
  meter: string,
): Promise<readonly MemoryRun[]> {
  const runs: MemoryRun[] = []
  for (const names of options.memory === '' ? [] : options.memory.split(',').map(Number)) {
    writeNames(directory, names)
    const ours = clients.filter(({ label, isUncut }) => label.startsWith('candor') && isUncut !== true)
    for (const client of ours.slice(-1)) runs.push({ names, ...(await runClient(client, directory, meter, names)) })
  }
  return runs
}

function buildProgram(directory: string, name: string): string {
  const program = join(directory, name)
  execFileSync('gcc', ['-O2', '-o', program, join(import.meta.dirname, `${name}.c`)])
  return program
}

/** The backends that work here; where the addon is not, the command would quietly take the sockets of Node. */
function listBackends(): readonly string[] {
  return loadNativeAddon() === undefined ? ['dgram'] : ['dgram', 'native', 'segmented']
}

async function runClient(client: BenchClient, directory: string, meter: string, names: number): Promise<ClientRun> {
  await using responder = await startResponder({ cpu: PROCESSORS - 1, gro: client.isUncut === true })
  const task: BenchTask = {
    namesFile: join(directory, 'names'),
    queriesFile: join(directory, 'queries'),
    names,
    resolvers: Array.from({ length: client.resolvers }, (_, at) => `127.0.${1 + (at >> 7)}.${1 + (at & 0x7f)}`),
    port: responder.port,
    directory,
    candor: CANDOR,
  }
  // Nobody pays for the removal of what the one before has written.
  rmSync(join(directory, 'output'), { force: true })
  const report = join(directory, 'report')
  const output = openSync(join(directory, 'stdout'), 'w')
  const processors = Array.from({ length: PROCESSORS - 1 }, (_, processor) => processor).join(',')
  const { status } = spawnSync(meter, [report, processors, String(RUN_SECONDS_MAX), ...client.command(task)], {
    stdio: ['ignore', output, 'inherit'],
  })
  closeSync(output)
  if (status !== 0) throw new Error(`${client.label} was not measured: status ${status}`)
  const cost = JSON.parse(readFileSync(report, 'utf8')) as Omit<ClientRun, 'label' | 'completed' | 'queries' | 'drops'>
  if (cost.status !== 0) throw new Error(`${client.label} ended with status ${cost.status}`)
  const { queries, kernel_drops } = await responder.stop()
  const run = { label: client.label, completed: client.completed(task), queries, drops: kernel_drops, ...cost }
  const perMillion = ((run.user_seconds + run.system_seconds) / run.completed) * 1e6
  process.stderr.write(`bench: ${run.label}: ${perMillion.toFixed(2)} CPU s per million, ${run.completed} completed\n`)
  return run
}

/** The same names for everybody, each once. */
function writeNames(directory: string, count: number): void {
  const names = openSync(join(directory, 'names'), 'w')
  const queries = openSync(join(directory, 'queries'), 'w')
  for (let start = 0; start < count; start += 10_000) {
    const lines = Array.from(
      { length: Math.min(10_000, count - start) },
      (_, at) => `n${String(start + at).padStart(8, '0')}.bench.example`,
    )
    writeSync(names, `${lines.join('\n')}\n`)
    writeSync(queries, `${lines.join(' A\n')} A\n`)
  }
  closeSync(names)
  closeSync(queries)
}

function findProgram(name: string): string | undefined {
  const places = (process.env['PATH'] ?? '').split(delimiter).map((directory) => join(directory, name))
  return places.find((place) => existsSync(place))
}
