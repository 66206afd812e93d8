/**
 * The system's own resolvers (`/etc/resolv.conf`) and names (`/etc/hosts`), read and asked by our own code.
 *
 * Invariant: nothing is asked of anybody else, and where an address came from is told.
 *
 * Sources: resolv.conf(5), hosts(5).
 */
import { RunError } from '../core/config-error.ts'
import { FileError, readText } from '../core/files.ts'
import { canonicalIp } from '../core/ip-address.ts'
import { parseName } from '../dns/name.ts'
import { TYPE_A, TYPE_AAAA } from '../dns/rr-type.ts'
import { askDirectly } from '../measure/ask-directly.ts'
import { formatEndpoint, type Endpoint } from '../net/net.ts'
import type { CliContext } from './cli-context.ts'

const RESOLV_CONF = '/etc/resolv.conf'
const HOSTS = '/etc/hosts'
const FILE_OCTETS_MAX = 1_048_576
/** As in the system's own library. */
const NAME_SERVERS_MAX = 3
const DNS_PORT = 53

/** An address of a host, and who says so. */
export interface FoundAddress {
  readonly address: string
  /** A file, or the resolver that was asked. */
  readonly source: string
}

/** @returns The resolvers of the system, first choice first; empty when it has none. */
export async function readSystemResolvers(context: CliContext): Promise<readonly Endpoint[]> {
  const lines = await readLines(context, RESOLV_CONF)
  return lines
    .flatMap((line) => canonicalIp(/^\s*nameserver\s+(\S+)/.exec(line)?.[1] ?? '') ?? [])
    .slice(0, NAME_SERVERS_MAX)
    .map((address) => ({ address, port: DNS_PORT }))
}

/**
 * Finds an address of a host: in the hosts file, else with the first resolver of the system that answers.
 *
 * @param timeoutMs - For each question.
 * @throws {RunError} When nobody knows one.
 */
export async function findHostAddress(context: CliContext, host: string, timeoutMs: number): Promise<FoundAddress> {
  const name = parseName(host)
  const listed = await readHostsFile(context, host.toLowerCase().replace(/\.$/, ''))
  if (listed !== undefined) return { address: listed, source: HOSTS }
  const servers = await readSystemResolvers(context)
  const random = context.createRandom(context.newSeed())
  for (const server of name === undefined ? [] : servers) {
    for (const type of [TYPE_A, TYPE_AAAA]) {
      const { message } = await askDirectly({ ...context, random }, { server, name: name ?? [], type, timeoutMs })
      for (const { rdata } of message?.answers ?? []) {
        if (rdata.kind === 'a' || rdata.kind === 'aaaa')
          return { address: rdata.address, source: formatEndpoint(server) }
      }
    }
  }
  const asked =
    servers.length === 0 ? `${RESOLV_CONF} names no resolver` : `asked ${servers.map(formatEndpoint).join(', ')}`
  throw new RunError(`no address of ${host} was found (${asked})`, 'name the resolver by its address')
}

async function readHostsFile(context: CliContext, host: string): Promise<string | undefined> {
  for (const line of await readLines(context, HOSTS)) {
    const [address = '', ...names] = line.replace(/#.*/, '').trim().split(/\s+/)
    const canonical = canonicalIp(address)
    if (canonical !== undefined && names.some((name) => name.toLowerCase() === host)) return canonical
  }
  return undefined
}

/** A file that is not there says nothing. */
async function readLines({ files }: CliContext, path: string): Promise<readonly string[]> {
  try {
    return (await readText(files, path, FILE_OCTETS_MAX)).split('\n')
  } catch (error) {
    if (error instanceof FileError) return []
    throw error
  }
}
