/**
 * The laboratory: a private Tor network, further worlds, or both, with one certificate authority, described in one file.
 *
 * Invariant: the description exists exactly while everything stands.
 */
import { resolve } from 'node:path'
import { joinPath } from '../core/files.ts'
import { createCertificateAuthority } from './certificate-authority.ts'
import {
  LABORATORY_FILE,
  SILENT_TORRC_FILE,
  type LaboratoryDescription,
  type TorDescription,
} from './laboratory-description.ts'
import { startTorWorld, type TorWorld, type TorWorldOptions } from './tor-world.ts'
import type { StartWorld, WorldMachine } from './world.ts'
import { startWorlds } from './worlds.ts'

const AUTHORITY_NAME = 'Candor laboratory'

/** Which worlds there are beside Tor. */
export interface WorldSelection {
  readonly seed: string
  /** Everything is written below it; created with mode 0700. */
  readonly directory: string
  /** Name → how it is built; none without it. */
  readonly worlds?: ReadonlyMap<string, StartWorld>
}

/** What to build when Tor is part of it. */
export type LaboratoryOptions = TorWorldOptions & WorldSelection

/** A laboratory that stands. */
export interface StandingLaboratory extends AsyncDisposable {
  describe(): LaboratoryDescription
  /** Ends everything. */
  stop(): Promise<void>
}

/** A laboratory with a Tor network. */
export interface Laboratory extends StandingLaboratory, Omit<TorWorld, 'description' | 'close'> {
  describe(): LaboratoryDescription & { readonly tor: TorDescription }
}

/**
 * Builds a laboratory with a Tor network and writes `laboratory.json`.
 *
 * @throws {RunError} When `tor` is absent or something does not come up. Nothing is left running.
 */
export async function startLaboratory(machine: WorldMachine, options: LaboratoryOptions): Promise<Laboratory> {
  // Tor, unbound and commands in other directories read these paths.
  const directory = resolve(options.directory)
  await machine.files.makeDirectory(directory, 0o700)
  await using undo = new AsyncDisposableStack()
  const { description: tor, close, ...world } = await startTorWorld(machine, { ...options, directory })
  undo.defer(close)
  const standing = await finishLaboratory(machine, options, tor)
  const kept = undo.move()
  const stop = async (): Promise<void> => {
    await standing.stop()
    await kept.disposeAsync()
  }
  return { ...world, describe: () => ({ ...standing.describe(), tor }), stop, [Symbol.asyncDispose]: stop }
}

/** Builds a laboratory without Tor, in about a second, and writes `laboratory.json`. @throws {RunError} */
export async function startLaboratoryWithoutTor(
  machine: WorldMachine,
  options: WorldSelection,
): Promise<StandingLaboratory> {
  const directory = resolve(options.directory)
  await machine.files.makeDirectory(directory, 0o700)
  await machine.files.writeAtomic(joinPath(directory, SILENT_TORRC_FILE), 'DisableNetwork 1\n', 0o600)
  return await finishLaboratory(machine, options, null)
}

async function finishLaboratory(
  machine: WorldMachine,
  options: WorldSelection,
  tor: TorDescription | null,
): Promise<StandingLaboratory> {
  const directory = resolve(options.directory)
  const authority = createCertificateAuthority(AUTHORITY_NAME, machine.clock.wallNowMs())
  const { seed, worlds = new Map() } = options
  const running = await startWorlds(machine, { worlds, seed, directory, authority })
  const description: LaboratoryDescription = {
    format: 'candor-laboratory/2',
    pid: machine.processes.pid,
    directory,
    seed,
    tor,
    worlds: running.descriptions,
    environment: running.environment,
    authority: authority.certificate,
    routes: running.routes,
  }
  const path = joinPath(directory, LABORATORY_FILE)
  await machine.files.writeAtomic(path, `${JSON.stringify(description)}\n`, 0o600)
  const stop = async (): Promise<void> => {
    await machine.files.remove(path)
    await running.close()
  }
  return { describe: () => description, stop, [Symbol.asyncDispose]: stop }
}
