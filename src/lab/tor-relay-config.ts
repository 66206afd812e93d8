/**
 * What stands in the `torrc` of a laboratory relay, authority or client.
 *
 * `TestingTorNetwork 1` also lets clients accept internal addresses; that is set back, so that the laboratory behaves as
 * the public network does.
 *
 * Invariant: nothing but loopback addresses and paths inside the laboratory's directory.
 *
 * Sources: tor(1) of 0.4.9, section "TESTING NETWORK OPTIONS"; measurements in docs/manual/laboratory.md.
 */
import type { Endpoint } from '../net/net.ts'
import { formatEndpoint } from '../net/net.ts'
import type { Fingerprint } from '../tor/tor-session.ts'

/** Length of a voting period, in seconds; it must divide a day. A relay that is rejected leaves after one or two. */
const VOTING_INTERVAL_S = 20
/** The first one; vote and distribution delay together must stay below half of it. */
const INITIAL_VOTING_INTERVAL_S = 20
const VOTE_DELAY_S = 2

/** Seconds from the votes to the consensus: vote delay and distribution delay. */
export const VOTE_TO_CONSENSUS_S: number = 2 * VOTE_DELAY_S

/** What a relay is for. */
export type RelayRole = 'authority' | 'middle' | 'exit'

/** A relay with everything that its configuration needs. */
export interface RelayPlan {
  readonly nickname: string
  readonly role: RelayRole
  readonly address: string
  /** What the descriptor names. */
  readonly orPort: Endpoint
  /** Where the relay itself listens, when a forwarder stands in front of it. */
  readonly hiddenOrPort: Endpoint | undefined
  readonly dirPort: Endpoint | undefined
  readonly dataDirectory: string
  readonly fingerprint: Fingerprint
  /** The identity of an authority. */
  readonly v3Identity: Fingerprint | undefined
  /** Lines of the relay's own, after all others. */
  readonly lines: readonly string[]
}

/** The lines by which a Tor client joins the laboratory's network instead of the public one. */
export function clientTorrcLines(authorities: readonly RelayPlan[]): readonly string[] {
  return [
    'TestingTorNetwork 1',
    'ClientDNSRejectInternalAddresses 1',
    'EnforceDistinctSubnets 1',
    ...authorities.map(directoryAuthorityLine),
  ]
}

/** The `torrc` of a relay or an authority. */
export function formatRelayTorrc(
  plan: RelayPlan,
  network: {
    readonly relays: readonly RelayPlan[]
    /** The process whose end ends the relay too. */
    readonly ownerPid: number
    /** Time of the first vote, Unix milliseconds. */
    readonly firstVoteAtMs: number
  },
): string {
  const authorities = network.relays.filter((relay) => relay.role === 'authority')
  const lines = [
    'TestingTorNetwork 1',
    ...authorities.map(directoryAuthorityLine),
    `Nickname ${plan.nickname}`,
    `Address ${plan.address}`,
    `OutboundBindAddress ${plan.address}`,
    ...orPortLines(plan),
    'SocksPort 0',
    'ControlPort 0',
    `DataDirectory ${plan.dataDirectory}`,
    `Log notice file ${plan.dataDirectory}/tor.log`,
    `__OwningControllerProcess ${network.ownerPid}`,
    'RunAsDaemon 0',
    'ShutdownWaitLength 0',
    'AvoidDiskWrites 1',
    'AssumeReachable 1',
    // Less than 512 MB makes Tor kill circuits.
    'MaxMemInQueues 512 MB',
    'NumCPUs 1',
    'ContactInfo laboratory',
    'EnforceDistinctSubnets 1',
    // Exits load their consensus later than authorities; until then every middle is a stranger to them, and connections
    // (not questions) through it end with MISC.
    'RefuseUnknownExits 0',
    ...roleLines(plan, network),
    ...plan.lines,
  ]
  return `${lines.join('\n')}\n`
}

/** The `approved-routers` file of an authority: who is a bad exit, and who is no relay any more. */
export function formatApprovedRouters(badExits: readonly Fingerprint[], rejected: readonly Fingerprint[]): string {
  return [...badExits.map((it) => `!badexit ${it}`), ...rejected.map((it) => `!reject ${it}`), ''].join('\n')
}

function directoryAuthorityLine(plan: RelayPlan): string {
  const dirPort = plan.dirPort === undefined ? '' : formatEndpoint(plan.dirPort)
  return `DirAuthority ${plan.nickname} orport=${plan.orPort.port} no-v2 v3ident=${plan.v3Identity ?? ''} ${dirPort} ${plan.fingerprint}`
}

function orPortLines(plan: RelayPlan): readonly string[] {
  if (plan.hiddenOrPort === undefined) return [`ORPort ${formatEndpoint(plan.orPort)}`]
  return [`ORPort ${formatEndpoint(plan.orPort)} NoListen`, `ORPort ${formatEndpoint(plan.hiddenOrPort)} NoAdvertise`]
}

function roleLines(
  plan: RelayPlan,
  network: { readonly relays: readonly RelayPlan[]; readonly firstVoteAtMs: number },
): readonly string[] {
  if (plan.role === 'exit') {
    return ['ExitRelay 1', 'DirCache 0', 'ServerDNSSearchDomains 0', 'ServerDNSAllowBrokenConfig 1']
  }
  if (plan.role === 'middle') return ['ExitPolicy reject *:*']
  return [
    'ExitPolicy reject *:*',
    'AuthoritativeDirectory 1',
    'V3AuthoritativeDirectory 1',
    ...(plan.dirPort === undefined ? [] : [`DirPort ${formatEndpoint(plan.dirPort)}`]),
    `V3AuthVotingInterval ${VOTING_INTERVAL_S} seconds`,
    `V3AuthVoteDelay ${VOTE_DELAY_S} seconds`,
    `V3AuthDistDelay ${VOTE_DELAY_S} seconds`,
    `TestingV3AuthInitialVotingInterval ${INITIAL_VOTING_INTERVAL_S} seconds`,
    `TestingV3AuthInitialVoteDelay ${VOTE_DELAY_S} seconds`,
    `TestingV3AuthInitialDistDelay ${VOTE_DELAY_S} seconds`,
    `TestingV3AuthVotingStartOffset ${startOffsetSeconds(network.firstVoteAtMs)} seconds`,
    'TestingMinExitFlagThreshold 0',
    'TestingDirAuthVoteGuard *',
    'AuthDirListBadExits 1',
    'TestingAuthDirTimeToLearnReachability 0 seconds',
    `V3BandwidthsFile ${plan.dataDirectory}/bandwidths`,
  ]
}

/** Shifts the schedule of votes, which is aligned to midnight UTC, so that the first consensus comes when we want it. */
function startOffsetSeconds(firstVoteAtMs: number): number {
  const consensusAtS = Math.ceil(firstVoteAtMs / 1000) + VOTE_TO_CONSENSUS_S
  return consensusAtS % INITIAL_VOTING_INTERVAL_S
}
