/**
 * `candor satellite run` and its stages: who interferes with DNS, measured over open resolvers.
 *
 * `run` and `full` are the same; `discover` finds resolvers, `test` asks and judges, and each stage is a command of its own.
 */
import type { Command } from 'commander'
import { ConfigError, RunError } from '../core/config-error.ts'
import { joinPath } from '../core/files.ts'
import type { CliContext } from './cli-context.ts'
import { writeAnnouncement } from './satellite-announcement.ts'
import { openRunDirectory, runName, type StageName } from './satellite-run-directory.ts'
import { addRunOptions, type RunFlags } from './satellite-run-options.ts'
import { noBlocklist } from './satellite-run-probe.ts'
import { runStages } from './satellite-run-stages.ts'

interface StageCommand {
  readonly names: readonly string[]
  readonly stages: readonly StageName[]
  readonly text: string
}

/** Commands that begin a run. */
const BEGINNINGS: readonly StageCommand[] = [
  {
    names: ['run', 'full'],
    stages: ['probe', 'filter', 'query', 'tag', 'detect', 'fetch', 'verify'],
    text: 'all stages: find resolvers, ask them, judge what they said',
  },
  { names: ['discover'], stages: ['probe', 'filter'], text: 'find resolvers: probe and filter' },
  { names: ['probe'], stages: ['probe'], text: 'ask addresses for a name of your own: who answers?' },
]

/** Commands that go on with one. */
const CONTINUATIONS: readonly StageCommand[] = [
  {
    names: ['test'],
    stages: ['query', 'tag', 'detect'],
    text: 'ask the resolvers of a run and judge: query, tag and detect',
  },
  {
    names: ['filter'],
    stages: ['filter'],
    text: 'keep resolvers of infrastructure that live, and add control and special ones',
  },
  { names: ['query'], stages: ['query'], text: 'ask every resolver of a run for every name' },
  { names: ['tag'], stages: ['tag'], text: 'find what is known about the addresses in answers' },
  { names: ['fetch'], stages: ['fetch'], text: 'fetch what stands at the addresses of anomalies' },
]

/** Adds the commands to `candor satellite`. */
export function registerSatelliteRun(satellite: Command, context: CliContext): void {
  for (const { names, stages, text } of BEGINNINGS) {
    const [name = '', ...aliases] = names
    const command = satellite.command(name).description(text)
    for (const alias of aliases) command.alias(alias)
    command
      .option('--output <directory>', 'where the directory of the run is made (default: here)')
      .option('--resume <directory>', 'goes on with a run')
      .option('--announce', 'write the announcement of the probe instead of probing')
      .option('--contact <text>', 'who is to be told, and how to opt out; stands in the announcement')
    addRunOptions(command)
    command.action(async (flags: RunFlags) => {
      await begin(context, stages, flags)
    })
  }
  for (const { names, stages, text } of CONTINUATIONS) {
    const [name = ''] = names
    const command = satellite
      .command(name)
      .description(text)
      .argument('<directory>', 'the directory of a run, or one that has the files of the stage before')
    addRunOptions(command)
    command.action(async (path: string, flags: RunFlags) => {
      if ((await context.files.info(path))?.kind !== 'directory')
        throw new ConfigError(
          path,
          'there is no such directory',
          `candor satellite ${name} CP_Satellite-YYYY-MM-DD-HH-MM-SS`,
        )
      await using directory = await openRunDirectory(context, path, flags)
      await runStages(context, directory, { stages, flags, isResumed: false, isReplay: false })
    })
  }
}

async function begin(context: CliContext, stages: readonly StageName[], flags: RunFlags): Promise<void> {
  const { resume, output = '.' } = flags
  if (resume !== undefined && (await context.files.info(joinPath(resume, 'journal', 'run.json'))) === undefined)
    throw new ConfigError('--resume', `${resume} is no directory of a run`, '--resume CP_Satellite-YYYY-MM-DD-HH-MM-SS')
  const path = resume ?? joinPath(output, runName(context.clock.wallNowMs()))
  if (resume === undefined) {
    // Before anything is written.
    if (flags['blocklist'] === undefined) throw noBlocklist()
    if (stages.includes('query') && flags['domains'] === undefined)
      throw new ConfigError('--domains', 'there is no name to be tested', '--domains FILE (one name a line)')
    if ((await context.files.info(path)) !== undefined)
      throw new RunError(`${path} is there already`, 'begin a second later, or go on with it: --resume')
  }
  await using directory = await openRunDirectory(context, path, flags)
  if (flags.announce === true) {
    const lines = `${await directory.readInput('addresses')}\n${await directory.readInput('ranges')}`.split('\n')
    const ranges = lines.map((line) => line.replace(/#.*$/, '').trim()).filter((line) => line !== '')
    await writeAnnouncement(context, directory, ranges, flags.contact)
    return
  }
  await runStages(context, directory, { stages, flags, isResumed: resume !== undefined, isReplay: false })
}
