/**
 * The network-status document (consensus), in either flavour: lines → entries.
 *
 * Written by nine authorities, read here as if by an enemy: a line that does not fit is skipped, an entry without a
 * usable `r` line does not exist, and the number of entries is bounded.
 *
 * Sources: Tor dir-spec sections 3.4.1 (network status), 3.9 (microdesc flavour).
 */
import { formatIp, parseIp } from '../core/ip-address.ts'
import { formatIsoTime, parseTime } from '../core/clock.ts'

/** Relays in one consensus; the public network has about 10,000. */
const ENTRIES_MAX = 65_536
const PARAMS_MAX = 1_024

/** One relay in a consensus. */
export interface ConsensusEntry {
  /** 40 hexadecimal digits, upper case. */
  readonly fingerprint: string
  readonly nickname: string
  readonly address: string
  readonly orPort: number
  /** The `a` lines, `[2001:db8::1]:9001`. */
  readonly moreAddresses: readonly string[]
  readonly flags: ReadonlySet<string>
  readonly bandwidth: number
  readonly measured: boolean
  /** The `p` line; `null` in the microdesc flavour. */
  readonly policySummary: string | null
  /** The `m` line: SHA-256 of the microdescriptor in base64; `null` in the ns flavour. */
  readonly microdescriptorDigest: string | null
}

/** A consensus. */
export interface Consensus {
  /** ISO 8601 UTC; empty when the document did not say (as `GETINFO ns/all`). */
  readonly validAfter: string
  readonly params: ReadonlyMap<string, number>
  readonly entries: ReadonlyMap<string, ConsensusEntry>
}

/** Takes the lines of a document one after the other. */
export interface ConsensusReader {
  take(line: string): void
  finish(): Consensus
}

type Writable<T> = { -readonly [K in keyof T]: T[K] }

/** A reader for one document. */
export function createConsensusReader(): ConsensusReader {
  let validAfter = ''
  const params = new Map<string, number>()
  const entries = new Map<string, ConsensusEntry>()
  let entry: Writable<ConsensusEntry> | undefined

  return {
    take: (line) => {
      const space = line.indexOf(' ')
      const keyword = space < 0 ? line : line.slice(0, space)
      const rest = space < 0 ? '' : line.slice(space + 1)
      if (keyword === 'r') {
        entry = entries.size < ENTRIES_MAX ? parseRouterLine(rest) : undefined
        if (entry !== undefined) entries.set(entry.fingerprint, entry)
      } else if (keyword === 'directory-footer') entry = undefined
      else if (entry !== undefined) takeEntryLine(entry, keyword, rest)
      else if (keyword === 'valid-after') validAfter = parseValidAfter(rest)
      else if (keyword === 'params') takeParams(params, rest)
    },
    finish: () => ({ validAfter, params, entries }),
  }
}

function takeEntryLine(entry: Writable<ConsensusEntry>, keyword: string, rest: string): void {
  switch (keyword) {
    case 's':
      entry.flags = new Set(rest.split(' ', 64).filter((flag) => flag !== ''))
      break
    case 'a':
      if (entry.moreAddresses.length < 8) entry.moreAddresses = [...entry.moreAddresses, rest.slice(0, 64)]
      break
    case 'w': {
      const bandwidth = /(?:^| )Bandwidth=(\d{1,10})(?: |$)/.exec(rest)?.[1]
      if (bandwidth !== undefined) entry.bandwidth = Number(bandwidth)
      entry.measured = !/(?:^| )Unmeasured=1(?: |$)/.test(rest)
      break
    }
    case 'p':
      entry.policySummary = rest.slice(0, 8_192)
      break
    case 'm':
      entry.microdescriptorDigest = /^[\w+/]{43}/.exec(rest)?.[0] ?? null
      break
    default:
  }
}

/** `nickname identity [digest] date time address orport dirport`: the microdesc flavour has no digest. */
function parseRouterLine(rest: string): Writable<ConsensusEntry> | undefined {
  const words = rest.split(' ', 9)
  const [nickname = '', identity = ''] = words
  const [address = '', port = ''] = words.slice(/^\d{4}-/.test(words[2] ?? '') ? 4 : 5)
  const fingerprint = parseIdentity(identity)
  const octets = parseIp(address)
  if (fingerprint === undefined || octets === undefined || !/^\d{1,5}$/.test(port)) return undefined
  if (!/^[A-Za-z0-9]{1,19}$/.test(nickname)) return undefined
  return {
    fingerprint,
    nickname,
    address: formatIp(octets),
    orPort: Number(port),
    moreAddresses: [],
    flags: new Set(),
    bandwidth: 0,
    measured: true,
    policySummary: null,
    microdescriptorDigest: null,
  }
}

function parseIdentity(text: string): string | undefined {
  if (!/^[A-Za-z0-9+/]{27}$/.test(text)) return undefined
  const octets = atob(`${text}=`)
  let hex = ''
  for (let i = 0; i < octets.length; i++) hex += (octets.codePointAt(i) ?? 0).toString(16).padStart(2, '0')
  return hex.toUpperCase()
}

function parseValidAfter(text: string): string {
  const wallMs = parseTime(text)
  return Number.isNaN(wallMs) ? '' : formatIsoTime(wallMs)
}

function takeParams(params: Map<string, number>, text: string): void {
  for (const pair of text.split(' ', PARAMS_MAX)) {
    const match = /^([\w-]{1,64})=(-?\d{1,10})$/.exec(pair)
    if (match !== null) params.set(match[1] ?? '', Number(match[2]))
  }
}
