/**
 * Asks the servers that are responsible: the parent for its NS and DS, every authoritative server for its SOA and for a name.
 *
 * What was found is kept for a while, by zone: many names lie in one, and the servers above it have others to serve.
 *
 * Invariant: judges nothing. What is kept is bounded. Never rejects on a network outcome.
 */
import type { Clock } from '../../core/clock.ts'
import { fullRcode, type DnsMessage } from '../../dns/message.ts'
import { equalNames, formatName, parseName, type Name } from '../../dns/name.ts'
import { RCODE_NOERROR, RCODE_NXDOMAIN } from '../../dns/rcode.ts'
import { formatRdata } from '../../dns/rdata.ts'
import { parseRrType, TYPE_DS, TYPE_NS, TYPE_SOA } from '../../dns/rr-type.ts'
import type { MonitoredName } from '../../model/monitor-name.ts'
import type { ResolverAnswer, ZoneFacts } from '../../model/monitor-round.ts'
import type { NameServer } from '../../vantages/root-hints.ts'
import { askServer, decodeFirst, type AskServerCapabilities } from './ask-server.ts'
import { locateName, type LocatedName } from './locate-name.ts'
import { readMonitorAnswer } from './read-monitor-answer.ts'

/** Two that agree are enough; a third settles what one of them does not know yet. */
const PARENT_SERVERS_MAX = 3
const KEPT_MAX = 20_000

/** Looks at zones. Times are of the watch's clock. */
export interface ZoneWatch {
  /** Where a name is; `undefined` when no server answers. */
  locate(monitored: MonitoredName, maxAgeMs: number): Promise<LocatedName | undefined>
  /** What the parent and the servers say about a zone. */
  facts(located: LocatedName, maxAgeMs: number): Promise<ZoneFacts>
  /** The serials of all servers as one text, sorted; `undefined` unless every server gave one. */
  serials(located: LocatedName, maxAgeMs: number): Promise<string | undefined>
  /** What each server that is responsible says about a name; servers that gave no answer with authority are absent. */
  ask(located: LocatedName, monitored: MonitoredName): Promise<readonly ResolverAnswer[]>
}

/** What a zone watch needs: the clock that counts time-outs, and the one that the watch lives by. */
export interface ZoneWatchOptions {
  readonly asking: AskServerCapabilities
  readonly clock: Clock
  readonly roots: readonly NameServer[]
  readonly sinkholes: readonly string[]
  readonly signal: AbortSignal
}

/** Prepares to look; nothing is sent before the first question. */
export function createZoneWatch({ asking, clock, roots, sinkholes, signal }: ZoneWatchOptions): ZoneWatch {
  const ask = (address: string, name: Name, type: number): ReturnType<typeof askServer> =>
    askServer(asking, address, name, type)
  const askAll = async (servers: readonly NameServer[], name: Name, type: number): Promise<readonly Said[]> =>
    Promise.all(
      servers.map(async (server) => ({ server, message: decodeFirst(await ask(server.address, name, type)) })),
    )
  const located = createKept<LocatedName | undefined>(clock)
  const facts = createKept<ZoneFacts>(clock)
  const serials = createKept<ZoneFacts['serials']>(clock)
  const askSerials = (where: LocatedName, maxAgeMs: number): Promise<ZoneFacts['serials']> =>
    serials.get(zoneKey(where), maxAgeMs, async () => readSerials(await askAll(where.servers, where.zone, TYPE_SOA)))
  return {
    locate: (monitored, maxAgeMs) => {
      const { domain, type } = monitored
      const [name, number] = [parseName(domain), parseRrType(type)]
      if (name === undefined || number === undefined) return Promise.resolve(undefined)
      // Of a DS the zone above is in charge, and a CNAME itself is not followed; all other types share a place.
      const kind = type === 'DS' || type === 'CNAME' ? type : 'any'
      return located.get(`${domain}/${kind}`, maxAgeMs, () => locateName(ask, roots, name, number, signal))
    },
    facts: (where, maxAgeMs) =>
      facts.get(zoneKey(where), maxAgeMs, async () => {
        const parents = where.parentServers.slice(0, PARENT_SERVERS_MAX)
        const [ns, ds, known] = await Promise.all([
          askAll(parents, where.zone, TYPE_NS),
          askAll(parents, where.zone, TYPE_DS),
          askSerials(where, maxAgeMs),
        ])
        return {
          zone: where.zoneName,
          parentNs: agree(ns.map(({ message }) => readNs(message, where.zone))),
          parentDs: agree(ds.map(({ message }) => readDs(message, where.zone))),
          serials: known,
        }
      }),
    serials: async (where, maxAgeMs) => {
      const known = await askSerials(where, maxAgeMs)
      if (known.length === 0 || known.length < where.servers.length) return undefined
      return known
        .map(({ server, serial }) => `${server} ${serial}`)
        .toSorted()
        .join(', ')
    },
    ask: async (where, monitored) => {
      const type = parseRrType(monitored.type) ?? 0
      const answers = await Promise.all(
        where.targetServers.map(async ({ address }): Promise<ResolverAnswer | undefined> => {
          const exchange = await ask(address, where.target, type)
          if (decodeFirst(exchange)?.header.authoritative !== true) return undefined
          const { isCut: _isCut, ...read } = readMonitorAnswer(
            exchange,
            monitored.type,
            false,
            asking.addressPlan,
            sinkholes,
          )
          return { resolver: address, operator: address, ...read }
        }),
      )
      return answers.flatMap((answer) =>
        answer === undefined || answer.outcome === 'failure' || answer.outcome === 'servfail' ? [] : [answer],
      )
    },
  }
}

