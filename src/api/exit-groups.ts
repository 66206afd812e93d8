/**
 * Exits counted by what they share: how many a filter would leave, and which addresses, networks and operators fail most.
 *
 * Invariant: a share has a denominator, the relays with a verdict about DNS, and an interval; without one it is `null`.
 *
 * Sources: E. B. Wilson, "Probable inference, the law of succession, and statistical inference", 1927.
 */
import { assertNever } from '../core/assert.ts'
import { exitStanding, type ExitStanding } from './exit-standing.ts'
import { NOT_KNOWN, type ExitQuery } from './exit-query.ts'
import { createExitFilters, keyOfFamily, parseAsNumber, type ListedExit, type TruthLookup } from './select-exits.ts'

/** One value of a filter, with the rows that choosing it would show. */
export interface ExitFacetValue {
  /** As the parameter takes it; `none` where nothing is known. */
  readonly value: string
  /** For people; `AS64496 Example` for the value `AS64496`. */
  readonly label: string
  readonly count: number
}

/** The values of one filter. */
export interface ExitFacet {
  /** The parameter. */
  readonly name: ExitFacetName
  /** Most rows first, at most 50. */
  readonly values: readonly ExitFacetValue[]
  /** Values beside those. */
  readonly more: number
}

/** Filters whose values can be chosen from a list. */
export type ExitFacetName = (typeof FACETS)[number]

/** What exits are grouped by. */
export type ExitGroupKey = (typeof EXIT_GROUP_KEYS)[number]

/** Exits that share a value. */
export interface ExitGroup {
  /** As the parameter of the same name takes it. */
  readonly value: string
  readonly label: string
  readonly relays: number
  /** Relays with a verdict about DNS. */
  readonly measured: number
  /** Of these: the three standings that add up to `measured`. */
  readonly sound: number
  readonly suspect: number
  readonly failing: number
  /** Relays that were not reached. */
  readonly unreachable: number
  /** failing / measured; `null` when nothing was measured. */
  readonly share: number | null
  /** 95 % interval of the share (Wilson); `null` when nothing was measured. */
  readonly interval: readonly [number, number] | null
}

/** Every key that exits can be grouped by. */
export const EXIT_GROUP_KEYS = ['address', 'as', 'operator', 'family', 'country', 'first_hop'] as const

const FACETS = [
  'status',
  'standing',
  'status_ipv6',
  'error_code',
  'flag',
  'as',
  'country',
  'operator',
  'family',
  'first_hop',
  'fault',
  'truth',
] as const
const FACET_VALUES_MAX = 50
/** 97.5 % quantile of the normal distribution. */
const Z = 1.96

interface Named {
  readonly value: string
  readonly label: string
}

/**
 * Counts, for each filter, the rows that each of its values would leave, all other filters of the selection kept.
 *
 * @param rows - All rows of the run.
 */
export function countExitFacets(
  rows: readonly ListedExit[],
  query: ExitQuery,
  truthOf?: TruthLookup,
): readonly ExitFacet[] {
  const filters = createExitFilters(query, truthOf)
  const counts = new Map<ExitFacetName, Map<string, { label: string; count: number }>>(
    FACETS.map((name) => [name, new Map()]),
  )
  for (const row of rows) {
    const failed = filters.filter(({ test }) => !test(row))
    if (failed.length > 1) continue
    for (const [name, values] of counts) {
      // A row that only this filter hides would be shown by another value of it.
      if (failed.length === 1 && failed[0]?.name !== name) continue
      for (const { value, label } of valuesOf(row, name, truthOf)) {
        const found = values.get(value)
        if (found === undefined) values.set(value, { label, count: 1 })
        else found.count += 1
      }
    }
  }
  return FACETS.map((name) => {
    const values = [...(counts.get(name) ?? [])]
      .map(([value, { label, count }]) => ({ value, label, count }))
      .toSorted((a, b) => b.count - a.count || (a.value < b.value ? -1 : 1))
    return { name, values: values.slice(0, FACET_VALUES_MAX), more: Math.max(0, values.length - FACET_VALUES_MAX) }
  })
}

/** Groups rows; most failing relays first, then the larger share, then the larger group. */
export function groupExits(rows: readonly ListedExit[], key: ExitGroupKey): readonly ExitGroup[] {
  const groups = new Map<string, { label: string; rows: ListedExit[] }>()
  for (const row of rows) {
    for (const { value, label } of valuesOf(row, key)) {
      const group = groups.get(value)
      if (group === undefined) groups.set(value, { label, rows: [row] })
      else group.rows.push(row)
    }
  }
  return [...groups]
    .map(([value, { label, rows: members }]) => countGroup(value, label, members))
    .toSorted(
      (a, b) =>
        b.failing - a.failing ||
        (b.share ?? -1) - (a.share ?? -1) ||
        b.relays - a.relays ||
        (a.value < b.value ? -1 : 1),
    )
}

function countGroup(value: string, label: string, rows: readonly ListedExit[]): ExitGroup {
  const counts: Record<ExitStanding, number> = {
    sound: 0,
    suspect: 0,
    failing: 0,
    unreachable: 0,
    not_judged: 0,
    not_tested: 0,
  }
  for (const row of rows) counts[exitStanding(row)] += 1
  const { sound, suspect, failing, unreachable } = counts
  const measured = sound + suspect + failing
  return {
    value,
    label,
    relays: rows.length,
    measured,
    sound,
    suspect,
    failing,
    unreachable,
    share: measured === 0 ? null : failing / measured,
    interval: estimateShare(failing, measured),
  }
}

/** @returns The 95 % interval of a share (Wilson); `null` when there is nothing to divide by. */
export function estimateShare(part: number, whole: number): readonly [number, number] | null {
  if (whole <= 0) return null
  const share = part / whole
  const middle = share + (Z * Z) / (2 * whole)
  const spread = Z * Math.sqrt((share * (1 - share)) / whole + (Z * Z) / (4 * whole * whole))
  const scale = 1 + (Z * Z) / whole
  return [Math.max(0, (middle - spread) / scale), Math.min(1, (middle + spread) / scale)]
}

function valuesOf(row: ListedExit, name: ExitFacetName | ExitGroupKey, truthOf?: TruthLookup): readonly Named[] {
  const named = (value: string | null, label = value): readonly Named[] => [
    { value: value ?? NOT_KNOWN, label: label ?? 'not known' },
  ]
  switch (name) {
    case 'status':
      return named(row.status)
    case 'standing':
      return named(exitStanding(row))
    case 'family':
      return named(keyOfFamily(row))
    case 'flag':
      return row.flags.flatMap((flag) => named(flag))
    case 'as':
      return named(parseAsNumber(row.as), row.as)
    case 'first_hop':
      return named(row.first_hop_fingerprint)
    case 'address':
      return named(row.exit_address || null)
    case 'fault':
    case 'truth': {
      const truth = truthOf?.(row)
      return truth === undefined ? [] : named(name === 'fault' ? truth.fault : truth.agreement)
    }
    case 'status_ipv6':
    case 'error_code':
    case 'country':
    case 'operator':
      return named(row[name])
    default:
      return assertNever(name)
  }
}
