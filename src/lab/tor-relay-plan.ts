/**
 * Plans a laboratory network: an address, free ports and keys for each relay.
 *
 * Relay number i lives on 127.i.BLOCK.1: a /16 each, up to 250 relays.
 *
 * Invariant: every port was free a moment ago; nothing is fixed.
 */
import { joinPath } from '../core/files.ts'
import { findFreePort } from './find-free-port.ts'
import { mapBounded } from './map-bounded.ts'
import type { TorExitOptions, TorNetworkMachine, TorNetworkOptions } from './tor-network-options.ts'
import type { RelayPlan, RelayRole } from './tor-relay-config.ts'
import { createAuthorityCertificate, createRelayIdentity } from './tor-relay-keys.ts'

/** Keys made at once; they use cores, and a laboratory has two. */
const KEYS_AT_ONCE = 4
/** 127.0 belongs to the machine, 127.251 and above to the laboratory's other servers. */
const SECOND_OCTETS = 250

interface Draft {
  readonly nickname: string
  readonly role: RelayRole
  readonly address: string
  readonly delayMs: number
  readonly exit: TorExitOptions | undefined
}

/** Makes addresses, ports and keys of every relay; authorities first, then middles, then exits. @throws {RunError} */
export async function planRelays(
  machine: TorNetworkMachine,
  options: TorNetworkOptions,
): Promise<readonly RelayPlan[]> {
  const drafts: Draft[] = []
  const draft = (nickname: string, role: RelayRole, delayMs = 0, exit?: TorExitOptions): void => {
    const index = drafts.length
    const address = `127.${1 + (index % SECOND_OCTETS)}.${options.block}.${1 + Math.floor(index / SECOND_OCTETS)}`
    drafts.push({ nickname, role, address, delayMs, exit })
  }
  for (let index = 1; index <= options.authorities; index++) draft(`authority${index}`, 'authority')
  for (const middle of options.middles) draft(middle.nickname, 'middle', middle.delayMs)
  for (const exit of options.exits) draft(exit.nickname, 'exit', 0, exit)
  let done = 0
  const plans = await mapBounded(drafts, KEYS_AT_ONCE, async (it) => {
    const plan = await planRelay(machine, options, it)
    options.onProgress?.({ step: 'keys', done: ++done, total: drafts.length })
    return plan
  })
  const votedExits = plans.filter((_plan, index) => drafts[index]?.exit?.votedExit === true)
  if (votedExits.length === 0) return plans
  const line = `TestingDirAuthVoteExit ${votedExits.map((it) => it.fingerprint).join(',')}`
  return plans.map((plan) => (plan.role === 'authority' ? withLine(plan, line) : plan))
}

function withLine(plan: RelayPlan, line: string): RelayPlan {
  return { ...plan, lines: [...plan.lines, line] }
}

async function planRelay(machine: TorNetworkMachine, options: TorNetworkOptions, draft: Draft): Promise<RelayPlan> {
  const { net, files } = machine
  const dataDirectory = joinPath(options.directory, draft.nickname)
  const fingerprint = await createRelayIdentity(files, dataDirectory)
  const dirPort = draft.role === 'authority' ? await findFreePort(net, draft.address) : undefined
  const v3Identity = dirPort && (await createAuthorityCertificate(files, machine.processes, dataDirectory, dirPort))
  return {
    nickname: draft.nickname,
    role: draft.role,
    address: draft.address,
    orPort: await findFreePort(net, draft.address),
    hiddenOrPort: draft.delayMs > 0 ? await findFreePort(net, draft.address) : undefined,
    dirPort,
    dataDirectory,
    fingerprint,
    v3Identity,
    lines: draft.exit === undefined ? [] : await exitLines(machine, dataDirectory, draft.address, draft.exit),
  }
}

async function exitLines(
  { files }: TorNetworkMachine,
  dataDirectory: string,
  address: string,
  exit: TorExitOptions,
): Promise<readonly string[]> {
  const path = joinPath(dataDirectory, 'resolv.conf')
  await files.writeAtomic(path, await exit.resolvConf(address), 0o600)
  return [
    `ServerDNSResolvConfFile ${path}`,
    `IPv6Exit ${exit.ipv6 === true ? 1 : 0}`,
    ...(exit.exitPolicy ?? ['accept *:*']).map((line) => `ExitPolicy ${line}`),
  ]
}
