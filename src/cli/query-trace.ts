/**
 * `candor query --trace`: from the root to the servers of the name, each step a record.
 *
 * Format: docs/formats/query.md
 */
import { ConfigError } from '../core/config-error.ts'
import { parseIp } from '../core/ip-address.ts'
import type { Name } from '../dns/name.ts'
import { walkDelegations, type WalkStep } from '../vantages/delegation-walk.ts'
import { parseRootHints, ROOT_SERVERS, type NameServer } from '../vantages/root-hints.ts'
import type { CliContext } from './cli-context.ts'
import { readNamedFile } from './load-settings.ts'
import { askQuestions, openDirectWays, type AskedQuestion } from './query-ask.ts'
import type { QueryPlan } from './query-options.ts'
import { makeQueryRecord, type QueryRecord, type TraceView } from './query-record.ts'
import { findResolver } from './query-resolver.ts'
import { formatAbsoluteName } from './query-view.ts'

const DNS_PORT = 53

/** What a step of a trace has beside the exchange. */
interface Asked {
  readonly question: AskedQuestion
  readonly exchange: AskedQuestion['exchanges'][number]['exchange']
  readonly plan: QueryPlan
}

/**
 * Traces every type of a plan, one after the other.
 *
 * @param onRecord - Gets each step when it was made.
 * @returns The last record of each type: the answer, or a dead end.
 */
export async function traceQuestions(
  context: CliContext,
  plan: QueryPlan,
  onRecord: (record: QueryRecord) => Promise<void>,
): Promise<readonly QueryRecord[]> {
  const roots = await findRoots(context, plan)
  const port = plan.named.port ?? DNS_PORT
  const ends: QueryRecord[] = []
  for (const type of plan.types) {
    let step = 0
    let last: QueryRecord | undefined
    await walkDelegations<Asked>({
      name: plan.name,
      type,
      roots,
      signal: context.interrupted,
      ask: (server, name, asked) => askServer(context, plan, { server, port, name, type: asked }),
      onStep: async (walked) => {
        last = toRecord(walked, ++step, port)
        await onRecord(last)
      },
    })
    if (last !== undefined) ends.push(last)
  }
  return ends
}

/** The server behind `@`, the file of `--root-hints`, or the Internet's. */
async function findRoots(context: CliContext, plan: QueryPlan): Promise<readonly NameServer[]> {
  if (plan.resolver !== undefined) {
    const { target } = await findResolver(context, plan.named, plan.timeoutMs)
    return [{ name: [], address: target.endpoint.address }]
  }
  if (plan.rootHints === undefined) return ROOT_SERVERS.filter(({ address }) => parseIp(address)?.length === 4)
  const servers = parseRootHints(await readNamedFile(context.files, '--root-hints', plan.rootHints))
  if (servers.length > 0) return servers
  const fix = '--root-hints FILE, with lines as in IANA\u2019s named.root'
  throw new ConfigError(`--root-hints ${plan.rootHints}`, 'no address of a server stands in it', fix)
}

async function askServer(
  context: CliContext,
  plan: QueryPlan,
  asking: { readonly server: NameServer; readonly port: number; readonly name: Name; readonly type: number },
): Promise<Asked> {
  const { server, port, name, type } = asking
  const stepPlan: QueryPlan = { ...plan, name, types: [type], recursionDesired: false }
  const transport = plan.named.transport === 'tcp' ? 'tcp' : 'udp'
  const ways = openDirectWays(context, stepPlan, { transport, endpoint: { address: server.address, port } })
  const [question] = await askQuestions(context, stepPlan, ways)
  const exchange = question?.exchanges.at(-1)?.exchange
  if (question === undefined || exchange === undefined) throw new RangeError('a question has an exchange')
  return { question, exchange, plan: stepPlan }
}

function toRecord({ depth, zone, server, asked, outcome }: WalkStep<Asked>, step: number, port: number): QueryRecord {
  const trace: TraceView = {
    step,
    depth,
    zone: formatAbsoluteName(zone),
    server: server.name.length === 0 ? null : formatAbsoluteName(server.name),
    outcome: outcome.kind,
    next_zone: outcome.kind === 'referral' ? formatAbsoluteName(outcome.zone) : null,
    next_name: outcome.kind === 'alias' ? formatAbsoluteName(outcome.target) : null,
    reason: outcome.kind === 'dead_end' ? outcome.reason : null,
  }
  const resolver = { address: server.address, port, host: null, source: null }
  return makeQueryRecord(asked.plan, { resolver, via: null, tls: null, trace }, asked.question)
}
