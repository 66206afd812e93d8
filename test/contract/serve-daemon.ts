/** `candor serve` inside a test, with signals that the test sends. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, onTestFinished } from 'vitest'
import type { CliCapabilities } from '../../src/cli/cli-context.ts'
import { findDaemon, type DaemonClient } from '../../src/cli/daemon-client.ts'
import { runCli } from '../../src/cli/run-cli.ts'
import { nodeFiles } from '../../src/platform/node-files.ts'
import { createCliCapabilities, type CliTexts } from './simulated-cli.ts'
import { makeTemporaryDirectory } from './temporary-directory.ts'

/** A daemon inside the test. */
export interface RunningDaemon {
  readonly directory: string
  readonly dataDir: string
  readonly configPath: string
  readonly texts: CliTexts
  readonly url: string
  readonly client: DaemonClient
  /** Sends what SIGHUP sends. */
  hangUp(): void
  /** Sends what SIGTERM sends. @returns The exit status. */
  stop(): Promise<number>
}

/**
 * Starts a daemon, and waits until it answers.
 *
 * @param config - TOML after the table `[serve]`.
 * @param directory - Where everything of it is; a daemon that is started there again goes on.
 * @param changes - Another machine than this one.
 */
export async function startDaemon(
  config = '',
  directory: string = makeTemporaryDirectory(),
  environment: Readonly<Record<string, string>> = {},
  changes: Partial<CliCapabilities> = {},
): Promise<RunningDaemon> {
  const dataDir = join(directory, 'data')
  const configPath = join(directory, 'candor.toml')
  const base = `data_dir = "${dataDir}"\n[serve]\nport = 0\n`
  writeFileSync(configPath, `${base}${config}`)
  const { capabilities, texts } = createCliCapabilities({ environment })
  const controller = new AbortController()
  const callbacks = new Set<() => void>()
  const changed: CliCapabilities = {
    ...capabilities,
    ...changes,
    interrupted: controller.signal,
    onHangup: (callback) => {
      callbacks.add(callback)
      return () => void callbacks.delete(callback)
    },
  }
  const ended = runCli(['serve', '--config', configPath], changed)
  const stop = (): Promise<number> => {
    controller.abort()
    return ended
  }
  onTestFinished(async () => {
    await stop()
  })
  await expect.poll(() => texts.stdout, { timeout: 15_000 }).toContain('http://')
  const client = await findDaemon(nodeFiles, dataDir)
  if (client === undefined) throw new Error('the daemon does not answer on its socket')
  return {
    directory,
    dataDir,
    configPath,
    texts,
    url: texts.stdout.trim(),
    client,
    hangUp: () => {
      for (const callback of callbacks) callback()
    },
    stop,
  }
}

/** Entries of the log about one event. */
export function logged({ texts }: RunningDaemon, event: string): readonly Readonly<Record<string, unknown>>[] {
  return texts.stderr
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line) as Readonly<Record<string, unknown>>)
    .filter((entry) => entry['event'] === event)
}
