/** Questions of `candor query` and of the API: directly, or through a Tor exit. */
import { openExitResolver, openResolverThroughExit } from '../vantages/tor-exit-resolver.ts'
import type { CliContext } from './cli-context.ts'
import { askQuestions, openDirectWays } from './query-ask.ts'
import type { QueryPlan } from './query-options.ts'
import { makeQueryRecord, viewExit, viewResolver, type QueryRecord } from './query-record.ts'
import { findResolver } from './query-resolver.ts'
import { withExit, type ViaOptions } from './query-via.ts'

/** Finds the address of a resolver that was named. @throws {RunError} When there is none, or it may not be asked. */
export type FindResolver = typeof findResolver

/**
 * Asks the questions of a plan.
 *
 * @param find - How the resolver is found; for questions of other people this is where it is guarded.
 * @returns One record for each type.
 * @throws {RunError} When the resolver or the exit cannot be asked at all.
 */
export function askOnce(
  context: CliContext,
  plan: QueryPlan,
  find: FindResolver = findResolver,
): Promise<readonly QueryRecord[]> {
  return plan.via === undefined ? askDirectly(context, plan, find) : askThroughExit(context, plan, plan.via, find)
}

async function askDirectly(context: CliContext, plan: QueryPlan, find: FindResolver): Promise<readonly QueryRecord[]> {
  const resolver = await find(context, plan.named, plan.timeoutMs)
  const ways = openDirectWays(context, plan, resolver.target)
  const asked = await askQuestions(context, plan, ways)
  const whom = viewResolver(resolver, ways.first.facts())
  return asked.map((question) => makeQueryRecord(plan, whom, question))
}

/** The exit's own resolver, or over TCP the one that was named. */
async function askThroughExit(
  context: CliContext,
  plan: QueryPlan,
  via: ViaOptions,
  find: FindResolver,
): Promise<readonly QueryRecord[]> {
  const isNamed = plan.resolver !== undefined
  const found = isNamed ? await find(context, plan.named, plan.timeoutMs) : undefined
  return await withExit(context, via, async (open) => {
    const { session, circuit } = open
    const endpoint = found?.target.endpoint
    const first =
      endpoint === undefined
        ? openExitResolver(context, session, circuit)
        : openResolverThroughExit(context.clock, session, circuit, endpoint, plan.timeoutMs)
    const ways = { transport: endpoint === undefined ? 'tor' : 'tcp', first, tcp: undefined } as const
    const asked = await askQuestions(context, plan, ways)
    const resolver = found === undefined ? null : viewResolver(found, undefined).resolver
    return asked.map((question) =>
      makeQueryRecord(plan, { resolver, via: viewExit(open), tls: null, trace: null }, question),
    )
  })
}
