/** `candor lab run [--] COMMAND…`: runs a command inside a laboratory that stands, and holds truth beside verdict. */
import type { Command } from 'commander'
import { ConfigError } from '../core/config-error.ts'
import { type Files, joinPath, readText } from '../core/files.ts'
import { compareWithTruth, type JudgedExit } from '../lab/confusion-matrix.ts'
import { laboratoryAddressPlan } from '../lab/lab-address-plan.ts'
import { LABORATORY_FILE, type LaboratoryDescription, laboratoryEnvironment } from '../lab/laboratory-description.ts'
import type { CliContext } from './cli-context.ts'
import { isCommandName } from './command-names.ts'
import { STATUS_FAILED, type CliStatus } from './exit-status.ts'
import { findLaboratory, laboratoryDirectoryOption } from './lab-directory.ts'

const REPORT_OCTETS_MAX = 64 * 1024 * 1024
const REPORT_NAME = /^dnshealth_\d{8}_\d{6}(?:_shard-\d+-of-\d+)?\.json$/

/** Adds `candor lab run`. */
export function registerLabRun(lab: Command, context: CliContext): void {
  const run = lab
    .command('run')
    .description('run a command inside the laboratory: its network, zones, address plan and settings')
    .addOption(laboratoryDirectoryOption())
    .argument('<command...>', 'a command of candor (`exits run`), or any program; put -- before it')
    .allowUnknownOption()
  run.action(async (words: readonly string[]) => {
    const { directory } = run.opts<{ directory: string }>()
    const laboratory = await findLaboratory(context, directory)
    const command = words[0] === 'candor' ? words.slice(1) : words
    const environment = {
      CANDOR_EXITS_ANALYSIS_DIR: joinPath(directory, 'results'),
      ...laboratoryEnvironment(laboratory),
    }
    if (!isCommandName(command[0])) {
      context.finish(
        await runProgram(context, command, { ...environment, CANDOR_LABORATORY: joinPath(directory, LABORATORY_FILE) }),
      )
      return
    }
    if (command[0] === 'lab')
      throw new ConfigError('COMMAND', 'a laboratory does not stand in itself', 'candor lab run -- exits run')
    const startedAtMs = context.clock.wallNowMs()
    const status = await context.runCommand(command, {
      addressPlan: laboratoryAddressPlan,
      // What the user has set goes before what the laboratory proposes.
      environment: { ...environment, ...context.environment },
    })
    context.finish(status)
    if (command[0] === 'exits' && command[1] === 'run') {
      await compare(
        context,
        laboratory,
        analysisDirectory(command, context, environment.CANDOR_EXITS_ANALYSIS_DIR),
        startedAtMs,
      )
    }
  })
}

async function runProgram(
  context: CliContext,
  [program = '', ...args]: readonly string[],
  environment: Readonly<Record<string, string>>,
): Promise<CliStatus> {
  const child = await context.processes.start(program, args, { environment, inherit: true })
  const { code } = await child.exited
  return code === 0 ? 0 : STATUS_FAILED
}

/** The directory that the run wrote to: its flag, else the environment, else the laboratory's own. */
function analysisDirectory(command: readonly string[], context: CliContext, proposed: string): string {
  const at = command.findLastIndex((word) => word === '--analysis-dir' || word.startsWith('--analysis-dir='))
  const word = command[at] ?? ''
  const given = word.includes('=') ? word.slice(word.indexOf('=') + 1) : command[at + 1]
  return (at < 0 ? undefined : given) ?? context.environment['CANDOR_EXITS_ANALYSIS_DIR'] ?? proposed
}

/** Prints the confusion matrix of the report that was written since `startedAtMs` (Unix milliseconds). */
async function compare(
  context: CliContext,
  laboratory: LaboratoryDescription,
  directory: string,
  startedAtMs: number,
): Promise<void> {
  const newest = (await context.files.list(directory)).findLast((name) => REPORT_NAME.test(name))
  const info = newest === undefined ? undefined : await context.files.info(joinPath(directory, newest))
  if (newest === undefined || (info?.modifiedAtMs ?? 0) < startedAtMs) {
    await context.say(`The run left no report in ${directory}: nothing can be compared with the truth.`)
    return
  }
  const { mode, results } = await readReport(context.files, joinPath(directory, newest))
  if (mode !== 'wildcard') {
    await context.say(`The truth is known for mode wildcard; this run was of mode ${mode}.`)
    return
  }
  const matrix = compareWithTruth(new Map(Object.entries(laboratory.truth)), results)
  await context.say(`\n${matrix.text}`)
}

async function readReport(
  files: Files,
  path: string,
): Promise<{ readonly mode: string; readonly results: readonly JudgedExit[] }> {
  const report = JSON.parse(await readText(files, path, REPORT_OCTETS_MAX)) as {
    readonly metadata?: { readonly mode?: string }
    readonly results?: readonly JudgedExit[]
  }
  return { mode: report.metadata?.mode ?? 'unknown', results: report.results ?? [] }
}
