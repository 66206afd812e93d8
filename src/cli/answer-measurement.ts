/**
 * Questions that somebody asks over the API, asked the way `candor query` asks.
 *
 * Invariant: a resolver that was named is asked at an address that is public and was checked; only the system's own, which
 * nobody named, may be private.
 */
import { ConfigError, RunError } from '../core/config-error.ts'
import { joinPath } from '../core/files.ts'
import { parseName } from '../dns/name.ts'
import { parseRrType } from '../dns/rr-type.ts'
import type { MeasurementRequest } from '../model/daemon-control.ts'
import { decideEgress } from '../net/egress-guard.ts'
import type { CliContext } from './cli-context.ts'
import { askOnce, type FindResolver } from './query-once.ts'
import { readQueryPlan } from './query-options.ts'
import { findResolver } from './query-resolver.ts'
import { findHostAddress } from './system-resolver.ts'

/** Where Tor keeps its data, and what its torrc has besides. */
export interface MeasurementPlace {
  readonly dataDir: string
  /** Path of a file with lines for the torrc; `null` for none. */
  readonly torrcAppend: string | null
}

/**
 * Asks one question.
 *
 * @returns The record, as in docs/formats/query.md.
 * @throws {ConfigError} When the request cannot be understood.
 * @throws {RunError} When the resolver may not be asked, or cannot be.
 */
export async function answerMeasurement(
  context: CliContext,
  { dataDir, torrcAppend }: MeasurementPlace,
  { name, type, resolver, via }: MeasurementRequest,
): Promise<unknown> {
  if (parseName(name) === undefined || name.startsWith('@'))
    throw new ConfigError('name', 'it is no domain name', 'www.zone.example')
  if (parseRrType(type) === undefined) throw new ConfigError('type', 'it is no record type', 'AAAA, or TYPE65')
  const flags = {
    verify: true,
    recurse: true,
    ...(via === null ? {} : { via, torDir: joinPath(dataDir, 'query-tor') }),
    ...(via === null || torrcAppend === null ? {} : { torrcAppend }),
  }
  const words = [name, type, ...(resolver === null ? [] : [`@${resolver}`])]
  const plan = readQueryPlan(words, flags, context.environment['CANDOR_QUERY_RESOLVER'])
  const find = resolver === null ? findResolver : findPublicResolver
  const [record] = await askOnce(context, plan, find)
  return record ?? null
}

const findPublicResolver: FindResolver = async (context, named, timeoutMs) => {
  const host = named.knownAddress ?? named.host ?? ''
  const decision = await decideEgress(context.addressPlan, host, async (text) => [
    (await findHostAddress(context, text, timeoutMs)).address,
  ])
  if (decision.kind === 'refused')
    throw new RunError(`the resolver ${host.slice(0, 80)} is not asked: ${decision.reason}`)
  const found = await findResolver(context, { ...named, knownAddress: decision.address }, timeoutMs)
  return { ...found, source: null }
}
