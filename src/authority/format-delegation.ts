/** What to put into the parent zone, so that resolvers find the authority. */
import { parseIp } from '../core/ip-address.ts'

/** A zone to delegate. */
export interface DelegatedZone {
  /** Without a dot at the end. */
  readonly name: string
  readonly nameServers: readonly { readonly name: string; readonly addresses: readonly string[] }[]
}

/** A name server changes rarely; an hour lets a mistake be corrected. */
const DELEGATION_TTL_SECONDS = 3600

/**
 * Formats the records as in a master file, a comment first that names the zone they belong into.
 *
 * @returns Lines; a name server of the zone itself that has no address gets a comment that says so.
 */
export function formatDelegation(zone: DelegatedZone): readonly string[] {
  const { name, nameServers } = zone
  const parent = name.includes('.') ? name.slice(name.indexOf('.') + 1) : 'the root'
  const width = Math.max(name.length, ...nameServers.map((server) => server.name.length)) + 1
  const record = (owner: string, type: string, data: string): string =>
    `${`${owner}.`.padEnd(width)} ${DELEGATION_TTL_SECONDS} IN ${type.padEnd(4)} ${data}`
  const glue = nameServers
    .filter((server) => server.name === name || server.name.endsWith(`.${name}`))
    .flatMap((server) => {
      if (server.addresses.length === 0) return [`; ${server.name} needs an address: --ns ${server.name}=ADDRESS`]
      return server.addresses.map((address) =>
        record(server.name, parseIp(address)?.length === 4 ? 'A' : 'AAAA', address),
      )
    })
  return [`; in ${parent}:`, ...nameServers.map((server) => record(name, 'NS', `${server.name}.`)), ...glue]
}
