/**
 * A world of the laboratory: servers on loopback that play a part of the Internet, and the truth about them.
 *
 * Invariant: a world listens on loopback addresses with ports that the system chooses; its truth reaches nobody who judges.
 */
import type { CertificateAuthority } from './certificate-authority.ts'
import type { LaboratoryRoute } from './laboratory-net.ts'
import type { TorNetworkMachine } from './tor-network-options.ts'

/** What a world needs from the machine. */
export type WorldMachine = TorNetworkMachine

/** How a world is built. */
export interface WorldOptions {
  /** Decides everything that is left to chance. */
  readonly seed: string
  /** Its own; it exists with mode 0700 and is empty. */
  readonly directory: string
  readonly authority: CertificateAuthority
}

/** A world that stands. */
export interface World {
  /**
   * Plain JSON for `laboratory.json`, the truth included; what is large stands in files of the directory. `summary` and
   * `command` (words after `candor`) are texts that people are shown.
   */
  readonly description: Readonly<Record<string, unknown>>
  readonly routes: readonly LaboratoryRoute[]
  /** Settings that commands inside are given where the user has none: names of environment variables. */
  readonly environment: Readonly<Record<string, string>>
  close(): Promise<void>
}

/** Builds a world. @throws {RunError} When it does not come up. Nothing is left running then. */
export type StartWorld = (machine: WorldMachine, options: WorldOptions) => Promise<World>
