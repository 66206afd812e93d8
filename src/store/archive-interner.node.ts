/**
 * Gives texts that occur again and again a number: relays, addresses, verdicts, and what is known about a relay.
 *
 * **Invariant**: a number is never given to something else. Numbers that were given in a transaction that was rolled
 * back must be forgotten (`forget`).
 *
 * Format: docs/formats/archive.md
 */
import { createHash } from 'node:crypto'
import type { DatabaseSync, StatementSync } from 'node:sqlite'
import { assert } from '../core/assert.ts'
import type { ExitResult } from '../model/exit-result.ts'
import { encodeNumbers } from './number-list.ts'

/** More relays and addresses than a year has; beyond, everything is looked up again. */
const REMEMBERED_MAX = 50_000

/** Finds or gives numbers. Only inside a transaction that writes. */
export interface ArchiveInterner {
  relay(fingerprint: string): number
  /** 0 for `null`. */
  term(text: string | null): number
  /** Number of (status, status of AAAA, code, flags). */
  kind(result: Pick<ExitResult, 'status' | 'status_ipv6' | 'error_code' | 'flags'>): number
  /** Number of what does not change from run to run; a new one when it changed. */
  fact(relay: number, result: ExitResult): number
  /** Number of the family of a relay; 0 for none. */
  family(result: Pick<ExitResult, 'family' | 'exit_fingerprint'>): number
  forget(): void
}

/** @param database - The connection that writes. */
export function createInterner(database: DatabaseSync): ArchiveInterner {
  const table = (name: string, column: string): TextTable => createTextTable(database, name, column)
  const [relays, terms, kinds] = [table('relay', 'fingerprint'), table('term', 'value'), table('kind', 'value')]
  const facts = createFactTable(database)
  const families = createFamilyTable(database, relays)
  return {
    relay: (fingerprint) => relays.idOf(fingerprint),
    term: (text) => (text === null ? 0 : terms.idOf(text)),
    kind: ({ status, status_ipv6: statusIpv6, error_code: code, flags }) =>
      kinds.idOf(JSON.stringify([status, statusIpv6, code, flags])),
    fact: (relay, result) => facts.idOf(relay, result),
    family: (result) => families.idOf(result),
    forget: () => {
      for (const each of [relays, terms, kinds, facts, families]) each.forget()
    },
  }
}

interface TextTable {
  idOf(text: string): number
  forget(): void
}

function createTextTable(database: DatabaseSync, table: string, column: string): TextTable {
  const find = database.prepare(`SELECT id FROM ${table} WHERE ${column} = ?`)
  const insert = database.prepare(`INSERT INTO ${table} (${column}) VALUES (?) RETURNING id`)
  const known = new Map<string, number>()
  return {
    idOf: (text) => {
      const remembered = known.get(text)
      if (remembered !== undefined) return remembered
      const id = idIn(find, text) ?? idIn(insert, text)
      assert(id !== undefined, 'SQLite gave no number')
      if (known.size >= REMEMBERED_MAX) known.clear()
      known.set(text, id)
      return id
    },
    forget: () => {
      known.clear()
    },
  }
}

function idIn(statement: StatementSync, ...values: readonly (string | number | Uint8Array)[]): number | undefined {
  const id = statement.get(...values)?.['id']
  return typeof id === 'number' ? id : undefined
}

interface FactTable {
  idOf(relay: number, result: ExitResult): number
  forget(): void
}

function createFactTable(database: DatabaseSync): FactTable {
  const newest = database.prepare('SELECT id, value, detail FROM fact WHERE relay = ? ORDER BY id DESC LIMIT 1')
  const insert = database.prepare('INSERT INTO fact (relay, value, detail) VALUES (?, ?, ?) RETURNING id')
  const known = new Map<number, { readonly id: number; readonly text: string }>()
  return {
    idOf: (relay, result) => {
      const value = factValue(result)
      const detail = factDetail(result)
      const text = `${value} ${detail}`
      const remembered = known.get(relay)
      if (remembered?.text === text) return remembered.id
      const found = newest.get(relay)
      const isSame = found?.['value'] === value && found['detail'] === detail
      const id = isSame ? Number(found['id']) : idIn(insert, relay, value, detail)
      assert(id !== undefined, 'SQLite gave no number')
      if (known.size >= REMEMBERED_MAX) known.clear()
      known.set(relay, { id, text })
      return id
    },
    forget: () => {
      known.clear()
    },
  }
}

/** What lists show, and whether the relay names itself as a member of its family. */
function factValue(result: ExitResult): string {
  const namesItself = result.family.includes(result.exit_fingerprint)
  const { exit_nickname: nickname, exit_address: address, as, country, operator } = result
  return JSON.stringify([nickname, address, as, country, operator, namesItself])
}

/** What only the page about one relay shows. */
function factDetail(result: ExitResult): string {
  return JSON.stringify({
    or_addresses: result.or_addresses,
    exit_flag: result.exit_flag,
    bad_exit: result.bad_exit,
    candidate_reason: result.candidate_reason,
    policy_summary: result.policy_summary,
    contact: result.contact,
  })
}

interface FamilyTable {
  idOf(result: Pick<ExitResult, 'family' | 'exit_fingerprint'>): number
  forget(): void
}

/** Families are kept once for all their members: a member that does not name itself is added, and said so in its facts. */
function createFamilyTable(database: DatabaseSync, relays: TextTable): FamilyTable {
  const find = database.prepare('SELECT id FROM family WHERE digest = ?')
  const insert = database.prepare('INSERT INTO family (digest, members) VALUES (?, ?) RETURNING id')
  const known = new Map<string, number>()
  // Members that name themselves may share one list: it is looked at once.
  let lists = new WeakMap<readonly string[], number>()
  const lookUp = (family: readonly string[], fingerprint: string): number => {
    const members = [...new Set([...family, fingerprint])].toSorted()
    const digest = createHash('sha256').update(JSON.stringify(members)).digest('hex')
    const remembered = known.get(digest)
    if (remembered !== undefined) return remembered
    const id = idIn(find, digest) ?? idIn(insert, digest, encodeNumbers(members.map((member) => relays.idOf(member))))
    assert(id !== undefined, 'SQLite gave no number')
    if (known.size >= REMEMBERED_MAX) known.clear()
    known.set(digest, id)
    return id
  }
  return {
    idOf: ({ family, exit_fingerprint: fingerprint }) => {
      if (family.length === 0) return 0
      if (!family.includes(fingerprint)) return lookUp(family, fingerprint)
      const id = lists.get(family) ?? lookUp(family, fingerprint)
      lists.set(family, id)
      return id
    },
    forget: () => {
      known.clear()
      lists = new WeakMap()
    },
  }
}
