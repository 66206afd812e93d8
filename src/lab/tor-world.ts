/**
 * The world of Tor: a private network, resolvers with known faults, authorities with their query log, and something to
 * connect to.
 *
 * Invariant: the authority alone writes its log; the truth reaches nobody who judges.
 */
import {
  type AuthorityLogFile,
  LOG_FILES_LIMIT,
  LOG_SIZE_LIMIT,
  openAuthorityLog,
} from '../authority/authority-log-file.ts'
import { type RunningAuthority, startAuthority } from '../authority/authority-server.ts'
import type { ZoneConfig } from '../authority/zone.ts'
import { assert } from '../core/assert.ts'
import { joinPath } from '../core/files.ts'
import { createSeededRandom, type Random } from '../core/random.ts'
import { parseName } from '../dns/name.ts'
import type { ExitTruth } from '../model/run-view.ts'
import type { Endpoint } from '../net/net.ts'
import { ExitResolvers } from './exit-resolvers.ts'
import { type Fault, truthOf } from './faults.ts'
import { RIGHT_ADDRESSES, SECOND_ADDRESSES } from './lab-addresses.ts'
import {
  BOGUS_ZONE,
  DECOYS,
  makePagesZone,
  makeSignedZone,
  MEASURED_ZONE,
  PAGES_HOST,
  PAGES_ZONE,
  SECOND_ZONE,
  SIGNED_ZONE,
} from './lab-zones.ts'
import type { TorDescription } from './laboratory-description.ts'
import { type ServedZone, startMisbehavingResolver } from './misbehaving-dns.ts'
import { type PageServers, startPageServers } from './page-servers.ts'
import { RIGHT_BEHAVIOUR } from './resolver-behaviour.ts'
import { placeFaults } from './place-faults.ts'
import type { TorNetworkMachine, TorNetworkProgress } from './tor-network-options.ts'
import { startTorNetwork, type TorNetwork } from './tor-network.ts'

const AUTHORITY_LOG_FILE = 'authority.jsonl'

/** How large the network is. */
export interface TorWorldSize {
  readonly authorities: number
  readonly middles: number
  readonly exits: number
}

/** What to build. */
export interface TorWorldOptions {
  readonly size: TorWorldSize
  /** Decides which exit has which fault. */
  readonly seed: string
  /** Everything is written below it: an absolute path, which exists with mode 0700. */
  readonly directory: string
  /** Third octet of its loopback addresses, 1 to 250; by chance when absent. */
  readonly block?: number
  /** Faults in the order of the exits, in place of the seed's. */
  readonly faults?: readonly Fault[]
  /** How much longer a round trip to the last middle takes, in milliseconds. */
  readonly firstHopDelayMs?: number
  readonly onProgress?: (progress: TorNetworkProgress) => void
}

/** The world of Tor while it stands. */
export interface TorWorld {
  readonly network: TorNetwork
  /** Fingerprint → what is true, of every exit. */
  readonly truth: ReadonlyMap<string, ExitTruth>
  /** Nickname → fault, of every exit. */
  readonly faults: ReadonlyMap<string, Fault>
  /** The server of the measured zone; closing it silences the zone. */
  readonly authority: RunningAuthority
  readonly resolvers: ExitResolvers
  readonly description: TorDescription
  readonly close: () => Promise<void>
}

/** Servers that stand before the network does. */
interface Servers {
  readonly authority: RunningAuthority
  readonly secondAuthority: RunningAuthority
  readonly log: AuthorityLogFile
  readonly pages: PageServers
  readonly zones: readonly ServedZone[]
  /** A resolver without fault. */
  readonly resolver: Endpoint
  readonly trustAnchors: readonly string[]
}

/**
 * Builds the network and what stands behind its exits.
 *
 * @throws {RunError} When `tor` is absent or the network does not come up. Nothing is left running.
 */
