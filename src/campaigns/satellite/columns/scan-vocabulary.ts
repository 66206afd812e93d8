/**
 * One set of numbers for the names and answers of all parts of an import, with what is known about them.
 *
 * **Invariant**: equal texts have one number, however the source escaped them. Tags of the scan come before those of a row.
 */
import type { JsonFields, SatelliteAnswer, SatelliteTags } from '../../../model/satellite-row.ts'
import type { ControlSet, FindTags } from '../../../verdicts/satellite-control.ts'
import { answerConfidence, matchAnswer } from '../../../verdicts/satellite-detect.ts'
import { isCdnName, type CdnMatch } from '../../../verdicts/satellite-verify.ts'
import { readRow } from '../read-row.ts'
import { MATCHED_ITEMS } from './column-block.ts'
import type { PartTexts } from './format-column-row.ts'
import { PairMemo } from './pair-memo.ts'

/** What the vocabulary is told about the scan. */
export interface VocabularyFacts {
  readonly findTags: FindTags
  findControl(domain: string): ControlSet
  readonly cdnMatch: CdnMatch
}

/** An address with the tags that it is judged by. */
export interface JudgedAnswer {
  readonly address: string
  /** Number of the address: answers with other tags share it. */
  readonly addressId: number
  readonly tags: SatelliteTags
  readonly isTagged: boolean
  readonly isCdn: boolean
  /** Fields that nobody knows. */
  readonly unknown: JsonFields
}

/** A name with its control. */
export interface JudgedName {
  readonly text: string
  readonly control: ControlSet
  readonly isInControlGroup: boolean
  readonly hasControlTags: boolean
}

const NO_TAGS: SatelliteTags = { http: null, cert: null, asnum: null, asname: null }
/** Bits of what matched, and six bits more than there are percentages. */
const MATCHED_BITS = 6

/** Numbers for the whole import. */
export class ScanVocabulary {
  readonly names: JudgedName[] = []
  readonly answers: JudgedAnswer[] = []
  /** Number in a part → number here. */
  readonly nameOf: readonly Int32Array[]
  readonly answerOf: readonly Int32Array[]
  readonly #facts: VocabularyFacts
  readonly #nameIds = new Map<string, number>()
  readonly #answerIds = new Map<string, number>()
  readonly #addressIds = new Map<string, number>()
  readonly #memo = new PairMemo()
  readonly #confidences: number[] = []
  readonly #confidenceIds = new Map<number, number>()

  constructor(parts: readonly PartTexts[], facts: VocabularyFacts) {
    this.#facts = facts
    this.nameOf = parts.map(({ names }) =>
      Int32Array.from(names, (text) => this.#addName(JSON.parse(`"${text}"`) as string)),
    )
    this.answerOf = parts.map(({ answers }) => Int32Array.from(answers, (text) => this.#addAnswer(readAnswer(text))))
  }

  /** Number of an address; a new one for what no answer has. */
  addressId(address: string): number {
    const id = this.#addressIds.get(address) ?? this.#addressIds.size
    this.#addressIds.set(address, id)
    return id
  }

  /** Number of a name; a new one for what no usual row has. */
  nameId(text: string): number {
    return this.#nameIds.get(text) ?? this.#addName(text)
  }

  /** What the answer shares with the control of the name: bits in the order of {@link MATCHED_ITEMS}, and a percentage. */
  match(name: number, answer: number): number {
    const known = this.#memo.get(name, answer)
    if (known !== -1) return known
    const { address, tags } = this.answers[answer] as JudgedAnswer
    const matched = matchAnswer(address, tags, (this.names[name] as JudgedName).control)
    const bits = matched.reduce((sum, item) => sum | (1 << MATCHED_ITEMS.indexOf(item as 'ip')), 0)
    const confidence = answerConfidence(tags, matched)
    const id = this.#confidenceIds.get(confidence) ?? this.#confidences.push(confidence) - 1
    this.#confidenceIds.set(confidence, id)
    const match = (id << MATCHED_BITS) | bits
    this.#memo.set(name, answer, match)
    return match
  }

  /** The bits of a match. */
  static bitsOf(match: number): number {
    return match & ((1 << MATCHED_BITS) - 1)
  }

  /** The percentage of a match. */
  confidenceOf(match: number): number {
    return this.#confidences[match >> MATCHED_BITS] as number
  }

  #addName(text: string): number {
    const known = this.#nameIds.get(text)
    if (known !== undefined) return known
    const control = this.#facts.findControl(text)
    const { http, cert, asnum, asname } = control
    this.names.push({
      text,
      control,
      isInControlGroup: control.answered > 0,
      hasControlTags: http.size + cert.size + asnum.size + asname.size > 0,
    })
    this.#nameIds.set(text, this.names.length - 1)
    return this.names.length - 1
  }

  #addAnswer({ address, tags: own, unknown }: SatelliteAnswer): number {
    const tags = this.#facts.findTags(address) ?? own ?? NO_TAGS
    const { http, cert, asnum, asname } = tags
    const key = JSON.stringify([address, http, cert, asnum, asname, unknown])
    const known = this.#answerIds.get(key)
    if (known !== undefined) return known
    this.answers.push({
      address,
      addressId: this.addressId(address),
      tags,
      isTagged: http !== null || cert !== null || asnum !== null || asname !== null,
      isCdn: asname !== null && isCdnName(asname, this.#facts.cdnMatch),
      unknown,
    })
    this.#answerIds.set(key, this.answers.length - 1)
    return this.answers.length - 1
  }
}

/** Reads an answer of a dictionary: an address between quotes, or with its tags up to `matched`. */
export function readAnswer(text: string): SatelliteAnswer {
  const response: unknown = JSON.parse(text.endsWith('"') ? `[${text}]` : `{${text}"matched":null}}`)
  const { trials } = readRow({ vp: 'v', test_url: 't', response: [{ url: 't', response }] }, undefined)
  return trials[0]?.answers[0] as SatelliteAnswer
}
