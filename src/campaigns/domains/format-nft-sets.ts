/**
 * Address sets as text for `nft -f`, and the strict reader of whoever loads it with more rights than its writer has.
 *
 * The durable sets are replaced as a whole: `flush set` and `add element` in one file are one transaction, so that packets
 * see the old set or the new one. An element of the run-time sets is renewed by `add; delete; add`: adding it again does not
 * extend its time-out, and a bare `delete` of an element that expired meanwhile would fail the whole transaction.
 *
 * **Invariant**: what {@link readNftSets} lets through changes the named sets of the named table and nothing else.
 *
 * Sources: nft(8); measured with nftables 1.0.6.
 */
import { canonicalIp, isIpv6 } from '../../core/ip-address.ts'

const ELEMENTS_PER_LINE = 500
const TIMEOUT_SECONDS_MAX = 604_800
const WORD = /^[A-Za-z]\w{0,30}$/
const TABLE = /^(?:inet|ip|ip6) [A-Za-z]\w{0,30}$/

/** The names of the sets. */
export interface NftSets {
  /** Family and name, `inet candor`. */
  readonly table: string
  /** Durable: without time-outs. */
  readonly v4: string
  readonly v6: string
  /** Run-time: each element has a time-out. */
  readonly rtV4: string
  readonly rtV6: string
}

/** Addresses of both families. */
export interface AddressLists {
  readonly v4: readonly string[]
  readonly v6: readonly string[]
}

/** An address that a client was answered. */
export interface RuntimeElement {
  readonly address: string
  /** 1 to a week. */
  readonly timeoutSeconds: number
}

/** What a file does. */
export interface ReadNftSets {
  /** Addresses that the durable sets have afterwards; `null` where the file leaves them. */
  readonly durable: number | null
  /** Elements of the run-time sets that are renewed. */
  readonly runtime: number
}

/** Whether all names are such that a file can have them. */
export function areSetNames({ table, ...names }: NftSets): boolean {
  const all = Object.values(names)
  return TABLE.test(table) && all.every((name) => WORD.test(name)) && new Set(all).size === all.length
}

/** Writes the transaction that replaces the durable sets. */
export function formatDurableSets(sets: NftSets, { v4, v6 }: AddressLists): string {
  const { table } = sets
  return joinLines([
    `add table ${table}`,
    `add set ${table} ${sets.v4} { type ipv4_addr; }`,
    `add set ${table} ${sets.v6} { type ipv6_addr; }`,
    `flush set ${table} ${sets.v4}`,
    `flush set ${table} ${sets.v6}`,
    ...formatElements('add', table, sets.v4, v4),
    ...formatElements('add', table, sets.v6, v6),
  ])
}

/** Writes the transaction that renews elements of the run-time sets, whether they are there, expired, or new. */
export function formatRuntimeSets(sets: NftSets, elements: readonly RuntimeElement[]): string {
  const { table } = sets
  const renew = (name: string, isSix: boolean): readonly string[] => {
    const mine = elements.filter(({ address }) => isIpv6(address) === isSix)
    const added = mine.map(({ address, timeoutSeconds }) => `${address} timeout ${clampTimeout(timeoutSeconds)}s`)
    return [
      ...formatElements('add', table, name, added),
      ...formatElements(
        'delete',
        table,
        name,
        mine.map(({ address }) => address),
      ),
      ...formatElements('add', table, name, added),
    ]
  }
  return joinLines([
    `add table ${table}`,
    `add set ${table} ${sets.rtV4} { type ipv4_addr; flags timeout; }`,
    `add set ${table} ${sets.rtV6} { type ipv6_addr; flags timeout; }`,
    ...renew(sets.rtV4, false),
    ...renew(sets.rtV6, true),
  ])
}

/**
 * Reads a file as these functions write it, and nothing else.
 *
 * @returns `undefined` with the number of the first line that is something else.
 */
export function readNftSets(text: string, sets: NftSets): ReadNftSets | { readonly badLine: number } {
  const durableNames = [sets.v4, sets.v6]
  let [durable, runtime, isDurable] = [0, 0, false]
  const lines = text.split('\n')
  if (lines.at(-1) === '') lines.pop()
  for (const [index, line] of lines.entries()) {
    if (isDeclaration(line, sets)) continue
    const flushed = durableNames.find((name) => line === `flush set ${sets.table} ${name}`)
    if (flushed !== undefined) {
      isDurable = true
      continue
    }
    const found = readElements(line, sets)
    if (found === undefined) return { badLine: index + 1 }
    if (durableNames.includes(found.name)) durable += found.count
    else if (found.verb === 'delete') runtime += found.count
  }
  return { durable: isDurable ? durable : null, runtime }
}

function isDeclaration(line: string, { table, v4, v6, rtV4, rtV6 }: NftSets): boolean {
  return [
    `add table ${table}`,
    `add set ${table} ${v4} { type ipv4_addr; }`,
    `add set ${table} ${v6} { type ipv6_addr; }`,
    `add set ${table} ${rtV4} { type ipv4_addr; flags timeout; }`,
    `add set ${table} ${rtV6} { type ipv6_addr; flags timeout; }`,
  ].includes(line)
}

function readElements(
  line: string,
  { table, v4, v6, rtV4, rtV6 }: NftSets,
): { readonly verb: string; readonly name: string; readonly count: number } | undefined {
  const match = /^(add|delete) element (\w+ \w+) (\w+) \{ ([\da-f.:, a-z]+) \}$/.exec(line)
  if (match === null) return undefined
  const [, verb = '', inTable, name = '', list = ''] = match
  if (inTable !== table || ![v4, v6, rtV4, rtV6].includes(name)) return undefined
  const isSix = name === v6 || name === rtV6
  const isTimed = verb === 'add' && (name === rtV4 || name === rtV6)
  // Deleting from the durable sets is not how they change.
  if (verb === 'delete' && (name === v4 || name === v6)) return undefined
  const elements = list.split(', ')
  const isRight = elements.every((element) => {
    const [address = '', ...rest] = element.split(' ')
    if (canonicalIp(address) !== address || isIpv6(address) !== isSix) return false
    return isTimed ? /^timeout [1-9]\d{0,5}s$/.test(rest.join(' ')) : rest.length === 0
  })
  return isRight ? { verb, name, count: elements.length } : undefined
}

function formatElements(
  verb: 'add' | 'delete',
  table: string,
  name: string,
  elements: readonly string[],
): readonly string[] {
  const lines: string[] = []
  for (let from = 0; from < elements.length; from += ELEMENTS_PER_LINE)
    lines.push(`${verb} element ${table} ${name} { ${elements.slice(from, from + ELEMENTS_PER_LINE).join(', ')} }`)
  return lines
}

function clampTimeout(seconds: number): number {
  return Math.min(TIMEOUT_SECONDS_MAX, Math.max(1, Math.ceil(seconds)))
}

function joinLines(lines: readonly string[]): string {
  return `${lines.join('\n')}\n`
}
