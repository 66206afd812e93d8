/** `candor query`: one question, every transport, everything that came back. */
import type { Command } from 'commander'
import type { CliContext } from './cli-context.ts'
import { STATUS_DONE, STATUS_FAILED, STATUS_FINDINGS, STATUS_INTERRUPTED, type CliStatus } from './exit-status.ts'
import { formatQueryText } from './format-query-text.ts'
import { addQueryOptions, readQueryPlan, type QueryFormat, type QueryPlan } from './query-options.ts'
import { askOnce } from './query-once.ts'
import type { QueryRecord } from './query-record.ts'
import { traceQuestions } from './query-trace.ts'

/** The resolver that is asked where none is named; the laboratory sets it. */
const RESOLVER_VARIABLE = 'CANDOR_QUERY_RESOLVER'

/** Adds `candor query`. */
export function registerQuery(program: Command, context: CliContext): void {
  const command = program
    .command('query')
    .description('ask one name, over any transport, and show everything that comes back')
    .argument(
      '[words...]',
      'NAME [TYPE…] [@RESOLVER], the resolver as IP[#port], a host name, tls://HOST[:PORT] or https://HOST/PATH',
    )
  addQueryOptions(command)
  command.action(async (words: readonly string[]) => {
    const plan = readQueryPlan(words, command.opts(), context.environment[RESOLVER_VARIABLE])
    const format = plan.format ?? (context.stdout.isTerminal ? 'text' : 'jsonl')
    const show = (record: QueryRecord): Promise<void> => context.stdout.write(formatRecord(record, format))
    const records = await (plan.isTraced ? traceQuestions(context, plan, show) : askOnce(context, plan))
    if (!plan.isTraced) for (const record of records) await show(record)
    context.finish(statusOf(records, plan, context))
  })
}

function formatRecord(record: QueryRecord, format: QueryFormat): string {
  if (format === 'text') return formatQueryText(record)
  if (format === 'jsonl') return `${JSON.stringify(record)}\n`
  if (record.trace !== null && record.trace.outcome !== 'answer') return ''
  const answers = record.exchanges.at(-1)?.responses[0]?.message?.answers ?? []
  return answers.map(({ data }) => `${data}\n`).join('')
}

/** 0 on any RCODE; 1 when a question has no answer that is a message; 4 when another RCODE came than was expected. */
function statusOf(records: readonly QueryRecord[], plan: QueryPlan, context: CliContext): CliStatus {
  const isFailed = ({ status, trace }: QueryRecord): boolean =>
    status === null || (trace !== null && (trace.outcome !== 'answer' || trace.depth > 0))
  if (records.length === 0 || records.some(isFailed)) {
    return context.interrupted.aborted ? STATUS_INTERRUPTED : STATUS_FAILED
  }
  const { expectedRcode } = plan
  const isExpected = expectedRcode === undefined || records.every(({ status }) => status === expectedRcode)
  return isExpected ? STATUS_DONE : STATUS_FINDINGS
}
