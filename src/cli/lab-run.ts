/** `candor lab run [--] COMMAND…`: runs a command inside a laboratory that stands, and holds truth beside verdict. */
import type { Command } from 'commander'
import { environmentName, type LoadedGroup } from '../config/load-config.ts'
import { SETTING_GROUPS } from '../config/setting-groups.ts'
import { ConfigError, RunError } from '../core/config-error.ts'
import { type Files, joinPath, readText } from '../core/files.ts'
import { compareWithTruth, type JudgedExit } from '../lab/confusion-matrix.ts'
import { laboratoryAddressPlan, ownsLaboratoryAddress } from '../lab/lab-address-plan.ts'
import { LABORATORY_FILE, laboratoryEnvironment, type TorDescription } from '../lab/laboratory-description.ts'
import { createLaboratoryNet } from '../lab/laboratory-net.ts'
import type { CliContext } from './cli-context.ts'
import { isCommandName } from './command-names.ts'
import { STATUS_FAILED, type CliStatus } from './exit-status.ts'
import { findLaboratory, laboratoryDirectoryOption } from './lab-directory.ts'
import {
  beginsSatelliteRun,
  compareSatelliteRun,
  findSatelliteWorld,
  isSatelliteRun,
  proposeSatelliteOptions,
} from './lab-run-satellite.ts'
import { loadSettings } from './load-settings.ts'

const TORRC_VARIABLE = 'CANDOR_EXITS_TORRC_APPEND'
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
    const environment: Readonly<Record<string, string>> = {
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
    if (command[0] === 'exits' && command[1] === 'run' && laboratory.tor === null)
      throw new RunError('this laboratory has no Tor network', 'Start one that has: candor lab up --worlds tor')
    const startedAtMs = context.clock.wallNowMs()
    const loaded = await loadSettings(run, context, [], environment)
    const satellite = beginsSatelliteRun(command) ? findSatelliteWorld(laboratory) : undefined
    const proposal = satellite && (await proposeSatelliteOptions(context, satellite, command))
    const status = await context.runCommand([...globalWords(run), ...(proposal?.words ?? command)], {
      net: createLaboratoryNet(context.net, { ...laboratory, owns: ownsLaboratoryAddress }),
      addressPlan: laboratoryAddressPlan,
      environment: { ...withoutFileSettings(environment, loaded), ...context.environment },
    })
    context.finish(status)
    if (satellite !== undefined && proposal !== undefined && isSatelliteRun(command)) {
      await compareSatelliteRun(context, satellite, proposal, startedAtMs)
    }
    if (command[0] !== 'exits' || command[1] !== 'run' || laboratory.tor === null) return
    const configured = loaded.get('exits')?.get('analysis-dir')?.value
    await compare(context, laboratory.tor, analysisDirectory(command) ?? String(configured), startedAtMs)
  })
}

/**
 * What the user has set in the file goes before what the laboratory proposes, and variables go before the file. The
 * torrc is no proposal: with it a Tor finds the laboratory's network and no other.
 */
function withoutFileSettings(
  proposed: Readonly<Record<string, string>>,
  loaded: ReadonlyMap<string, LoadedGroup>,
): Readonly<Record<string, string>> {
  const kept = new Map(Object.entries(proposed))
  for (const group of SETTING_GROUPS) {
    for (const setting of group.settings) {
      const name = environmentName(group, setting)
      if (name === TORRC_VARIABLE) continue
      if (loaded.get(group.table)?.get(setting.name)?.origin !== 'laboratory') kept.delete(name)
    }
  }
  return Object.fromEntries(kept)
}

/** The options of the program itself, which hold for the command inside as well. */
function globalWords(run: Command): readonly string[] {
  const { config, verbosity, quiet } = run.optsWithGlobals<{ config?: string; verbosity: string; quiet?: boolean }>()
  return [
    '--verbosity',
    verbosity,
    ...(quiet === true ? ['--quiet'] : []),
    ...(config === undefined ? [] : ['--config', config]),
  ]
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

/** The directory that the flags of the run name; `undefined` without such a flag. */
function analysisDirectory(command: readonly string[]): string | undefined {
  const at = command.findLastIndex((word) => word === '--analysis-dir' || word.startsWith('--analysis-dir='))
  const word = command[at] ?? ''
  return at < 0 ? undefined : word.includes('=') ? word.slice(word.indexOf('=') + 1) : command[at + 1]
}

/** Prints the confusion matrix of the report that was written since `startedAtMs` (Unix milliseconds). */
async function compare(
  context: CliContext,
  laboratory: TorDescription,
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
