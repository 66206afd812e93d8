/** Runs the real command in a real laboratory: what every test of the exits campaign stands on. */
import { spawn } from 'node:child_process'
import { mkdtemp, readFile, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { silentLog } from '../../src/core/log.ts'
import { laboratoryEnvironment } from '../../src/lab/laboratory-description.ts'
import { startLaboratory, type Laboratory, type LaboratoryOptions } from '../../src/lab/laboratory.ts'
import type { ExitReport, ExitResult } from '../../src/model/exit-result.ts'
import { nodeClock } from '../../src/platform/node-clock.ts'
import { nodeFiles } from '../../src/platform/node-files.ts'
import { nodeNet } from '../../src/platform/node-net.ts'
import { nodeProcesses } from '../../src/platform/node-processes.ts'

const HOME = fileURLToPath(new URL('../..', import.meta.url))
const NODE = join(HOME, 'node_modules/node/bin/node')

/** Whether this machine can have a laboratory; the tests say what to install otherwise. */
export const hasTor: boolean =
  (await nodeProcesses.which('tor')) !== undefined && (await nodeProcesses.which('tor-gencert')) !== undefined

/** A laboratory with a directory for runs; everything is gone at the end. */
export interface TestLaboratory extends AsyncDisposable {
  readonly laboratory: Laboratory
  /** Environment of commands that run in it. */
  readonly environment: Readonly<Record<string, string>>
  /** A new, empty directory. */
  newDirectory(): Promise<string>
}

/** Starts a laboratory. */
export async function startTestLaboratory(options: Omit<LaboratoryOptions, 'directory'>): Promise<TestLaboratory> {
  const root = await mkdtemp(join(tmpdir(), 'candor-exits-'))
  const machine = { clock: nodeClock, files: nodeFiles, net: nodeNet, processes: nodeProcesses, log: silentLog }
  const laboratory = await startLaboratory(machine, { ...options, directory: join(root, 'laboratory') })
  return {
    laboratory,
    environment: laboratoryEnvironment(laboratory.describe()),
    newDirectory: () => mkdtemp(join(root, 'run-')),
    [Symbol.asyncDispose]: async () => {
      await laboratory.stop()
      await rm(root, { recursive: true, force: true })
    },
  }
}

/** How a command ended. */
export interface CommandOutcome {
  /** `null` when a signal ended it. */
  readonly status: number | null
  readonly stdout: string
  readonly stderr: string
}

/** A command that runs. */
export interface RunningCommand {
  readonly pid: number
  readonly outcome: Promise<CommandOutcome>
  kill(signal: NodeJS.Signals): void
  /** What stderr said so far. */
  stderr(): string
}

/** Starts `candor ARGS` as a process of its own. */
export function startCandor(args: readonly string[], environment: Readonly<Record<string, string>>): RunningCommand {
  const child = spawn(NODE, [join(HOME, 'src/cli/main.ts'), ...args], {
    env: { ...process.env, ...environment, NO_COLOR: '1' },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let [stdout, stderr] = ['', '']
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text))
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text))
  return {
    pid: child.pid ?? -1,
    outcome: new Promise((resolve) => {
      child.on('close', (status) => {
        resolve({ status, stdout, stderr })
      })
    }),
    kill: (signal) => void child.kill(signal),
    stderr: () => stderr,
  }
}

/** Runs `candor exits run` in a laboratory to its end. */
export async function runExitsIn(
  { environment }: TestLaboratory,
  directory: string,
  args: readonly string[] = [],
): Promise<CommandOutcome> {
  return await startCandor(['exits', 'run', '--analysis-dir', directory, ...args], environment).outcome
}

/** The report that a run left. */
export async function readReport(directory: string, name: string = 'latest.json'): Promise<ExitReport> {
  return JSON.parse(await readFile(join(directory, name), 'utf8')) as ExitReport
}

/** A line of a journal. */
export type JournalLine = { readonly kind: string } & Readonly<Record<string, unknown>>

/** The journal of the only run in a directory. */
export async function readJournalLines(directory: string): Promise<readonly JournalLine[]> {
  const name = (await readdir(directory)).find((entry) => entry.startsWith('journal_'))
  if (name === undefined) return []
  const text = await readFile(join(directory, name), 'utf8')
  return text
    .split('\n')
    .filter((line) => line.endsWith('}'))
    .map((line) => JSON.parse(line) as JournalLine)
}

/** @returns One line for each relay whose verdict is not among those that are right for its fault. */
export function misclassified({ truth }: Laboratory, results: readonly ExitResult[]): readonly string[] {
  return results.flatMap((result) => {
    const known = truth.get(result.exit_fingerprint)
    const right = known?.expected.some(
      ({ status, errorCode }) => status === result.status && errorCode === result.error_code,
    )
    return right === true ? [] : [`${known?.fault ?? 'unknown'}: ${result.status}/${result.error_code ?? '-'}`]
  })
}

/** @returns Verdict by fingerprint: what two runs must agree on. */
export function verdicts(results: readonly ExitResult[]): Readonly<Record<string, string>> {
  return Object.fromEntries(
    results.map((result) => [
      result.exit_fingerprint,
      [result.status, result.error_code, result.resolved_ip, result.status_ipv6].join(' '),
    ]),
  )
}

/** @returns Command lines of processes that mention a path: orphans, after a test. */
export async function processesNaming(path: string): Promise<readonly string[]> {
  const found: string[] = []
  for (const name of await readdir('/proc')) {
    if (!/^\d+$/.test(name) || Number(name) === process.pid) continue
    const line = await readFile(`/proc/${name}/cmdline`, 'utf8').catch(() => '')
    if (line.includes(path)) found.push(line.replaceAll('\0', ' ').trim())
  }
  return found
}

/** Waits until `condition` holds, at most `timeoutMs`. @returns Whether it did. */
export async function eventually(condition: () => Promise<boolean> | boolean, timeoutMs: number): Promise<boolean> {
  const untilMs = performance.now() + timeoutMs
  while (performance.now() < untilMs) {
    if (await condition()) return true
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  return await condition()
}