export async function startTorWorld(machine: TorNetworkMachine, options: TorWorldOptions): Promise<TorWorld> {
  const random = createSeededRandom(`laboratory ${options.seed}`)
  const block = options.block ?? 1 + ((crypto.getRandomValues(new Uint8Array(1))[0] ?? 0) % 250)
  // What an earlier laboratory left there: keys and logs of relays that are gone.
  await machine.files.remove(joinPath(options.directory, 'network'))
  await machine.files.remove(joinPath(options.directory, AUTHORITY_LOG_FILE))
  const undo = new AsyncDisposableStack()
  try {
    const servers = await startServers({ ...machine, random }, options, block, undo)
    const unbound = await machine.processes.which('unbound')
    const skipped = new Map(unbound === undefined ? [['validating', 'unbound is not installed']] : [])
    const faults = options.faults ?? placeFaults(options.seed, options.size.exits, new Set(skipped.keys()))
    const resolvers = new ExitResolvers(
      { ...machine, random },
      { ...servers, block, unbound, directory: options.directory },
    )
    undo.defer(() => resolvers.close())
    const network = await startNetwork(machine, options, { block, faults, resolvers, random })
    undo.use(network)
    await applyRelayStates(network, faults, resolvers)
    const description = await writeFiles(machine, options, { servers, network, faults, skipped })
    const kept = undo.move()
    return {
      network,
      truth: new Map(Object.entries(description.truth)),
      faults: new Map(faults.map((fault, index) => [exitName(index), fault])),
      authority: servers.authority,
      resolvers,
      description,
      close: () => kept.disposeAsync(),
    }
  } catch (error) {
    await undo.disposeAsync()
    throw error
  }
}

async function startServers(
  machine: TorNetworkMachine & { readonly random: Random },
  options: TorWorldOptions,
  block: number,
  undo: AsyncDisposableStack,
): Promise<Servers> {
  const { net, clock, files } = machine
  const pages = await startPageServers(net, `127.252.${block}.80`)
  undo.defer(() => pages.close())
  const log = await openAuthorityLog({
    files,
    clock,
    log: machine.log,
    path: joinPath(options.directory, AUTHORITY_LOG_FILE),
    sizeOctetsMax: LOG_SIZE_LIMIT.default,
    filesMax: LOG_FILES_LIMIT.min,
  })
  undo.defer(() => log.close())
  const signed = await makeSignedZone(SIGNED_ZONE, clock.wallNowMs(), false)
  const bogus = await makeSignedZone(BOGUS_ZONE, clock.wallNowMs(), true)
  const serve = async (address: string, zones: readonly ZoneConfig[]): Promise<RunningAuthority> => {
    const authority = await startAuthority({ net, clock, log, zones, listen: [{ address, port: 0 }] })
    undo.defer(() => authority.close())
    return authority
  }
  const authority = await serve(`127.252.${block}.1`, [{ name: MEASURED_ZONE, addresses: RIGHT_ADDRESSES }])
  const secondAuthority = await serve(`127.252.${block}.2`, [
    { name: SECOND_ZONE, addresses: SECOND_ADDRESSES },
    makePagesZone(pages.web.address),
    signed.config,
    bogus.config,
  ])
  const second = endpointOf(secondAuthority)
  const zones = [
    servedZone(MEASURED_ZONE, endpointOf(authority), true),
    servedZone(SECOND_ZONE, second, true),
    servedZone(PAGES_ZONE, second, false),
    servedZone(SIGNED_ZONE, second, false),
    servedZone(BOGUS_ZONE, second, false),
  ]
  const resolver = await startMisbehavingResolver(machine, {
    listen: { address: `127.252.${block}.53`, port: 0 },
    zones,
    behaviour: RIGHT_BEHAVIOUR,
  })
  undo.defer(() => resolver.close())
  return {
    authority,
    secondAuthority,
    log,
    pages,
    zones,
    resolver: resolver.endpoint,
    trustAnchors: [signed.trustAnchor, bogus.trustAnchor],
  }
}