interface Said {
  readonly server: NameServer
  readonly message: DnsMessage | undefined
}

/** A zone is another one when its servers are. */
function zoneKey({ zoneName, servers }: LocatedName): string {
  return `${zoneName} ${servers.map(({ address }) => address).join(' ')}`
}

/** Keeps what was found out, and asks once for those who want the same at the same time. */
function createKept<T>(clock: Clock): {
  get(key: string, maxAgeMs: number, find: () => Promise<T>): Promise<T>
} {
  const kept = new Map<string, { readonly atMs: number; readonly value: Promise<T> }>()
  return {
    get: (key, maxAgeMs, find) => {
      const known = kept.get(key)
      if (known !== undefined && clock.nowMs() - known.atMs <= maxAgeMs) return known.value
      kept.delete(key)
      const oldest = kept.keys().next()
      if (kept.size >= KEPT_MAX && oldest.done !== true) kept.delete(oldest.value)
      const value = find()
      kept.set(key, { atMs: clock.nowMs(), value })
      return value
    },
  }
}

/** The names of a zone's servers, from a referral or from an answer. `undefined` for no answer. */
function readNs(message: DnsMessage | undefined, zone: Name): string | undefined {
  const records = [...(message?.answers ?? []), ...(message?.authorities ?? [])]
  const names = records.flatMap(({ name, rdata }) =>
    rdata.kind === 'ns' && equalNames(name, zone) ? [formatName(rdata.name).toLowerCase()] : [],
  )
  return names.length === 0 ? undefined : [...new Set(names)].toSorted().join('\n')
}

/** The DS records of a zone; '' when the parent says that there are none. `undefined` for no answer. */
function readDs(message: DnsMessage | undefined, zone: Name): string | undefined {
  if (message === undefined || !message.header.authoritative) return undefined
  const rcode = fullRcode(message)
  if (rcode !== RCODE_NOERROR && rcode !== RCODE_NXDOMAIN) return undefined
  const records = message.answers.flatMap(({ name, type, rdata }) =>
    type === TYPE_DS && equalNames(name, zone) ? [formatRdata(rdata).toLowerCase()] : [],
  )
  return [...new Set(records)].toSorted().join('\n')
}

/** What all that answered say; `null` when nobody did, or they do not say the same: a change is on its way then. */
function agree(said: readonly (string | undefined)[]): readonly string[] | null {
  const [first, ...others] = [...new Set(said.filter((each) => each !== undefined))]
  if (first === undefined || others.length > 0) return null
  return first === '' ? [] : first.split('\n')
}

function readSerials(said: readonly Said[]): ZoneFacts['serials'] {
  return said.flatMap(({ server, message }) => {
    if (message?.header.authoritative !== true) return []
    const serial = message.answers.flatMap(({ rdata }) => (rdata.kind === 'soa' ? [rdata.serial] : []))[0]
    return serial === undefined ? [] : [{ server: server.address, serial }]
  })
}
