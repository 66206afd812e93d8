/**
 * The record that `candor query` writes for each question.
 *
 * Format: docs/formats/query.md
 */
import { formatIsoTime } from '../core/clock.ts'
import { formatRrClass, formatRrType } from '../dns/rr-type.ts'
import type { TlsFacts } from '../net/net.ts'
import type { AskedQuestion, QueryExchange } from './query-ask.ts'
import type { QueryPlan } from './query-options.ts'
import type { FoundResolver, QueryTransport } from './query-resolver.ts'
import { formatAbsoluteName, roundMs, viewJsonResponse, viewResponse, type ResponseView } from './query-view.ts'

/** Why an exchange gave nothing. */
export interface FailureView {
  readonly operation: string
  readonly failure: string
  readonly side: string
  readonly elapsed_ms: number
}

/** One exchange. */
export interface ExchangeView {
  readonly transport: QueryTransport
  /** ISO 8601 UTC. */
  readonly started_at: string
  readonly sent_octets: number
  /** `null` when something came. */
  readonly failure: FailureView | null
  /** Earliest first; empty with a failure. */
  readonly responses: readonly ResponseView[]
  readonly oddities: {
    readonly wrong_id: number
    readonly wrong_source: number
    readonly wrong_question: number
    readonly malformed: number
  }
}

/** What TLS agreed on. */
export interface TlsView {
  readonly protocol: string
  readonly cipher: string
  readonly alpn: string | null
  /** Whom the certificate was checked for. */
  readonly server_name: string
  /** Why the certificate does not verify; `null` when it does. */
  readonly distrust: string | null
}

/** One question. */
export interface QueryRecord {
  readonly query_name: string
  readonly query_type: string
  readonly query_class: string
  readonly resolver: {
    readonly address: string
    readonly port: number
    readonly host: string | null
    readonly source: string | null
  }
  /** What TLS agreed on; `null` without TLS. */
  readonly tls: TlsView | null
  /** RCODE of the first response of the last exchange; `null` when there is none that is a message. */
  readonly status: string | null
  readonly exchanges: readonly ExchangeView[]
}

/** Makes the record of a question. */
export function makeQueryRecord(
  plan: QueryPlan,
  { target, host, source }: FoundResolver,
  asked: AskedQuestion,
  facts: TlsFacts | undefined,
): QueryRecord {
  const exchanges = asked.exchanges.map(viewExchange)
  return {
    query_name: formatAbsoluteName(plan.name),
    query_type: formatRrType(asked.type),
    query_class: formatRrClass(plan.class),
    resolver: { ...target.endpoint, host, source },
    tls: facts === undefined || !('serverName' in target) ? null : viewTls(facts, target.serverName),
    status: exchanges.at(-1)?.responses[0]?.message?.rcode ?? null,
    exchanges,
  }
}

function viewTls({ protocol, cipher, alpn, distrust }: TlsFacts, serverName: string): TlsView {
  return { protocol, cipher, alpn, server_name: serverName, distrust }
}

function viewExchange({ transport, startedAtMs, query, exchange }: QueryExchange): ExchangeView {
  const view = transport === 'https_json' ? viewJsonResponse : viewResponse
  const { wrongId, wrongSource, wrongQuestion, malformed } = exchange.oddities
  return {
    transport,
    started_at: formatIsoTime(startedAtMs),
    sent_octets: query.length,
    failure:
      exchange.kind === 'responses'
        ? null
        : {
            operation: exchange.operation,
            failure: exchange.failure,
            side: exchange.side,
            elapsed_ms: roundMs(exchange.elapsedMs),
          },
    responses: exchange.kind === 'responses' ? exchange.responses.map(view) : [],
    oddities: { wrong_id: wrongId, wrong_source: wrongSource, wrong_question: wrongQuestion, malformed },
  }
}
