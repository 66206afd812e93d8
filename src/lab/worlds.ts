/** The worlds that a laboratory can have beside Tor, and how they are started together. */
import { joinPath } from '../core/files.ts'
import type { CertificateAuthority } from './certificate-authority.ts'
import { startDomainsWorld } from './domains-world.ts'
import type { LaboratoryRoute } from './laboratory-net.ts'
import { createMonitorWorld } from './monitor-world.ts'
import { createSatelliteWorld, SATELLITE_SIZE } from './satellite-world.ts'
import type { StartWorld, WorldMachine } from './world.ts'

/** Name → how it is built. They start in this order. */
export const WORLDS: ReadonlyMap<string, StartWorld> = new Map<string, StartWorld>([
  ['satellite', createSatelliteWorld(SATELLITE_SIZE)],
  ['domains', startDomainsWorld],
  ['monitor', createMonitorWorld()],
])

/** What is started together. */
export interface WorldsOptions {
  readonly worlds: ReadonlyMap<string, StartWorld>
  readonly seed: string
  /** Of the laboratory; each world gets a directory of its name in it. */
  readonly directory: string
  readonly authority: CertificateAuthority
}

/** Worlds that stand. */
export interface RunningWorlds {
  readonly descriptions: Readonly<Record<string, Readonly<Record<string, unknown>>>>
  readonly routes: readonly LaboratoryRoute[]
  readonly environment: Readonly<Record<string, string>>
  close(): Promise<void>
}

/** Starts worlds one after the other. @throws {RunError} When one does not come up. Nothing is left running then. */
export async function startWorlds(machine: WorldMachine, options: WorldsOptions): Promise<RunningWorlds> {
  const undo = new AsyncDisposableStack()
  const descriptions: Record<string, Readonly<Record<string, unknown>>> = {}
  const environment: Record<string, string> = {}
  const routes: LaboratoryRoute[] = []
  try {
    for (const [name, start] of options.worlds) {
      const directory = joinPath(options.directory, name)
      await machine.files.remove(directory)
      await machine.files.makeDirectory(directory, 0o700)
      const { authority } = options
      const world = await start(machine, { seed: `${name}-${options.seed}`, directory, authority })
      undo.defer(() => world.close())
      descriptions[name] = world.description
      Object.assign(environment, world.environment)
      routes.push(...world.routes)
    }
  } catch (error) {
    await undo.disposeAsync()
    throw error
  }
  const kept = undo.move()
  return { descriptions, routes, environment, close: () => kept.disposeAsync() }
}
