/**
 * What the numbers in the columns of one part stand for: octets as they stood in the source, each seen by the slow reader
 * when it came for the first time.
 *
 * **Invariant**: what is in a dictionary is valid where it stands; whatever equals it is valid too.
 */
import { parseGoTime } from '../go-time.ts'
import { readRow } from '../read-row.ts'
import { HASH_START, mixHash, type OctetCursor } from './octet-cursor.ts'
import { InternTable } from './intern-table.ts'

/** Names of the dictionaries, each a file of lines. */
export const DICTIONARY_NAMES = [
  'resolvers',
  'names',
  'answers',
  'locations',
  'confidences',
  'reasons',
  'stamps',
  'tails',
] as const

/** Name of a dictionary. */
export type DictionaryName = (typeof DICTIONARY_NAMES)[number]

/** Sixteen bits hold the number of a tail and how many digits stand before it. */
const TAILS_MAX = 4096
/** More different ones are no vocabulary: such rows are kept as they came. */
const CONFIDENCES_MAX = 1_048_576

/** The dictionaries of one part while it is written. */
export class PartDictionaries {
  readonly tables: Readonly<Record<DictionaryName, InternTable>> = {
    resolvers: new InternTable(),
    names: new InternTable(),
    answers: new InternTable(),
    locations: new InternTable(),
    confidences: new InternTable(CONFIDENCES_MAX),
    reasons: new InternTable(CONFIDENCES_MAX),
    stamps: new InternTable(),
    tails: new InternTable(TAILS_MAX),
  }
  /** Answer → its address, so that two of one address are found. */
  readonly #addressOf: number[] = []
  readonly #addresses = new Map<string, number>()
  readonly #decoder = new TextDecoder('utf-8', { ignoreBOM: true })

  /** Number of the text that was taken last. @returns −1 when it is not to be kept here. */
  text(name: 'resolvers' | 'names', cursor: OctetCursor): number {
    const { octets, from, to, hash } = cursor
    const table = this.tables[name]
    const known = table.find(octets, from, to, hash)
    if (known !== -1) return known
    const value = this.#parse(`"${this.#decode(octets, from, to)}"`)
    return value === undefined || value === '' ? -1 : table.add(octets, from, to, hash)
  }

  /** Number of the value that was taken last, whose field is named. @returns −1 when it is not to be kept here. */
  value(name: 'locations' | 'confidences' | 'reasons', cursor: OctetCursor): number {
    const { octets, from, to, hash } = cursor
    const table = this.tables[name]
    const known = table.find(octets, from, to, hash)
    if (known !== -1) return known
    const field = name === 'locations' ? 'location' : name === 'confidences' ? 'confidence' : 'exclude_reason'
    const value = this.#parse(this.#decode(octets, from, to))
    if (value === undefined || !isReadable({ vp: 'v', test_url: 't', response: [], [field]: value })) return -1
    return table.add(octets, from, to, hash)
  }

  /** Number of an answer: an address between quotes, or with its tags up to `matched`. @returns −1 as above. */
  answer(octets: Uint8Array, from: number, to: number, hash: number, isMap: boolean): number {
    const table = this.tables.answers
    const known = table.find(octets, from, to, hash)
    if (known !== -1) return known
    const text = this.#decode(octets, from, to)
    const response = this.#parse(isMap ? `{${text}"matched":null}}` : `[${text}]`)
    if (response === undefined || !isReadable({ vp: 'v', test_url: 't', response: [{ url: 't', response }] })) return -1
    const address = isMap ? Object.keys(response)[0] : (response as readonly string[])[0]
    // JavaScript puts fields that look like numbers before all others.
    if (address === undefined || /^\d+$/.test(address)) return -1
    const id = table.add(octets, from, to, hash)
    if (id === -1) return -1
    const number = this.#addresses.get(address) ?? this.#addresses.size
    this.#addresses.set(address, number)
    this.#addressOf.push(number)
    return id
  }

  /** Whether two answers have the same address. */
  hasSameAddress(one: number, other: number): boolean {
    return this.#addressOf[one] === this.#addressOf[other]
  }

  /** Number of `2021-04-18 14:49:01`. @returns −1 when that is no moment. */
  stamp(octets: Uint8Array, from: number, to: number): number {
    return this.#moment('stamps', octets, from, to, (text) => `${text} +0000`)
  }

  /** Number of ` -0400 EDT`. @returns −1 when no time ends so. */
  tail(octets: Uint8Array, from: number, to: number): number {
    return this.#moment('tails', octets, from, to, (text) => `2021-04-18 14:49:01${text}`)
  }

  #moment(
    name: 'stamps' | 'tails',
    octets: Uint8Array,
    from: number,
    to: number,
    complete: (text: string) => string,
  ): number {
    let hash = HASH_START
    for (let at = from; at < to; at++) hash = mixHash(hash, octets[at] as number)
    const table = this.tables[name]
    const known = table.find(octets, from, to, hash)
    if (known !== -1) return known
    const text = this.#decode(octets, from, to)
    if (parseGoTime(complete(text)).utc === null) return -1
    return table.add(octets, from, to, hash)
  }

  #decode(octets: Uint8Array, from: number, to: number): string {
    return this.#decoder.decode(octets.subarray(from, to))
  }

  #parse(text: string): object | string | undefined {
    try {
      const value: unknown = JSON.parse(text)
      return typeof value === 'string' || (typeof value === 'object' && value !== null) ? value : undefined
    } catch {
      return undefined
    }
  }
}

function isReadable(row: object): boolean {
  try {
    const { trials } = readRow(row, undefined)
    return trials.every((trial) => trial.answers.length === 1)
  } catch {
    return false
  }
}