function startNetwork(
  machine: TorNetworkMachine,
  options: TorWorldOptions,
  world: { block: number; faults: readonly Fault[]; resolvers: ExitResolvers; random: Random },
): Promise<TorNetwork> {
  const { size } = options
  return startTorNetwork(machine, {
    directory: joinPath(options.directory, 'network'),
    block: world.block,
    authorities: size.authorities,
    middles: Array.from({ length: size.middles }, (_, index) => ({
      nickname: `middle${index + 1}`,
      delayMs: index === size.middles - 1 ? (options.firstHopDelayMs ?? 0) : 0,
    })),
    exits: world.faults.map((fault, index) => ({
      nickname: exitName(index),
      resolvConf: (address) => world.resolvers.startFor(exitName(index), address, fault),
      ipv6: fault.ipv6,
      ...(fault.relay === 'rejecting' ? { exitPolicy: ['reject *:*'], votedExit: true } : {}),
    })),
    ...(options.onProgress === undefined ? {} : { onProgress: options.onProgress }),
  })
}

/** Freezes and ends relays that are so from the beginning, and arms those that wait for a question. */
async function applyRelayStates(
  network: TorNetwork,
  faults: readonly Fault[],
  resolvers: ExitResolvers,
): Promise<void> {
  for (const [index, fault] of faults.entries()) {
    const relay = network.relay(exitName(index))
    if (fault.relay === 'frozen') await relay.freeze()
    if (fault.relay === 'killed') await relay.kill()
    if (fault.relay === 'freezing_when_asked') resolvers.onFirstQuestion(relay.nickname, () => relay.freeze())
    if (fault.relay === 'dying_when_asked') resolvers.onFirstQuestion(relay.nickname, () => relay.kill())
  }
}

async function writeFiles(
  machine: TorNetworkMachine,
  options: TorWorldOptions,
  state: {
    servers: Servers
    network: TorNetwork
    faults: readonly Fault[]
    skipped: ReadonlyMap<string, string>
  },
): Promise<TorDescription> {
  const { servers, network, faults } = state
  const inside = (name: string): string => joinPath(options.directory, name)
  const write = async (name: string, lines: readonly string[]): Promise<string> => {
    await machine.files.writeAtomic(inside(name), `${lines.join('\n')}\n`, 0o600)
    return inside(name)
  }
  return {
    zone: { name: MEASURED_ZONE, expect: RIGHT_ADDRESSES, server: endpointOf(servers.authority) },
    second_zone: { name: SECOND_ZONE, expect: SECOND_ADDRESSES, server: endpointOf(servers.secondAuthority) },
    resolver: servers.resolver,
    signed_zone: SIGNED_ZONE,
    bogus_zone: BOGUS_ZONE,
    torrc_append: await write('client.torrc', network.torrcAppend),
    torrc_append_connect: await write('client-connect.torrc', [
      ...network.torrcAppend.filter((line) => !line.startsWith('ClientDNSRejectInternalAddresses')),
      'ClientDNSRejectInternalAddresses 0',
    ]),
    authority_log: inside(AUTHORITY_LOG_FILE),
    decoys: await write(
      'decoys.txt',
      [...DECOYS].map((decoy) => decoy.join(' ')),
    ),
    // The first one is the rightly signed name that the module `dnssec` compares with.
    stable_domains: await write('stable-domains.txt', [`www.${SIGNED_ZONE}`, ...DECOYS.keys()]),
    page: { host: PAGES_HOST, web: servers.pages.web, echo: servers.pages.echo },
    relays: network.relays.map(({ nickname, fingerprint, role, address, pid }) => ({
      nickname,
      fingerprint,
      role,
      address,
      pid,
    })),
    truth: Object.fromEntries(
      faults.map((fault, index) => [network.relay(exitName(index)).fingerprint, truthOf(fault)]),
    ),
    skipped: Object.fromEntries(state.skipped),
  }
}

function exitName(index: number): string {
  return `exit${index + 1}`
}

function servedZone(text: string, authority: Endpoint, measured: boolean): ServedZone {
  const name = parseName(text)
  assert(name !== undefined, 'the laboratory has valid names only')
  return { name, authority, measured }
}

function endpointOf(authority: RunningAuthority): Endpoint {
  const [endpoint] = authority.endpoints
  assert(endpoint !== undefined, 'an authority listens somewhere')
  return endpoint
}
