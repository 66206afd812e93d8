/**
 * Gives numbers of the archive their meaning back: relays, addresses, verdicts, facts.
 *
 * **Invariant**: what a number means never changes, so that what was read once may be remembered. All memory is bounded.
 */
import type { DatabaseSync } from 'node:sqlite'
import { assert } from '../core/assert.ts'
import type { ExitErrorCode, ExitFlag, ExitResult, ExitStatus } from '../model/exit-result.ts'
import { createLruCache } from './lru-cache.ts'
import { decodeNumbers } from './number-list.ts'

/** All relays and facts of some months, about 10 MB. */
const REMEMBERED_MAX = 20_000
/** As many operators as there are with more than one exit, and what became of them within some weeks. */
const FAMILIES_MAX = 2000
const NO_FAMILY: readonly string[] = []

/** The verdict about a relay. */
export interface StoredVerdict {
  readonly status: ExitStatus
  readonly statusIpv6: ExitStatus | null
  readonly errorCode: ExitErrorCode | null
  readonly flags: readonly ExitFlag[]
}

/** What lists show of a relay beside its verdict. */
export interface StoredFacts {
  readonly nickname: string
  readonly address: string
  readonly as: string | null
  readonly country: string | null
  readonly operator: string | null
  /** Whether the relay is named in its own family. */
  readonly namesItself: boolean
}

/** What only the page about one relay shows. */
export type StoredDetail = Pick<
  ExitResult,
  'or_addresses' | 'exit_flag' | 'bad_exit' | 'candidate_reason' | 'policy_summary' | 'contact'
>

/** Numbers → what they stand for. */
export interface ArchiveTexts {
  fingerprint(relay: number): string
  /** @returns The number of a relay; `undefined` for one that was never seen. */
  relayOf(fingerprint: string): number | undefined
  term(id: number): string | null
  verdict(kind: number): StoredVerdict
  facts(fact: number): StoredFacts
  /** All members of a family, in order; empty for 0. */
  family(id: number): readonly string[]
  detail(fact: number): StoredDetail
}

/** @param database - A connection that reads. */
export function createArchiveTexts(database: DatabaseSync): ArchiveTexts {
  const one = (sql: string): ((id: number) => string) => remembered(database, sql)
  const fingerprint = one('SELECT fingerprint AS value FROM relay WHERE id = ?')
  const term = one('SELECT value FROM term WHERE id = ?')
  const findRelay = database.prepare('SELECT id FROM relay WHERE fingerprint = ?')
  const detail = database.prepare('SELECT detail FROM fact WHERE id = ?')
  return {
    fingerprint,
    relayOf: (text) => {
      const id = findRelay.get(text)?.['id']
      return typeof id === 'number' ? id : undefined
    },
    term: (id) => (id === 0 ? null : term(id)),
    verdict: createVerdicts(database),
    facts: createFacts(database),
    family: createFamilies(database, fingerprint),
    detail: (fact) => JSON.parse(String(detail.get(fact)?.['detail'])) as StoredDetail,
  }
}

function remembered(database: DatabaseSync, sql: string): (id: number) => string {
  const statement = database.prepare(sql)
  const cache = createLruCache<number, string>(REMEMBERED_MAX)
  return (id) => {
    const known = cache.get(id)
    if (known !== undefined) return known
    const value = statement.get(id)?.['value']
    assert(typeof value === 'string', `the archive has no text with the number ${id}`)
    cache.set(id, value)
    return value
  }
}

function createVerdicts(database: DatabaseSync): (kind: number) => StoredVerdict {
  const statement = database.prepare('SELECT value FROM kind WHERE id = ?')
  const cache = createLruCache<number, StoredVerdict>(REMEMBERED_MAX)
  return (kind) => {
    const known = cache.get(kind)
    if (known !== undefined) return known
    const text = statement.get(kind)?.['value']
    assert(typeof text === 'string', `the archive has no verdict with the number ${kind}`)
    // Only the interner writes this column.
    const [status, statusIpv6, errorCode, flags] = JSON.parse(text) as [
      ExitStatus,
      ExitStatus | null,
      ExitErrorCode | null,
      readonly ExitFlag[],
    ]
    const verdict = { status, statusIpv6, errorCode, flags }
    cache.set(kind, verdict)
    return verdict
  }
}

function createFacts(database: DatabaseSync): (fact: number) => StoredFacts {
  const statement = database.prepare('SELECT value FROM fact WHERE id = ?')
  const cache = createLruCache<number, StoredFacts>(REMEMBERED_MAX)
  return (fact) => {
    const known = cache.get(fact)
    if (known !== undefined) return known
    const value = statement.get(fact)?.['value']
    assert(typeof value === 'string', `the archive has no facts with the number ${fact}`)
    const [nickname, address, as, country, operator, namesItself] = JSON.parse(value) as [
      string,
      string,
      string | null,
      string | null,
      string | null,
      boolean,
    ]
    const facts = { nickname, address, as, country, operator, namesItself }
    cache.set(fact, facts)
    return facts
  }
}

function createFamilies(
  database: DatabaseSync,
  fingerprint: (relay: number) => string,
): (id: number) => readonly string[] {
  const statement = database.prepare('SELECT members FROM family WHERE id = ?')
  const cache = createLruCache<number, readonly string[]>(FAMILIES_MAX)
  return (id) => {
    if (id === 0) return NO_FAMILY
    const known = cache.get(id)
    if (known !== undefined) return known
    const packed = statement.get(id)?.['members']
    assert(packed instanceof Uint8Array, `the archive has no family with the number ${id}`)
    const members = decodeNumbers(packed).map(fingerprint)
    cache.set(id, members)
    return members
  }
}
