/**
 * Asks the questions of a plan: one exchange each, and another one where the answer asks for it: with the
 * server's cookie after BADCOOKIE, over TCP after a truncated answer over UDP.
 *
 * Invariant: every exchange is kept, in the order in which they were made.
 */
import { randomInt } from '../core/random.ts'
import { decodeMessage } from '../dns/decode-message.ts'
import { encodeQuery } from '../dns/encode-message.ts'
import type { EdnsOption } from '../dns/edns.ts'
import { fullRcode, type DnsMessage } from '../dns/message.ts'
import { mixCase } from '../dns/mix-case.ts'
import { formatName, parseName } from '../dns/name.ts'
import { encodePaddedQuery } from '../dns/pad-query.ts'
import { RCODE_BADCOOKIE } from '../dns/rcode.ts'
import type { Exchange } from '../model/observation.ts'
import { openResolver, type ResolverTarget, type ResolverVantage } from '../vantages/resolver.ts'
import type { CliContext } from './cli-context.ts'
import type { QueryPlan } from './query-options.ts'
import type { QueryTransport } from './query-resolver.ts'

/** One exchange of a question. */
export interface QueryExchange {
  readonly transport: QueryTransport
  /** Unix milliseconds. */
  readonly startedAtMs: number
  /** The query as it was sent. */
  readonly query: Uint8Array
  readonly exchange: Exchange
}

/** A question with everything that came of it. */
export interface AskedQuestion {
  readonly type: number
  /** At least one. */
  readonly exchanges: readonly QueryExchange[]
}

/** The ways that questions of a plan take. */
export interface QueryWays {
  readonly transport: QueryTransport
  readonly first: ResolverVantage
  /** For answers over UDP that were truncated. */
  readonly tcp: ResolverVantage | undefined
}

/** Asks all questions at once. @returns In the order of the plan's types. */
export async function askQuestions(
  context: CliContext,
  plan: QueryPlan,
  { transport, first, tcp }: QueryWays,
): Promise<readonly AskedQuestion[]> {
  const random = context.createRandom(context.newSeed())
  const own = plan.cookie ? makeCookie(context) : undefined
  const ask = async (
    over: QueryTransport,
    vantage: ResolverVantage,
    type: number,
    cookie: Cookie | undefined,
  ): Promise<QueryExchange> => {
    // RFC 8484 section 4.1: over HTTPS the id is 0, so that caches on the way may help.
    const id = over === 'https' ? 0 : randomInt(random, 0x1_0000)
    const name = plan.isCaseMixed ? mixCase(plan.name, random) : plan.name
    const query = encodePlannedQuery({ ...plan, name }, over, { id, type, cookie })
    const startedAtMs = context.clock.wallNowMs()
    const { timeoutMs, lateWindowMs } = plan
    const exchange = await vantage.exchange({ query, timeoutMs, lateWindowMs, signal: context.interrupted })
    return { transport: over, startedAtMs, query, exchange }
  }
  const askAll = async (type: number): Promise<AskedQuestion> => {
    const exchanges = [await ask(transport, first, type, own)]
    const theirs = own && findNewCookie(exchanges[0])
    if (theirs !== undefined) exchanges.push(await ask(transport, first, type, theirs))
    const isCut = firstMessage(exchanges.at(-1))?.header.truncated === true
    if (isCut && tcp !== undefined) exchanges.push(await ask('tcp', tcp, type, theirs ?? own))
    return { type, exchanges }
  }
  try {
    return await Promise.all(plan.types.map(askAll))
  } finally {
    first.close()
    tcp?.close()
  }
}

/** The ways to a resolver that is asked directly. */
export function openDirectWays(context: CliContext, { timeoutMs }: QueryPlan, target: ResolverTarget): QueryWays {
  const { transport, endpoint } = target
  return {
    transport,
    first: openResolver(context, target, timeoutMs),
    tcp: transport === 'udp' ? openResolver(context, { transport: 'tcp', endpoint }, timeoutMs) : undefined,
  }
}

type Cookie = Extract<EdnsOption, { kind: 'cookie' }>

/**
 * Over an encrypted transport the length must not tell what is asked; the resolver of an exit gets the plain question, in
 * lower case, because that is what its answer repeats.
 */
function encodePlannedQuery(
  plan: QueryPlan,
  transport: QueryTransport,
  { id, type, cookie }: { readonly id: number; readonly type: number; readonly cookie: Cookie | undefined },
): Uint8Array {
  const { name, class: rrClass, recursionDesired } = plan
  if (transport === 'tor') {
    const lower = parseName(formatName(name).toLowerCase()) ?? name
    return encodeQuery({ id, name: lower, type, class: rrClass, recursionDesired })
  }
  const encode = transport === 'udp' || transport === 'tcp' ? encodeQuery : encodePaddedQuery
  return encode({
    id,
    name,
    type,
    class: rrClass,
    recursionDesired,
    authenticData: true,
    checkingDisabled: plan.checkingDisabled,
    edns: { ...plan.edns, options: [...plan.edns.options, ...(cookie === undefined ? [] : [cookie])] },
  })
}

function firstMessage(asked: QueryExchange | undefined): DnsMessage | undefined {
  if (asked?.exchange.kind !== 'responses') return undefined
  const decoded = decodeMessage(asked.exchange.responses[0].octets)
  return decoded.kind === 'message' ? decoded.message : undefined
}

/** RFC 7873 section 5.3: after BADCOOKIE the question is put again, with the cookie that the server gave. */
function findNewCookie(asked: QueryExchange | undefined): Cookie | undefined {
  const message = firstMessage(asked)
  if (message === undefined || fullRcode(message) !== RCODE_BADCOOKIE) return undefined
  return message.edns?.options.find((option) => option.kind === 'cookie' && option.server.length > 0) as
    | Cookie
    | undefined
}

/** A new seed is as hard to guess as a cookie has to be. */
function makeCookie(context: CliContext): Cookie {
  const client = Uint8Array.from(context.newSeed().match(/../g) ?? [], (pair) => Number.parseInt(pair, 16))
  return { kind: 'cookie', client, server: new Uint8Array(0) }
}
