/**
 * Answers that are on a list of addresses of block servers.
 *
 * **Invariant**: pure; the list is loaded at run time, and the longest prefix of it that holds an address counts.
 *
 * Rule: docs/detectors/satellite-known-block.md
 */
import { formatPrefix, parseIp, parsePrefix, truncatePrefix } from '../core/ip-address.ts'
import type { SatelliteFinding } from '../model/satellite-finding.ts'
import type { SatelliteRow } from '../model/satellite-row.ts'
import { listTestAnswers } from './satellite-test-answers.ts'

/** Finds what a list says of an address: its label, or the entry itself. `undefined`: it is not on the list. */
export type FindBlockAddress = (address: string) => string | undefined

/** What a list gave. */
export interface BlockAddressList {
  readonly find: FindBlockAddress
  readonly size: number
  /** Lines that are no address and no prefix, with their number. */
  readonly problems: readonly string[]
}

/** Reads a list: an address or prefix in each line, then a label if there is one; `#` begins a comment. */
export function parseBlockAddresses(text: string): BlockAddressList {
  const labels = new Map<string, string>()
  const bits = new Set<number>()
  const problems: string[] = []
  for (const [index, line] of text.split('\n').entries()) {
    const [entry = '', ...label] = (line.split('#')[0] ?? '').trim().split(/\s+/)
    if (entry === '') continue
    const prefix = parsePrefix(entry)
    if (prefix === undefined) {
      problems.push(`line ${index + 1}: ${entry} is neither an address nor a prefix`)
      continue
    }
    bits.add(prefix.bits)
    labels.set(formatPrefix(prefix), label.length > 0 ? label.join(' ') : entry)
  }
  const lengths = [...bits].toSorted((a, b) => b - a)
  const find: FindBlockAddress = (address) => {
    const octets = parseIp(address)
    if (octets === undefined) return undefined
    for (const length of lengths) {
      if (length > octets.length * 8) continue
      const label = labels.get(formatPrefix(truncatePrefix(octets, length)))
      if (label !== undefined) return label
    }
    return undefined
  }
  return { find, size: labels.size, problems }
}

/** @returns `undefined` when no answer is on the list. */
export function detectKnownBlockAddress(
  row: SatelliteRow,
  findBlockAddress: FindBlockAddress,
): SatelliteFinding | undefined {
  const found = listTestAnswers(row).flatMap(({ address }) => {
    const label = findBlockAddress(address)
    return label === undefined ? [] : [{ address, label }]
  })
  if (found.length === 0) return undefined
  return {
    rule: 'known-block-address',
    version: 1,
    evidence: {
      addresses: found.map(({ address }) => address),
      labels: [...new Set(found.map(({ label }) => label))],
    },
    weights: { interference: 0.95, down: 0, ok: 0 },
  }
}
