/**
 * The output of `kdig -G FILE` for dnstap files (Knot DNS): blocks of lines, the address last.
 *
 * Queries (`+qr`) say what the resolver sent; without them the responses say who asked and when.
 *
 * **Sources**: kdig of Knot DNS 3.2.
 */
import type { AuthorityQuery } from '../../model/authority-query.ts'
import { makeQuery, parseSubnet, type LoggedQuery } from './authority-log-text.ts'

/** Puts blocks together. */
export interface KdigReader {
  /**
   * Takes a line that starts with `;;`, or is inside of a block.
   *
   * @returns The query when the line ends its block; `false` when the block makes no sense; else `undefined`.
   */
  take(line: string): AuthorityQuery | false | undefined
  /** Whether a block has begun and not ended. */
  isInside(): boolean
}

/** A block longer than this is none. */
const BLOCK_LINES_MAX = 400

/** A reader between two blocks. */
export function createKdigReader(): KdigReader {
  let block: string[] | undefined
  return {
    take: (line) => {
      if (isKdigHeader(line)) block = []
      if (block === undefined) return undefined
      if (block.push(line) > BLOCK_LINES_MAX) {
        block = undefined
        return false
      }
      if (!/^;; (?:From|To) /.test(line)) return undefined
      const query = readBlock(block)
      block = undefined
      return query ?? false
    },
    isInside: () => block !== undefined,
  }
}

/** @returns Whether a line begins a block: kdig separates with `;` what dnstap-read separates with `,`. */
export function isKdigHeader(line: string): boolean {
  return /^;; ->>HEADER<<- opcode: \w+; status: \w+; id: \d+$/.test(line)
}

function readBlock(lines: readonly string[]): AuthorityQuery | undefined {
  const find = (pattern: RegExp): RegExpExecArray | undefined => {
    for (const line of lines) {
      const match = pattern.exec(line)
      if (match !== null) return match
    }
    return undefined
  }
  const header = find(/status: (\w+); id: (\d+)$/)
  const flags = ` ${find(/^;; Flags: ([^;]*);/)?.[1] ?? ''} `
  const edns = find(/^;; Version: \d+; flags: ([^;]*); UDP size: (\d+) B/)
  const question = lines[lines.indexOf(';; QUESTION SECTION:') + 1]
  const asked = /^;; (\S+)\s+(\S+)\s+(\S+)$/.exec(question ?? '')
  const peer = find(/^;; (?:From|To) (\S+)@(\d+)\((UDP|TCP|TLS)\)/)
  const logged: LoggedQuery = {
    time: find(/^;; Time (\S+ \S+) UTC$/)?.[1],
    address: peer?.[1],
    port: peer?.[2],
    name: asked?.[1],
    rrClass: asked?.[2],
    type: asked?.[3],
    tcp: peer?.[3] !== 'UDP',
  }
  const query = makeQuery(logged)
  if (query === undefined) return undefined
  const isResponse = flags.includes(' qr ')
  const subnet = find(/^;; CLIENT-SUBNET: (\S+)/)?.[1]
  return {
    ...query,
    id: Number(header?.[2]),
    recursion_desired: flags.includes(' rd '),
    // The size in a response is the server's own; that there is one says that the query had EDNS.
    edns_udp_size: edns === undefined ? null : isResponse ? 0 : Number(edns[2]),
    dnssec_ok: ` ${edns?.[1] ?? ''} `.includes(' do '),
    client_subnet: subnet === undefined ? null : parseSubnet(subnet),
    cookie: find(/^;; COOKIE: /) !== undefined,
    outcome: isResponse && header?.[1] === 'REFUSED' ? 'refused' : 'answered',
    rcode: isResponse ? (RCODES[header?.[1] ?? ''] ?? 0) : 0,
  }
}

const RCODES: Readonly<Record<string, number>> = {
  NOERROR: 0,
  FORMERR: 1,
  SERVFAIL: 2,
  NXDOMAIN: 3,
  NOTIMPL: 4,
  REFUSED: 5,
}
