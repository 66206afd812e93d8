/**
 * Walks from the root to the servers of a name, as a resolver does, and shows every step: who was asked, what came back,
 * and where it led.
 *
 * Glue is believed only for servers whose names lie in the zone that was asked; for others a walk of its own looks for the
 * address.
 *
 * Of an answer with aliases only what lies in the zone that was asked is believed; the last alias is followed from the root.
 *
 * Invariant: ends after at most 100 questions and 12 aliases. A referral leads further down or nowhere.
 *
 * Sources: RFC 1034 sections 3.6.2 and 5.3.3; RFC 2181 section 5.4.1 (which data to believe).
 */
import { decodeMessage } from '../dns/decode-message.ts'
import { fullRcode, type DnsMessage } from '../dns/message.ts'
import { equalNames, nameIsUnder, type Name } from '../dns/name.ts'
import { formatRcode, RCODE_NOERROR, RCODE_NXDOMAIN } from '../dns/rcode.ts'
import { TYPE_A, TYPE_CNAME } from '../dns/rr-type.ts'
import type { Exchange } from '../model/observation.ts'
import type { NameServer } from './root-hints.ts'

const QUESTIONS_MAX = 100
/** Walks within walks, for addresses of servers. */
const DEPTH_MAX = 4
const TYPE_ANY = 255
/** Resolvers follow about so many. */
const ALIASES_MAX = 12
/** Servers of one zone that are tried before the walk gives up. */
const SERVERS_MAX = 6

/** What a question led to. */
export type WalkOutcome =
  /** The server answers for the name: with records, or that there is nothing. */
  | { readonly kind: 'answer' }
  /** The name is another name for this one, which lies elsewhere; a walk from the root looks for it. */
  | { readonly kind: 'alias'; readonly target: Name }
  /** The servers of a zone further down. */
  | { readonly kind: 'referral'; readonly zone: Name }
  /** No answer, or one that leads nowhere; the next server is asked. */
  | { readonly kind: 'dead_end'; readonly reason: string }

/** One question of a walk. */
export interface WalkStep<T> {
  /** 0 for the name itself; deeper for the address of a server. */
  readonly depth: number
  /** The zone whose server was asked. */
  readonly zone: Name
  readonly server: NameServer
  /** What `ask` gave. */
  readonly asked: T
  readonly outcome: WalkOutcome
}

/** What a walk needs. */
export interface WalkOptions<T extends AskedServer> {
  readonly name: Name
  readonly type: number
  readonly roots: readonly NameServer[]
  /** Puts one question, without recursion, to one server. */
  readonly ask: (server: NameServer, name: Name, type: number) => Promise<T>
  /** Gets each step when it was made. */
  readonly onStep: (step: WalkStep<T>) => Promise<void>
  /** Ends the walk before the next question. */
  readonly signal: AbortSignal
}

/** What came of a question. */
export interface AskedServer {
  /** The exchange that counts. */
  readonly exchange: Exchange
}

/** Where a walk goes on. */
interface Place {
  readonly zone: Name
  readonly servers: readonly NameServer[]
  /** Servers of the zone without an address that could be believed. */
  readonly nameless: readonly Name[]
}

/** Walks. @returns Whether a server answered for the name. */
export async function walkDelegations<T extends AskedServer>(options: WalkOptions<T>): Promise<boolean> {
  const walker = { ...options, questionsLeft: QUESTIONS_MAX }
  return (await walk(walker, options.name, options.type, 0)) !== undefined
}

interface Walker<T extends AskedServer> extends WalkOptions<T> {
  questionsLeft: number
}

/** @returns The answer, aliases followed; `undefined` when the walk ended without one. */
async function walk<T extends AskedServer>(
  walker: Walker<T>,
  name: Name,
  type: number,
  depth: number,
): Promise<DnsMessage | undefined> {
  let wanted = name
  for (let aliases = 0; aliases <= ALIASES_MAX; aliases++) {
    const found: Found | undefined = await walkDown(walker, wanted, type, depth)
    if (found?.alias === undefined) return found?.message
    wanted = found.alias
  }
  return undefined
}

/** The end of one way down. */
interface Found {
  readonly message: DnsMessage
  /** Where the name leads; `undefined` when the message is the answer. */
  readonly alias: Name | undefined
}

