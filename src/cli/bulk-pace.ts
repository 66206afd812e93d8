/** How fast `candor bulk` asks whom, and who rests: from its options and the list of resolvers. */
import type { AddressPlan } from '../core/address-plan.ts'
import { ConfigError } from '../core/config-error.ts'
import { checkLimit, type Limit } from '../core/limit.ts'
import type { BulkPace } from '../measure/bulk/resolver-queues.ts'
import type { CooldownPolicy } from '../measure/cooldown.ts'
import type { GroupCaps } from '../measure/paced-turns.ts'
import { groupByAs, groupByPrefix } from '../measure/resolver-groups.ts'
import type { BulkResolver } from '../net/bulk-backend.ts'

const RATE: Limit = {
  default: 5_000,
  min: 1,
  max: 10_000_000,
  unit: 'queries/s',
  why: 'public resolvers are other people’s machines',
}
const PER_RESOLVER: Limit = {
  default: 50,
  min: 1,
  max: 1_000_000,
  unit: 'queries/s',
  why: 'what the rate limits of public resolvers let pass',
}
const PER_PREFIX: Limit = {
  default: 200,
  min: 1,
  max: 10_000_000,
  unit: 'queries/s',
  why: 'what stands in one /24 is often one machine, and has one line',
}
const PER_AS: Limit = {
  default: 1_000,
  min: 1,
  max: 10_000_000,
  unit: 'queries/s',
  why: 'a fifth of the whole: no operator is the only one who is asked',
}
const COOLDOWN: Limit = {
  default: 1_000,
  min: 0,
  max: 3_600_000,
  unit: 'ms',
  why: 'as long as the second try waits; what is dead is soon asked once a minute',
}
const RESTS_DOUBLE_TO = 64
/** Names that nobody can answer look like a dead resolver, so one that lives must be given some of them. */
const FAILURES_IN_A_ROW = 8
const FORGET_MS = 600_000

/** Options that say how fast, and who rests. */
export interface PaceFlags {
  readonly rate?: string
  readonly perResolver?: string
  readonly perPrefix?: string
  readonly perAs?: string
  readonly cooldown?: string
}

/**
 * Which resolvers are paced, and how fast queries go: what was asked for holds for all, the defaults for public ones.
 *
 * @throws {ConfigError} Also when a cap on autonomous systems was asked for, and there is no table of them.
 */
export function resolvePace(
  flags: PaceFlags,
  resolvers: readonly BulkResolver[],
  plan: Owners,
): { readonly pace: BulkPace; readonly resolvers: readonly BulkResolver[] } {
  const isUnlimited = flags.rate === 'unlimited'
  const hasDefaults = !isUnlimited && hasPublic(resolvers)
  const cap = (limit: Limit, text: string | undefined, option: string): number =>
    text === undefined ? (hasDefaults ? limit.default : 0) : readNumber(limit, text, option)
  const caps = {
    rate: cap(RATE, isUnlimited ? undefined : flags.rate, '--rate'),
    perResolver: cap(PER_RESOLVER, flags.perResolver, '--per-resolver'),
    perPrefix: cap(PER_PREFIX, flags.perPrefix, '--per-prefix'),
    perAs: cap(PER_AS, flags.perAs, '--per-as'),
  }
  const others = [flags.perResolver, flags.perPrefix, flags.perAs]
  const isForced = (flags.rate !== undefined && !isUnlimited) || others.some((text) => text !== undefined)
  const paced = resolvers.map((resolver) => ({
    ...resolver,
    isPaced: isForced || (!isUnlimited && resolver.isPaced),
  }))
  const groups = groupCapsOf(paced, caps, flags.perAs !== undefined, plan)
  const { rate, perResolver } = caps
  return { pace: { rate, perResolver, ...(groups === undefined ? {} : { groups }) }, resolvers: paced }
}

/** The table of autonomous systems. */
type Owners = Pick<AddressPlan, 'lookup'>

interface Caps {
  readonly rate: number
  readonly perResolver: number
  readonly perPrefix: number
  readonly perAs: number
}

/** A cap that all paced resolvers together cannot reach needs no groups, and the table of systems is not read for it. */
function groupCapsOf(
  resolvers: readonly BulkResolver[],
  { rate, perResolver, perPrefix, perAs }: Caps,
  isAsWanted: boolean,
  plan: Owners,
): GroupCaps | undefined {
  const paced = resolvers.filter(({ isPaced }) => isPaced).length
  const all = Math.min(rate === 0 ? Infinity : rate, perResolver === 0 ? Infinity : perResolver * paced)
  const matters = (cap: number): boolean => paced > 0 && cap > 0 && cap < all
  if (!matters(perPrefix) && !matters(perAs)) return undefined
  const addresses = resolvers.map(({ address }) => address)
  const unknown = new Int32Array(resolvers.length).fill(-1)
  return {
    prefixOf: matters(perPrefix) ? groupByPrefix(addresses) : unknown,
    perPrefix: matters(perPrefix) ? perPrefix : 0,
    asOf: matters(perAs) ? findSystems(addresses, isAsWanted, plan, unknown) : unknown,
    perAs: matters(perAs) ? perAs : 0,
  }
}

/** A default does not need the tables; what was asked for does. */
function findSystems(addresses: readonly string[], isWanted: boolean, plan: Owners, unknown: Int32Array): Int32Array {
  try {
    return groupByAs(addresses, plan)
  } catch (error) {
    if (error instanceof ConfigError && !isWanted) return unknown
    throw error
  }
}

/**
 * When a resolver rests; `null` for never.
 *
 * @param hasStreams - Whether resolvers are asked over connections: what waits for a dead one would wait for long.
 * @throws {ConfigError}
 */
export function resolveCooldown(
  { cooldown }: PaceFlags,
  resolvers: readonly BulkResolver[],
  hasStreams: boolean,
): CooldownPolicy | null {
  const fallback = hasStreams || hasPublic(resolvers) ? COOLDOWN.default : 0
  const restMs = cooldown === undefined ? fallback : readNumber(COOLDOWN, cooldown, '--cooldown')
  if (restMs === 0) return null
  return {
    failuresInARow: FAILURES_IN_A_ROW,
    failureShare: 0,
    lookedBack: 1,
    outcomesMin: 1,
    restMs,
    restMsMax: restMs * RESTS_DOUBLE_TO,
    answersWanted: 1,
    forgetMs: FORGET_MS,
  }
}

/** The defaults are there for public resolvers. */
function hasPublic(resolvers: readonly BulkResolver[]): boolean {
  return resolvers.some(({ isPaced }) => isPaced)
}

/** Reads a whole number. @throws {ConfigError} */
export function readNumber(limit: Limit, text: string | undefined, option: string): number {
  return checkLimit(limit, text === undefined ? limit.default : /^\d+$/.test(text) ? Number(text) : Number.NaN, option)
}
