/**
 * Everything that was measured of one pair of a resolver and a name, with the octets of every datagram: a line of the
 * journal `query.jsonl`.
 *
 * **Invariant**: what is written reads back equal. A line that is none is `undefined`; nothing throws.
 *
 * Format: docs/formats/satellite.md
 */
import { formatHex } from '../../dns/octets-text.ts'
import type { EngineResult } from '../../measure/engine/engine-task.ts'
import type { TimedResponse } from '../../model/observation.ts'
import type { JsonFields } from '../../model/satellite-row.ts'
import { parseHexOctets } from './hex-octets.ts'
import { readAnswer, type ReadAnswer } from './read-answer.ts'
import { isFields } from './row-fields.ts'

/** One exchange. */
export interface PairAttempt {
  /** Whether it was over TCP, after a truncated answer. */
  readonly isOverTcp: boolean
  /** Why nothing came; `null` when something did. */
  readonly failure: string | null
  /** Earliest first. */
  readonly responses: readonly TimedResponse[]
  /** Datagrams that came from somewhere else, or with another id or question. */
  readonly strays: number
}

/** One query. */
export interface PairTrial {
  readonly purpose: 'control' | 'test'
  readonly name: string
  /** Unix milliseconds, with fraction. */
  readonly startedAtMs: number
  /** Unix milliseconds, with fraction. */
  readonly endedAtMs: number
  readonly attempts: readonly PairAttempt[]
}

/** Whom a pair asks: a control resolver, another one, or an address that is none, whose answers somebody on the path gives. */
export type PairKind = 'control' | 'resolver' | 'non_resolver'

/** One pair. */
export interface PairRecord {
  /** Its number in the plan. */
  readonly number: number
  readonly resolver: string
  readonly domain: string
  readonly kind: PairKind
  readonly trials: readonly PairTrial[]
}

/** What a trial amounts to. */
export interface TrialAnswer extends ReadAnswer {
  /** `null` for none. */
  readonly error: string | null
}

/** The first response that is a message counts, over TCP before UDP; without one the code is −1. */
export function answerOfTrial({ attempts }: Pick<PairTrial, 'attempts'>): TrialAnswer {
  for (const { responses } of attempts.toReversed()) {
    for (const { octets } of responses) {
      const answer = readAnswer(octets)
      if (answer.rcode !== -1) return { ...answer, error: null }
    }
  }
  const failure = attempts.find((attempt) => attempt.failure !== null)?.failure
  return { rcode: -1, addresses: [], error: failure ?? 'malformed' }
}

/** What an engine saw of one query. @param wallOffsetMs - What the wall clock is ahead of the engine's. */
export function trialOf(
  purpose: 'control' | 'test',
  name: string,
  { attempts }: Pick<EngineResult<unknown>, 'attempts'>,
  wallOffsetMs: number,
): PairTrial {
  const starts = attempts.map(({ startedAtMs }) => startedAtMs)
  // What is waited for late answers is no part of the query.
  const ends = attempts.map(({ startedAtMs, endedAtMs, exchange }) =>
    exchange.kind === 'responses' ? startedAtMs + exchange.responses[0].elapsedMs : endedAtMs,
  )
  return {
    purpose,
    name,
    startedAtMs: roundTime(Math.min(...starts) + wallOffsetMs),
    endedAtMs: roundTime(Math.max(...ends) + wallOffsetMs),
    attempts: attempts.map(({ reason, exchange }) => {
      const { wrongId, wrongSource, wrongQuestion, malformed } = exchange.oddities
      return {
        isOverTcp: reason === 'truncated',
        failure: exchange.kind === 'failure' ? exchange.failure : null,
        responses: (exchange.kind === 'responses' ? exchange.responses : []).map(({ octets, elapsedMs }) => ({
          octets,
          elapsedMs: roundTime(elapsedMs),
        })),
        strays: wrongId + wrongSource + wrongQuestion + malformed,
      }
    }),
  }
}

/** Microseconds are more than a clock of this kind knows. */
function roundTime(ms: number): number {
  return Math.round(ms * 1000) / 1000
}

/** A record as JSON. */
export function formatPairRecord({ number, resolver, domain, kind, trials }: PairRecord): object {
  return { number, resolver, domain, kind, trials: trials.map((trial) => formatTrial(trial)) }
}

/** One query as JSON. */
export function formatTrial({ purpose, name, startedAtMs, endedAtMs, attempts }: PairTrial): object {
  return {
    purpose,
    name,
    started_at_ms: startedAtMs,
    ended_at_ms: endedAtMs,
    attempts: attempts.map(({ isOverTcp, failure, responses, strays }) => ({
      tcp: isOverTcp,
      failure,
      responses: responses.map(({ octets, elapsedMs }) => [elapsedMs, formatHex(octets)]),
      strays,
    })),
  }
}

/** Reads a line of the journal. @returns `undefined` when it is no such record. */
export function parsePairRecord(line: string): PairRecord | undefined {
  const fields = parseFields(line)
  if (fields === undefined) return undefined
  const { number, resolver, domain, kind, trials } = fields
  if (typeof number !== 'number' || typeof resolver !== 'string' || typeof domain !== 'string') return undefined
  if ((kind !== 'control' && kind !== 'resolver' && kind !== 'non_resolver') || !Array.isArray(trials)) return undefined
  const read = trials.map((trial) => readTrial(trial))
  if (read.includes(undefined)) return undefined
  return { number, resolver, domain, kind, trials: read as readonly PairTrial[] }
}

/** @returns `undefined` when the line is no JSON object. */
export function parseFields(line: string): JsonFields | undefined {
  try {
    const value: unknown = JSON.parse(line)
    return isFields(value) ? value : undefined
  } catch {
    return undefined
  }
}

/** Reads one query. @returns `undefined` when it is none. */
export function readTrial(value: unknown): PairTrial | undefined {
  if (!isFields(value)) return undefined
  const { purpose, name, started_at_ms: startedAtMs, ended_at_ms: endedAtMs, attempts } = value
  if ((purpose !== 'control' && purpose !== 'test') || typeof name !== 'string') return undefined
  if (typeof startedAtMs !== 'number' || typeof endedAtMs !== 'number' || !Array.isArray(attempts)) return undefined
  const read = attempts.map((attempt) => readAttempt(attempt))
  if (read.includes(undefined)) return undefined
  return { purpose, name, startedAtMs, endedAtMs, attempts: read as readonly PairAttempt[] }
}

function readAttempt(value: unknown): PairAttempt | undefined {
  if (!isFields(value)) return undefined
  const { tcp, failure, responses, strays } = value
  if (typeof tcp !== 'boolean' || typeof strays !== 'number' || !Array.isArray(responses)) return undefined
  if (failure !== null && typeof failure !== 'string') return undefined
  const read = responses.map((response) => readResponse(response))
  if (read.includes(undefined)) return undefined
  return { isOverTcp: tcp, failure, responses: read as readonly TimedResponse[], strays }
}

function readResponse(value: unknown): TimedResponse | undefined {
  if (!Array.isArray(value)) return undefined
  const [elapsedMs, text] = value as readonly unknown[]
  const octets = typeof text === 'string' ? parseHexOctets(text) : undefined
  return typeof elapsedMs === 'number' && octets !== undefined ? { octets, elapsedMs } : undefined
}
