/**
 * Who is responsible for a name: a walk from the root that ends at its zone, the zone's servers and the servers above it.
 *
 * Aliases are followed, so that the servers of the last one can be asked for addresses; the zone is that of the name itself.
 *
 * Invariant: bounded by the walk (100 questions); at most eight servers of a zone are kept.
 */
import type { DnsMessage } from '../../dns/message.ts'
import { equalNames, formatName, type Name } from '../../dns/name.ts'
import { TYPE_A, TYPE_DS, TYPE_SOA } from '../../dns/rr-type.ts'
import type { Exchange } from '../../model/observation.ts'
import { walkDelegations } from '../../vantages/delegation-walk.ts'
import type { NameServer } from '../../vantages/root-hints.ts'
import { decodeFirst } from './ask-server.ts'

const SERVERS_MAX = 8

/** Where a name is. */
export interface LocatedName {
  /** The zone that the name lies in; the root has no labels. */
  readonly zone: Name
  /** The same for people and as a key: `zone.example`. */
  readonly zoneName: string
  /** Servers of the zone above, the one that answered first; empty for the root. */
  readonly parentServers: readonly NameServer[]
  readonly servers: readonly NameServer[]
  /** The name that records are asked for: the last alias, or the name itself. */
  readonly target: Name
  readonly targetServers: readonly NameServer[]
}

/** Puts one question, without recursion, to one server. */
export type Ask = (address: string, name: Name, type: number) => Promise<Exchange>

interface Place {
  readonly zone: Name
  readonly servers: readonly NameServer[]
  readonly nameless: readonly Name[]
}

interface Asked {
  readonly exchange: Exchange
  readonly name: Name
}

/** Walks. @returns `undefined` when no server answers for the name. */
export async function locateName(
  ask: Ask,
  roots: readonly NameServer[],
  name: Name,
  type: number,
  signal: AbortSignal,
): Promise<LocatedName | undefined> {
  const root: Place = { zone: [], servers: roots, nameless: [] }
  let above: Place | undefined
  let here = root
  let own: { readonly place: Place; readonly above: Place | undefined } | undefined
  let target = name
  const isFound = await walkDelegations<Asked>({
    name,
    // Of a DS record the zone above is in charge: the walk goes to the name's own zone, and looks back.
    type: type === TYPE_DS ? TYPE_SOA : type,
    roots,
    signal,
    ask: async (server, asked, askedType) => ({ exchange: await ask(server.address, asked, askedType), name: asked }),
    onStep: ({ depth, asked, outcome, server }) => {
      if (depth > 0) return Promise.resolve()
      if (outcome.kind === 'referral') {
        above = { ...here, servers: putFirst(server, here.servers) }
        here = readPlace(outcome.zone, decodeFirst(asked.exchange))
      } else if (outcome.kind === 'alias' || outcome.kind === 'answer') {
        own ??= { place: here, above }
        target = asked.name
        if (outcome.kind === 'alias') [above, here] = [undefined, root]
      }
      return Promise.resolve()
    },
  })
  if (!isFound || own === undefined) return undefined
  const servers = await findServers(ask, roots, own.place, signal)
  const parentServers = own.above === undefined ? [] : await findServers(ask, roots, own.above, signal)
  const isOwn = equalNames(target, name)
  const targetServers = isOwn
    ? type === TYPE_DS
      ? parentServers
      : servers
    : await findServers(ask, roots, here, signal)
  const { zone } = own.place
  return { zone, zoneName: formatName(zone).toLowerCase(), parentServers, servers, target, targetServers }
}

function putFirst(server: NameServer, servers: readonly NameServer[]): readonly NameServer[] {
  return [server, ...servers.filter(({ address }) => address !== server.address)]
}

/** The servers that a referral names: with glue, and without. */
function readPlace(zone: Name, message: DnsMessage | undefined): Place {
  const names = (message?.authorities ?? []).flatMap(({ name, rdata }) =>
    rdata.kind === 'ns' && equalNames(name, zone) ? [rdata.name] : [],
  )
  const glue = (message?.additionals ?? []).flatMap(({ name, rdata }) =>
    rdata.kind === 'a' && names.some((each) => equalNames(each, name)) ? [{ name, address: rdata.address }] : [],
  )
  const nameless = names.filter((each) => !glue.some((known) => equalNames(known.name, each)))
  return { zone, servers: glue, nameless }
}

/** Every server has an address; those without glue are looked for by walks of their own. */
async function findServers(
  ask: Ask,
  roots: readonly NameServer[],
  { servers, nameless }: Place,
  signal: AbortSignal,
): Promise<readonly NameServer[]> {
  const found = [...servers]
  for (const name of nameless.slice(0, Math.max(0, SERVERS_MAX - found.length))) {
    let last: DnsMessage | undefined
    const isFound = await walkDelegations<Asked>({
      name,
      type: TYPE_A,
      roots,
      signal,
      ask: async (server, asked, type) => ({ exchange: await ask(server.address, asked, type), name: asked }),
      onStep: ({ depth, asked, outcome }) => {
        if (depth === 0 && outcome.kind === 'answer') last = decodeFirst(asked.exchange)
        return Promise.resolve()
      },
    })
    if (!isFound) continue
    for (const { rdata } of last?.answers ?? []) if (rdata.kind === 'a') found.push({ name, address: rdata.address })
  }
  return found.slice(0, SERVERS_MAX)
}
