/**
 * Lists of names: one a line, `#` begins a comment, `*.x` stands for everything below x.
 *
 * Invariant: a line that cannot be used is reported with its number and never changed into something that can. Names that
 * occur again are merged and counted.
 *
 * Format: docs/formats/domains.md
 */
import { canonicalIp } from '../../core/ip-address.ts'
import { parseName } from '../../dns/name.ts'
import type { ListedDomain } from '../../model/domain.ts'

/** A line that cannot be used. */
export interface BadLine {
  readonly list: string
  /** From 1. */
  readonly line: number
  readonly text: string
  readonly reason: string
}

/** What lists came to. */
export interface DomainLists {
  readonly domains: Map<string, ListedDomain>
  readonly badLines: BadLine[]
  /** Lines that named what another line had named. */
  duplicates: number
  /** How many lines could not be used; only the first of them are kept. */
  badCount: number
}

/** Enough to see what is wrong with a list. */
const BAD_LINES_MAX = 1_000
const TEXT_CHARS_MAX = 80
const LABEL = /^(?!-)[a-z0-9_-]{1,63}(?<!-)$/

/** Lists that hold nothing yet. */
export function createDomainLists(): DomainLists {
  return { domains: new Map(), badLines: [], duplicates: 0, badCount: 0 }
}

/**
 * Adds the names of one list.
 *
 * @param label - What the list is called; every name of it carries the label.
 * @param areWildcards - Whether every name stands for everything below it.
 */
export function addDomainList(lists: DomainLists, label: string, text: string, areWildcards: boolean): void {
  let line = 0
  for (let at = 0; at < text.length;) {
    const next = text.indexOf('\n', at)
    const end = next < 0 ? text.length : next
    line++
    addLine(lists, label, line, text.slice(at, end), areWildcards)
    at = end + 1
  }
}

/**
 * Adds names below each name that is there: the aggressive mode.
 *
 * @param labels - What stands before a name: `www`, `cdn.eu`.
 * @param cap - How many names are added to each at most.
 * @returns How many names were added.
 */
export function fanOut(lists: DomainLists, labels: readonly string[], cap: number): number {
  let added = 0
  const listed = Array.from(lists.domains.values())
  for (const domain of listed) {
    for (const label of labels.slice(0, cap)) {
      const name = `${label}.${domain.name}`
      if (parseName(name) === undefined || lists.domains.has(name)) continue
      lists.domains.set(name, { name, isWildcard: false, labels: domain.labels })
      added++
    }
  }
  return added
}

/** Reads what stands before names, one a line. @returns Without duplicates, in their order; bad lines with their number. */
export function readFanOut(text: string): { readonly labels: readonly string[]; readonly badLines: readonly number[] } {
  const labels = new Set<string>()
  const badLines: number[] = []
  for (const [index, line] of text.split('\n').entries()) {
    const label = line.replace(/#.*/, '').trim().toLowerCase().replace(/\.$/, '')
    if (label === '') continue
    if (label.split('.').every((part) => LABEL.test(part))) labels.add(label)
    else badLines.push(index + 1)
  }
  return { labels: [...labels], badLines }
}

/** Reads one name. @returns The name, or why it is none. */
export function readDomainName(text: string): Pick<ListedDomain, 'name' | 'isWildcard'> | { readonly reason: string } {
  const isWildcard = text.startsWith('*.')
  const plain = (isWildcard ? text.slice(2) : text).replace(/[.。]$/, '')
  if (plain.includes('*')) return { reason: '`*` stands at the beginning only, as in *.zone.example' }
  const name = toAscii(plain)
  if (name === undefined) return { reason: 'it is no host name' }
  if (canonicalIp(name) !== undefined || /^\d+$/.test(name.slice(name.lastIndexOf('.') + 1)))
    return { reason: 'it is an address, not a name' }
  const labels = name.split('.')
  if (labels.length < 2) return { reason: 'it has one label only' }
  if (!labels.every((label) => LABEL.test(label)) || parseName(name) === undefined)
    return { reason: 'it is no host name' }
  return { name, isWildcard }
}

function addLine(lists: DomainLists, label: string, line: number, raw: string, areWildcards: boolean): void {
  const hash = raw.indexOf('#')
  const text = (hash < 0 ? raw : raw.slice(0, hash)).trim()
  if (text === '') return
  const read = readDomainName(text)
  if ('reason' in read) {
    lists.badCount++
    if (lists.badLines.length < BAD_LINES_MAX)
      lists.badLines.push({ list: label, line, text: text.slice(0, TEXT_CHARS_MAX), reason: read.reason })
    return
  }
  const isWildcard = areWildcards || read.isWildcard
  const known = lists.domains.get(read.name)
  if (known === undefined) {
    lists.domains.set(read.name, { name: read.name, isWildcard, labels: [label] })
    return
  }
  lists.duplicates++
  if (known.labels.includes(label) && known.isWildcard === (known.isWildcard || isWildcard)) return
  const labels = known.labels.includes(label) ? known.labels : [...known.labels, label]
  lists.domains.set(read.name, { ...known, isWildcard: known.isWildcard || isWildcard, labels })
}

/** A-labels in lower case. The URL parser of the platform has UTS #46, the mapping that browsers use. */
function toAscii(text: string): string | undefined {
  // oxlint-disable-next-line no-control-regex -- everything that is ASCII
  if (/^[\u0000-\u007f]*$/.test(text)) return text.toLowerCase()
  if (/[\s/?#@:%\\[\]<>^|]/.test(text)) return undefined
  const url = URL.parse(`http://${text}/`)
  return url?.hostname === undefined || url.hostname === '' ? undefined : url.hostname
}
