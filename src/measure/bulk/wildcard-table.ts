/**
 * What random names beside a name are answered with: so that a name that exists is told from one that a wildcard answers.
 *
 * Invariant: compares answers and concludes nothing; a name may exist and have the wildcard's answer all the same.
 *
 * Sources: RFC 4592 (wildcards); puredns (the nearest parent decides, and several names, because addresses rotate).
 */
import { randomInt, type Random } from '../../core/random.ts'

const LABEL_LETTERS = 16
const LETTERS = 'abcdefghijklmnopqrstuvwxyz'

/** What is looked at of a record of a bulk run. */
export interface NamedRecord {
  readonly name: string
  readonly type: string
  readonly status: string
  readonly data: { readonly answers?: readonly { readonly type: string; readonly data: string }[] }
}

/** Whether a name was answered with records. */
export function hasAnswers({ status, data }: NamedRecord): boolean {
  return status === 'NOERROR' && (data.answers?.length ?? 0) > 0
}

/** The name without its first label, `.` above the last. Escaped dots part nothing. */
export function parentName(name: string): string {
  for (let at = 0; at < name.length; at++) {
    if (name[at] === '\\') at++
    else if (name[at] === '.') return name.slice(at + 1) || '.'
  }
  return '.'
}

/** A name below `parent` that nobody has given to anything. */
export function randomChild(parent: string, random: Random): string {
  let label = ''
  for (let i = 0; i < LABEL_LETTERS; i++) label += LETTERS.charAt(randomInt(random, LETTERS.length))
  return parent === '.' ? `${label}.` : `${label}.${parent}`
}

/** Answers of random names, by parent and type. */
export class WildcardTable {
  private readonly answers = new Map<string, Set<string>>()

  /** Adds the record of a random name. */
  add(record: NamedRecord): void {
    if (!hasAnswers(record)) return
    const key = keyOf(record)
    const known = this.answers.get(key) ?? new Set()
    for (const answer of record.data.answers ?? []) known.add(`${answer.type} ${answer.data}`)
    this.answers.set(key, known)
  }

  /** Whether every answer of a name is also the answer of a random name beside it. */
  matches(record: NamedRecord): boolean {
    const known = this.answers.get(keyOf(record))
    if (known === undefined || !hasAnswers(record)) return false
    return (record.data.answers ?? []).every(({ type, data }) => known.has(`${type} ${data}`))
  }
}

function keyOf({ name, type }: NamedRecord): string {
  return `${parentName(name).toLowerCase()} ${type}`
}
