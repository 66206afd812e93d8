/**
 * What another process must know to work inside a laboratory: written to `laboratory.json`, mode 0600.
 *
 * Invariant: the truth stands in it for pages and matrices; what a run is given are the settings of
 * {@link laboratoryEnvironment}, which do not contain it.
 */
import { RunError } from '../core/config-error.ts'
import { FileError, type Files, joinPath, readText } from '../core/files.ts'
import type { ExitTruth } from '../model/run-view.ts'
import type { Endpoint } from '../net/net.ts'
import type { LaboratoryRoute } from './laboratory-net.ts'

/** Name of the file in the laboratory's directory. */
export const LABORATORY_FILE = 'laboratory.json'

/** Lines for a Tor client that keep it from the public network; they stand in a laboratory that has none of its own. */
export const SILENT_TORRC_FILE = 'silent.torrc'

/** A thousand relays with their truth, and ten thousand routes. */
const FILE_OCTETS_MAX = 8 * 1024 * 1024
const FORMAT = 'candor-laboratory/2'

/** A wildcard zone with its server. */
export interface DescribedZone {
  readonly name: string
  readonly expect: readonly string[]
  /** Where it is asked directly. */
  readonly server: Endpoint
}

/** A relay as the laboratory knows it. */
export interface DescribedRelay {
  readonly nickname: string
  readonly fingerprint: string
  readonly role: 'authority' | 'middle' | 'exit'
  readonly address: string
  readonly pid: number
}

/** What the world of Tor consists of. */
export interface TorDescription {
  readonly zone: DescribedZone
  readonly second_zone: DescribedZone
  /** A resolver without fault, for questions that go through no exit. */
  readonly resolver: Endpoint
  /** Names for the module `dnssec`; any label may stand before them. */
  readonly signed_zone: string
  readonly bogus_zone: string
  /** Lines for the Tor of a run: this network instead of the public one. */
  readonly torrc_append: string
  /** The same for modules that connect to the page and echo servers, which have loopback addresses. */
  readonly torrc_append_connect: string
  readonly authority_log: string
  readonly decoys: string
  readonly stable_domains: string
  readonly page: { readonly host: string; readonly web: Endpoint; readonly echo: Endpoint }
  readonly relays: readonly DescribedRelay[]
  /** Fingerprint → what is true. */
  readonly truth: Readonly<Record<string, ExitTruth>>
  /** Faults that this machine cannot have, with the reason. */
  readonly skipped: Readonly<Record<string, string>>
}

/** The content of the file. */
export interface LaboratoryDescription {
  readonly format: typeof FORMAT
  /** Process that holds the laboratory; when it is gone, so is everything. */
  readonly pid: number
  readonly directory: string
  readonly seed: string
  /** `null` without a Tor network. */
  readonly tor: TorDescription | null
  /** World → what it says about itself, its truth included. */
  readonly worlds: Readonly<Record<string, Readonly<Record<string, unknown>>>>
  /** What the worlds propose to commands inside. */
  readonly environment: Readonly<Record<string, string>>
  /** PEM of the authority that is trusted inside. */
  readonly authority: string
  readonly routes: readonly LaboratoryRoute[]
}

/**
 * Reads the description of a laboratory that stands.
 *
 * @throws {RunError} When there is none in that directory, or the file is none of ours.
 */
export async function readLaboratory(files: Files, directory: string): Promise<LaboratoryDescription> {
  const path = joinPath(directory, LABORATORY_FILE)
  let parsed: unknown
  try {
    parsed = JSON.parse(await readText(files, path, FILE_OCTETS_MAX))
  } catch (error) {
    if (!(error instanceof FileError) && !(error instanceof SyntaxError)) throw error
    throw new RunError(`no laboratory stands in ${directory}`, 'Start one with: candor lab up', { cause: error })
  }
  if (!isDescription(parsed)) throw new RunError(`${path} is no description of a laboratory`)
  return parsed
}

/** Settings of commands inside the laboratory, as environment variables. Nothing in them tells the truth. */
export function laboratoryEnvironment(laboratory: LaboratoryDescription): Readonly<Record<string, string>> {
  const { tor, environment, directory } = laboratory
  const torSettings =
    tor === null ? { CANDOR_EXITS_TORRC_APPEND: joinPath(directory, SILENT_TORRC_FILE) } : torEnvironment(tor)
  return { ...environment, ...torSettings }
}

function torEnvironment(description: TorDescription): Readonly<Record<string, string>> {
  const { zone, second_zone: second, page, resolver } = description
  return {
    CANDOR_QUERY_RESOLVER: `${resolver.address}#${resolver.port}`,
    CANDOR_EXITS_DOMAIN: zone.name,
    CANDOR_EXITS_EXPECT: zone.expect.join(','),
    CANDOR_EXITS_DIRECT_RESOLVER: `${zone.server.address}#${zone.server.port}`,
    CANDOR_EXITS_SECOND_DOMAIN: second.name,
    CANDOR_EXITS_SECOND_EXPECT: second.expect.join(','),
    CANDOR_EXITS_SECOND_DIRECT_RESOLVER: `${second.server.address}#${second.server.port}`,
    CANDOR_EXITS_AUTHORITY_LOG: description.authority_log,
    CANDOR_EXITS_TORRC_APPEND: description.torrc_append,
    CANDOR_EXITS_DECOYS: description.decoys,
    CANDOR_EXITS_STABLE_DOMAINS: description.stable_domains,
    CANDOR_EXITS_HOST: page.host,
    CANDOR_EXITS_PORT: String(page.web.port),
    // Nobody else uses these relays: no pause, and no bound on one first hop.
    CANDOR_EXITS_BUILD_DELAY: '0',
    CANDOR_EXITS_DELAY_NOISE: '0',
    CANDOR_EXITS_PER_FIRST_HOP: '1000',
  }
}

function isDescription(value: unknown): value is LaboratoryDescription {
  return typeof value === 'object' && value !== null && 'format' in value && value.format === FORMAT
}
