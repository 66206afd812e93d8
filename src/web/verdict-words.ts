/**
 * The words of verdicts, for people: one label and one meaning per status, code and flag.
 *
 * Invariant: "not measured" never reads as good or bad news about a relay.
 *
 * Sources: docs/formats/exits.md.
 */
import type { ExitStanding } from '../api/exit-standing.ts'
import type { ExitFlag, ExitStatus } from '../model/exit-result.ts'

/** How a status is said and drawn. */
export interface StatusWords {
  /** Two or three words. */
  readonly label: string
  /** A shape before the label, so that nothing rests on colour; hidden from screen readers. */
  readonly mark: string
  /** One sentence. */
  readonly meaning: string
  /** Of which number a share is given. */
  readonly denominator: 'measured' | 'candidates'
}

/** Words for each status. */
export const STATUS_WORDS: Readonly<Record<ExitStatus, StatusWords>> = {
  success: {
    label: 'sound',
    mark: '✓',
    meaning: 'The exit gave the right address for a name that nobody had asked before.',
    denominator: 'measured',
  },
  wrong_ip: {
    label: 'wrong address',
    mark: '✕',
    meaning: 'The exit gave an address that is not the right one.',
    denominator: 'measured',
  },
  dns_fail: {
    label: 'DNS fails',
    mark: '!',
    meaning: 'The exit answered, but without an address for a name that has one.',
    denominator: 'measured',
  },
  timeout: {
    label: 'DNS times out',
    mark: '…',
    meaning: 'The exit waited for its resolver until the time-out and gave up.',
    denominator: 'measured',
  },
  circuit_fail: {
    label: 'unreachable',
    mark: '–',
    meaning: 'No circuit to the exit was built, or it refused to carry the question: DNS was not measured.',
    denominator: 'candidates',
  },
  error: {
    label: 'no answer for us',
    mark: '?',
    meaning: 'Tor or our own side did not carry the question through: DNS was not measured.',
    denominator: 'candidates',
  },
  exception: {
    label: 'our bug',
    mark: '?',
    meaning: 'The scanner itself failed at this relay: DNS was not measured.',
    denominator: 'candidates',
  },
  not_tested: {
    label: 'not tested',
    mark: '○',
    meaning: 'The run ended before its turn came.',
    denominator: 'candidates',
  },
}

/** Every status in the order of tables: good news, bad news, no news. */
export const STATUSES_IN_ORDER: readonly ExitStatus[] = [
  'success',
  'wrong_ip',
  'dns_fail',
  'timeout',
  'circuit_fail',
  'error',
  'exception',
  'not_tested',
]

/** How a standing is said: what a verdict amounts to for somebody who counts exits. */
export const STANDING_WORDS: Readonly<Record<ExitStanding, { readonly label: string; readonly meaning: string }>> = {
  sound: { label: 'sound', meaning: 'Measured, and nothing was wrong.' },
  suspect: {
    label: 'suspect',
    meaning: 'Measured, and something was wrong, but the evidence does not carry an accusation.',
  },
  failing: { label: 'failing', meaning: 'Measured, and the failure was confirmed.' },
  unreachable: { label: 'unreachable', meaning: 'Not reached, so DNS was not measured.' },
  not_judged: { label: 'not judged', meaning: 'Reached, but nothing came back that says anything about DNS.' },
  not_tested: { label: 'not tested', meaning: 'The run ended before its turn came.' },
}

const CODE_MEANINGS: Readonly<Record<string, string>> = {
  WRONG_ADDRESS: 'An answer came with an address that our zone does not have.',
  INTERNAL_ADDRESS_SUSPECTED:
    'Our authority was asked and answered, and yet no address came back: so it looks when the resolver puts a private address in its place, which Tor throws away.',
  NXDOMAIN_REWRITTEN: 'A name that does not exist got an address.',
  PERMANENT: 'The resolver said a definite no (RCODE 3 from Tor): no such name, no data, refused or not implemented.',
  SERVFAIL_CLASS: 'The resolver failed at once (RCODE 2 from Tor), long before the exit would have given up waiting.',
  SERVFAIL_SLOW: 'The resolver failed (RCODE 2 from Tor) after a while, yet before the exit would have given up.',
  NO_A_ANSWER: 'An answer came, but without an IPv4 address.',
  RESOLVER_TIMEOUT: 'RCODE 2 came from Tor only when the exit had waited its whole time-out for the resolver.',
  NOT_EXITING: 'The relay refused to carry the question.',
  HOP1_FAIL: 'The circuit failed at its first hop, which says nothing about the exit.',
  EXIT_FAIL: 'The circuit failed at the exit itself.',
  LEFT_CONSENSUS: 'The relay left the consensus while the run went on.',
  STREAM_STALL: 'The question was sent and neither an answer nor an error came back.',
  EXCEPTION: 'The scanner itself failed at this relay.',
  DEADLINE: 'The deadline of the whole run came first.',
  RUN_STOPPED: 'The run was stopped first.',
}

/** Every code that has a meaning of its own, in the order of the format. */
export const ERROR_CODES: readonly string[] = Object.keys(CODE_MEANINGS)

/** Says what a code means, in one sentence. */
export function formatCodeMeaning(code: string): string {
  if (code.startsWith('SOCKS_')) return 'Tor refused the question at its SOCKS port.'
  if (code.startsWith('CONTROL_')) return 'Tor refused an order at its control port.'
  return CODE_MEANINGS[code] ?? 'This version has no words for this code.'
}

/** One sentence for each flag. */
export const FLAG_MEANINGS: Readonly<Record<ExitFlag, string>> = {
  inconsistent: 'some attempts were right and others were not',
  unconfirmed: 'one circuit failed and no other circuit gave a verdict that could confirm it',
  unsure: 'the circuit or this machine was too slow for a strict class, so the milder one was taken',
  confirmed_same_hop: 'confirmed by a new circuit, but through the same first hop',
  suspected: 'a suspicion, not a proof: names of third parties were asked',
  weak_evidence: 'our authority did not see the question, so the evidence is weak',
  decoy_mismatch: 'right for our zone, but another name that was mixed in got a wrong answer',
}

/** Names an RCODE as RFC 9499 does; the number where it has no name here. */
export function formatRcodeName(rcode: number): string {
  const names: Readonly<Record<number, string>> = {
    0: 'NOERROR',
    1: 'FORMERR',
    2: 'SERVFAIL',
    3: 'NXDOMAIN',
    4: 'NOTIMP',
    5: 'REFUSED',
  }
  return names[rcode] ?? `RCODE ${rcode}`
}

/** The address of the page that says how a code is decided. */
export function formatHowUrl(code: string): string {
  return `/how/${code
    .toLowerCase()
    .replaceAll('_', '-')
    .replaceAll(/[^a-z0-9-]/g, '')}`
}

/** The address of a relay at Tor Metrics. */
export function formatMetricsUrl(fingerprint: string): string {
  return `https://metrics.torproject.org/rs.html#details/${fingerprint}`
}
