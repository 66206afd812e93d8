/** The address sets that the domains come to: what routing matches. */
import type { DomainRow, DomainStore } from '../../model/domain.ts'
import { currentAddresses, describeAddresses } from '../../verdicts/domain-addresses.ts'

/** Sets of addresses, each canonical and once, sorted as text. */
export interface DomainSets {
  readonly v4: readonly string[]
  readonly v6: readonly string[]
  /** Names that stand for everything below them. */
  readonly wildcards: readonly string[]
  /** All others. */
  readonly names: readonly string[]
  /** Domains with addresses that nobody confirms now. */
  readonly staleCount: number
}

/** Rows that are read at once. */
const PAGE = 2_000

/** Calls back with each listed domain, in the order of their ids. */
export async function eachDomain(
  store: Pick<DomainStore, 'page'>,
  visit: (row: DomainRow) => void | Promise<void>,
): Promise<void> {
  for (let afterId = 0; ;) {
    const rows = store.page({}, afterId, PAGE)
    for (const row of rows) await visit(row)
    const last = rows.at(-1)
    if (last === undefined || rows.length < PAGE) return
    afterId = last.id
  }
}

/** Collects the sets as they are at `atMs`. */
export async function collectDomainSets(store: Pick<DomainStore, 'page'>, atMs: number): Promise<DomainSets> {
  const all = new Set<string>()
  const wildcards: string[] = []
  const names: string[] = []
  let staleCount = 0
  await eachDomain(store, ({ name, isWildcard, health }) => {
    ;(isWildcard ? wildcards : names).push(name)
    if (describeAddresses(health, atMs) === 'stale' || describeAddresses(health, atMs) === 'suspect') staleCount++
    for (const { address } of currentAddresses(health, atMs)) all.add(address)
  })
  return {
    ...splitFamilies(all),
    wildcards: wildcards.toSorted(),
    names: names.toSorted(),
    staleCount,
  }
}

function splitFamilies(addresses: ReadonlySet<string>): Pick<DomainSets, 'v4' | 'v6'> {
  const v4: string[] = []
  const v6: string[] = []
  for (const address of addresses) (address.includes(':') ? v6 : v4).push(address)
  return { v4: v4.toSorted(), v6: v6.toSorted() }
}
