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
import type { OpenExit } from './query-via.ts'
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

/** A resolver with its address. */
export interface ResolverView {
  readonly address: string
  readonly port: number
  readonly host: string | null
  readonly source: string | null
}

/** A Tor exit. */
export interface ViaView {
  readonly fingerprint: string
  readonly nickname: string
  readonly address: string
  /** Fingerprints, first hop first. */
  readonly path: readonly string[]
  /** One round trip through the circuit. */
  readonly round_trip_ms: number
}

/** Where a step of `--trace` stands. */
export interface TraceView {
  /** From 1. */
  readonly step: number
  /** 0 for the name itself; deeper for the address of a server. */
  readonly depth: number
  /** The zone whose server was asked. */
  readonly zone: string
  /** Name of the server; `null` when it was given by its address. */
  readonly server: string | null
  readonly outcome: 'answer' | 'alias' | 'referral' | 'dead_end'
  /** Where a referral leads; else `null`. */
  readonly next_zone: string | null
  /** Where an alias leads; else `null`. */
  readonly next_name: string | null
  /** Why nothing follows; `null` unless it is a dead end. */
  readonly reason: string | null
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
  /** `null` when the resolver of a Tor exit was asked, wherever that may be. */
  readonly resolver: ResolverView | null
  /** The Tor exit that was asked through; `null` without one. */
  readonly via: ViaView | null
  /** What TLS agreed on; `null` without TLS. */
  readonly tls: TlsView | null
  /** Where the step stands in a trace; `null` without `--trace`. */
  readonly trace: TraceView | null
  /** RCODE of the first response of the last exchange; `null` when there is none that is a message. */
  readonly status: string | null
  readonly exchanges: readonly ExchangeView[]
}

/** Whom the questions went to. */
export type AskedWhom = Pick<QueryRecord, 'resolver' | 'via' | 'tls' | 'trace'>

/** Makes the record of a question. */
export function makeQueryRecord(plan: QueryPlan, whom: AskedWhom, asked: AskedQuestion): QueryRecord {
  const exchanges = asked.exchanges.map(viewExchange)
  return {
    query_name: formatAbsoluteName(plan.name),
    query_type: formatRrType(asked.type),
    query_class: formatRrClass(plan.class),
    ...whom,
    status: exchanges.at(-1)?.responses[0]?.message?.rcode ?? null,
    exchanges,
  }
}

/** Shows a resolver that was asked, and what TLS agreed on with it. */
export function viewResolver({ target, host, source }: FoundResolver, facts: TlsFacts | undefined): AskedWhom {
  const tls = facts === undefined || !('serverName' in target) ? null : viewTls(facts, target.serverName)
  return { resolver: { ...target.endpoint, host, source }, via: null, tls, trace: null }
}

/** Shows an exit that was asked through. */
export function viewExit({ exit, circuit }: OpenExit): ViaView {
  const { fingerprint, nickname, address } = exit
  return { fingerprint, nickname, address, path: circuit.path, round_trip_ms: roundMs(circuit.roundTripMs) }
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
