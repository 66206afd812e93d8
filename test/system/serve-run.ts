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
export async function startDaemon(
  home: DaemonHome,
  environment: Readonly<Record<string, string>> = {},
): Promise<RunningDaemon> {
  const command = startCandor(['serve', '--config', home.configPath], { ...home.environment, ...environment })
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

/** An event of the API. */
export interface ServerEvent {
  readonly event: string
  readonly id: string
  readonly data: Readonly<Record<string, unknown>>
}

/** A client of the events that comes back with its last id whenever the connection is lost. */
export interface EventReader {
  readonly events: readonly ServerEvent[]
  stop(): void
}

/** Reads events; `urlOf` says where the daemon is just now. */
export function readEvents(urlOf: () => string | undefined): EventReader {
  const events: ServerEvent[] = []
  const controller = new AbortController()
  void (async () => {
    while (!controller.signal.aborted) {
      await readStream(urlOf(), events, controller.signal).catch(() => {})
      await new Promise((resolve) => setTimeout(resolve, 100))
    }
  })()
  return {
    events,
    stop: () => {
      controller.abort()
    },
  }
}

async function readStream(url: string | undefined, events: ServerEvent[], signal: AbortSignal): Promise<void> {
  if (url === undefined) return
  const lastId = events.findLast(({ id }) => id !== '')?.id
  const headers: Record<string, string> = lastId === undefined ? {} : { 'last-event-id': lastId }
  const { body, status } = await fetch(`${url}api/v1/events`, { headers, signal })
  if (status !== 200 || body === null) return
  let rest = ''
  for await (const chunk of body.pipeThrough(new TextDecoderStream())) {
    const parts = (rest + chunk).split('\n\n')
    rest = parts.pop() ?? ''
    for (const part of parts) {
      const fields = new Map(
        part.split('\n').map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 2)]),
      )
      const data = fields.get('data')
      if (data === undefined) continue
      events.push({
        event: fields.get('event') ?? '',
        id: fields.get('id') ?? '',
        data: JSON.parse(data) as ServerEvent['data'],
      })
    }
  }
}