async function walkDown<T extends AskedServer>(
  walker: Walker<T>,
  name: Name,
  type: number,
  depth: number,
): Promise<Found | undefined> {
  let place: Place | undefined = { zone: [], servers: walker.roots, nameless: [] }
  while (place !== undefined) {
    const here: Place = place
    place = undefined
    for await (const server of eachServer(walker, here, depth)) {
      if (walker.questionsLeft-- <= 0 || walker.signal.aborted) return undefined
      const asked = await walker.ask(server, name, type)
      const message = decodeFirst(asked.exchange)
      const next = message && readReferral(message, here.zone, name)
      const alias = message && findAlias(message, here.zone, name, type)
      const outcome = judgeStep(asked.exchange, message, next, alias)
      await walker.onStep({ depth, zone: here.zone, server, asked, outcome })
      if (message !== undefined && (outcome.kind === 'answer' || outcome.kind === 'alias')) return { message, alias }
      if (next === undefined) continue
      place = next
      break
    }
  }
  return undefined
}

/** Servers whose address is known come first; then those for which a walk of its own finds one. */
async function* eachServer<T extends AskedServer>(
  walker: Walker<T>,
  { servers, nameless }: Place,
  depth: number,
): AsyncGenerator<NameServer, void> {
  yield* servers.slice(0, SERVERS_MAX)
  for (const name of depth < DEPTH_MAX ? nameless.slice(0, SERVERS_MAX) : []) {
    const answer = await walk(walker, name, TYPE_A, depth + 1)
    for (const { rdata } of answer?.answers ?? []) if (rdata.kind === 'a') yield { name, address: rdata.address }
  }
}

function decodeFirst(exchange: Exchange): DnsMessage | undefined {
  if (exchange.kind === 'failure') return undefined
  const decoded = decodeMessage(exchange.responses[0].octets)
  return decoded.kind === 'message' ? decoded.message : undefined
}

/** @returns `undefined` unless the message leads to a zone between the one that was asked and the name. */
function readReferral(message: DnsMessage, zone: Name, name: Name): Place | undefined {
  if (message.header.authoritative || message.answers.length > 0 || fullRcode(message) !== RCODE_NOERROR)
    return undefined
  const child = message.authorities.find(({ rdata }) => rdata.kind === 'ns')?.name
  if (child === undefined || child.length <= zone.length || !nameIsUnder(child, zone) || !nameIsUnder(name, child))
    return undefined
  const names = message.authorities.flatMap((record) =>
    record.rdata.kind === 'ns' && equalNames(record.name, child) ? [record.rdata.name] : [],
  )
  const glue = message.additionals.flatMap(({ name: owner, rdata }) => {
    const isBelieved = nameIsUnder(owner, zone) && names.some((server) => equalNames(server, owner))
    return isBelieved && (rdata.kind === 'a' || rdata.kind === 'aaaa') ? [{ name: owner, address: rdata.address }] : []
  })
  return {
    zone: child,
    // IPv4 first: not every machine has the other.
    servers: glue.toSorted((a, b) => Number(a.address.includes(':')) - Number(b.address.includes(':'))),
    nameless: names.filter((server) => !glue.some((known) => equalNames(known.name, server))),
  }
}

/**
 * Follows the aliases of a message as far as its zone goes.
 *
 * @returns The name that records are wanted of; `undefined` when they are here, or there is no alias.
 */
function findAlias({ answers }: DnsMessage, zone: Name, name: Name, type: number): Name | undefined {
  let wanted = name
  for (let aliases = 0; aliases < ALIASES_MAX && nameIsUnder(wanted, zone); aliases++) {
    const own = answers.filter((record) => equalNames(record.name, wanted))
    const [target] = own.flatMap(({ rdata }) => (rdata.kind === 'cname' ? [rdata.name] : []))
    if (target === undefined || type === TYPE_CNAME || type === TYPE_ANY) {
      return wanted === name || own.length > 0 ? undefined : wanted
    }
    wanted = target
  }
  return wanted === name ? undefined : wanted
}

function judgeStep(
  exchange: Exchange,
  message: DnsMessage | undefined,
  next: Place | undefined,
  alias: Name | undefined,
): WalkOutcome {
  if (exchange.kind === 'failure') return { kind: 'dead_end', reason: exchange.failure }
  if (message === undefined) return { kind: 'dead_end', reason: 'the answer is malformed' }
  if (next !== undefined) return { kind: 'referral', zone: next.zone }
  const rcode = fullRcode(message)
  if (rcode !== RCODE_NOERROR && rcode !== RCODE_NXDOMAIN) return { kind: 'dead_end', reason: formatRcode(rcode) }
  if (message.header.authoritative) return alias === undefined ? { kind: 'answer' } : { kind: 'alias', target: alias }
  const reason = message.answers.length > 0 ? 'it answers without authority' : 'the referral leads nowhere'
  return { kind: 'dead_end', reason }
}
