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
import { encodePaddedQuery } from '../dns/pad-query.ts'
import { RCODE_BADCOOKIE } from '../dns/rcode.ts'
import type { Exchange } from '../model/observation.ts'
import type { TlsFacts } from '../net/net.ts'
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

/** Everything that came of a plan. */
export interface AskedPlan {
  /** In the order of the plan's types. */
  readonly questions: readonly AskedQuestion[]
  /** What TLS agreed on; `undefined` without TLS. */
  readonly facts: TlsFacts | undefined
}

/** Asks all questions at once. */
export async function askQuestions(context: CliContext, plan: QueryPlan, target: ResolverTarget): Promise<AskedPlan> {
  const { endpoint, transport } = target
  const open = (to: ResolverTarget): ResolverVantage => openResolver(context, to, plan.timeoutMs)
  const vantages = { first: open(target), tcp: open({ transport: 'tcp', endpoint }) }
  const random = context.createRandom(context.newSeed())
  const own = plan.cookie ? makeCookie(context) : undefined
  const ask = async (over: 'first' | 'tcp', type: number, cookie: Cookie | undefined): Promise<QueryExchange> => {
    const query = encodePlannedQuery(plan, transport, { id: randomInt(random, 0x1_0000), type, cookie })
    const startedAtMs = context.clock.wallNowMs()
    const { timeoutMs, lateWindowMs } = plan
    const request = { query, timeoutMs, lateWindowMs, signal: context.interrupted }
    const exchange = await vantages[over].exchange(request)
    return { transport: over === 'tcp' ? 'tcp' : transport, startedAtMs, query, exchange }
  }
  const askAll = async (type: number): Promise<AskedQuestion> => {
    const exchanges = [await ask('first', type, own)]
    const theirs = own && findNewCookie(exchanges[0])
    if (theirs !== undefined) exchanges.push(await ask('first', type, theirs))
    const last = exchanges.at(-1)
    const isCut = last?.transport === 'udp' && firstMessage(last)?.header.truncated === true
    if (isCut) exchanges.push(await ask('tcp', type, theirs ?? own))
    return { type, exchanges }
  }
  try {
    const questions = await Promise.all(plan.types.map(askAll))
    return { questions, facts: vantages.first.facts() }
  } finally {
    vantages.first.close()
    vantages.tcp.close()
  }
}

type Cookie = Extract<EdnsOption, { kind: 'cookie' }>

/** Over an encrypted transport the length must not tell what is asked. */
function encodePlannedQuery(
  plan: QueryPlan,
  transport: QueryTransport,
  { id, type, cookie }: { readonly id: number; readonly type: number; readonly cookie: Cookie | undefined },
): Uint8Array {
  const encode = transport === 'udp' || transport === 'tcp' ? encodeQuery : encodePaddedQuery
  return encode({
    id,
    name: plan.name,
    type,
    class: plan.class,
    recursionDesired: plan.recursionDesired,
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
