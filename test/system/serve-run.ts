/** A daemon as a process of its own in a laboratory, and what it leaves behind. */
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { findDaemon, type DaemonClient } from '../../src/cli/daemon-client.ts'
import { nodeFiles } from '../../src/platform/node-files.ts'
import { eventually, startCandor, type RunningCommand, type TestLaboratory } from './laboratory-run.ts'

/** Directories of a daemon; they outlive its processes. */
export interface DaemonHome {
  readonly dataDir: string
  readonly analysisDir: string
  readonly configPath: string
  readonly environment: Readonly<Record<string, string>>
}

/** A daemon that answers. */
export interface RunningDaemon extends RunningCommand {
  readonly client: DaemonClient
}

/** Makes the directories and the configuration. Nothing is on schedule unless `schedule` says so. */
export async function makeDaemonHome(
  laboratory: TestLaboratory,
  { exits = 'never', more = '' }: { readonly exits?: string; readonly more?: string } = {},
): Promise<DaemonHome> {
  const directory = await laboratory.newDirectory()
  const configPath = join(directory, 'candor.toml')
  const [dataDir, analysisDir] = [join(directory, 'data'), join(directory, 'results')]
  await writeFile(
    configPath,
    `data_dir = "${dataDir}"\n[serve]\nport = 0\n[schedule]\nexits = "${exits}"\njitter = 0\n${more}`,
  )
  const environment = { ...laboratory.environment, CANDOR_EXITS_ANALYSIS_DIR: analysisDir }
  return { dataDir, analysisDir, configPath, environment }
}

/** Starts the daemon, and waits until it answers. */
export async function startDaemon(home: DaemonHome): Promise<RunningDaemon> {
  const command = startCandor(['serve', '--config', home.configPath], home.environment)
  let client: DaemonClient | undefined
  const isUp = await eventually(async () => {
    // A socket that was left by a kill is there before the daemon is.
    if (!command.stderr().includes('daemon.started')) return false
    client = await findDaemon(nodeFiles, home.dataDir)
    return client !== undefined
  }, 60_000)
  if (!isUp || client === undefined) throw new Error(`the daemon does not answer: ${command.stderr()}`)
  return { ...command, client }
}

/** Entries of the daemon's log about one event. */
export function logged(stderr: string, event: string): readonly Readonly<Record<string, unknown>>[] {
  return stderr
    .split('\n')
    .filter((line) => line.startsWith('{') && line.endsWith('}'))
    .map((line) => JSON.parse(line) as Readonly<Record<string, unknown>>)
    .filter((entry) => entry['event'] === event)
}

/** What the API says at a path. */
export async function ask<T>(client: DaemonClient, path: string): Promise<T> {
  const { status, text } = await client.get(path)
  if (status !== 200) throw new Error(`${path}: ${status} ${text}`)
  return JSON.parse(text) as T
}
