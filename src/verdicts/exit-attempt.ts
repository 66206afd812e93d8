/**
 * Detector `exit-attempt`: what one answer through one circuit says about DNS at the exit.
 *
 * The DNSPort of the client's Tor keeps three outcomes apart: an answer (RCODE 0), "no such thing" (RCODE 3, which
 * stands for name error, no data, refused and not implemented alike) and "failed" (RCODE 2). Of the last one only the
 * time tells whether the resolver failed at once or never answered: an exit gives up after T.
 *
 * **Invariant**: pure. Nothing that happened before an answer came (`STREAM_STALL`) ever counts against DNS.
 *
 * **Sources**: Tor's dnsserv.c, dns.c and dir-spec (`exit_dns_timeout`, `exit_dns_num_attempts`), measured with tor
 * 0.4.9. Specification: docs/detectors/exit-attempt.md
 */
import { assertNever } from '../core/assert.ts'
import { canonicalIp } from '../core/ip-address.ts'
import type { ExitErrorCode, ExitMode, ExitStatus } from '../model/exit-result.ts'

/** Below this share of T a failure is an answer of the resolver. */
const QUICK_SHARE = 0.45
/** From this share of T on a failure is the exit's own time-out. */
const TIMEOUT_SHARE = 0.9
/** Above this share of T our own knowledge of the time is too poor for a strict class. */
const UNSURE_SHARE = 0.25
/** An answer may name hundreds of addresses; a sentence for people names so many. */
const ADDRESSES_IN_SENTENCE_MAX = 4

/** One answer and what is needed to judge it. */
export interface ExitAnswer {
  /** What the zone is expected to do; in `stable` every address that is not internal is right. */
  readonly mode: ExitMode
  readonly queryType: 'A' | 'AAAA'
  /** The right addresses of the family asked for, canonical. May be private ones. */
  readonly expected: readonly string[]
  /** RCODE from the DNSPort; `null` when nothing came within the query time-out. */
  readonly rcode: number | null
  /** Every address in the answer, of both families. */
  readonly addresses: readonly string[]
  /** Sending → answer, in milliseconds; `null` when none came. */
  readonly elapsedMs: number | null
  /** Round trip of this circuit (last EXTEND → BUILT), in milliseconds; `null` when not known. */
  readonly circuitRttMs: number | null
  /** Our own delay meanwhile (event loop, control port), in milliseconds. */
  readonly ownDelayMs: number
  /** T: how long the exit waits for its resolver, all tries together, in milliseconds. */
  readonly resolveTimeoutMs: number
  /** How long we waited, in milliseconds. */
  readonly queryTimeoutMs: number
  /**
   * Whether Tor counts an address as internal (10/8, 127/8, 169.254/16, fc00::/7, …), which is not the same as "not
   * public": documentation addresses are not internal.
   */
  readonly isInternal: (address: string) => boolean
}

/** The verdict about one answer. */
export interface ExitAnswerVerdict {
  readonly status: ExitStatus
  readonly errorCode: ExitErrorCode | null
  /** One sentence for people; `null` on success. */
  readonly error: string | null
  /**
   * Whether round trip or own delay exceed a quarter of T (or the round trip is not known). A fact about this
   * measurement, also where the class does not depend on time.
   */
  readonly unsure: boolean
}

/**
 * Judges one answer.
 *
 * @returns Never `not_tested`, `circuit_fail` or `exception`: those have no answer.
 */
export function classifyExitAnswer(answer: ExitAnswer): ExitAnswerVerdict {
  const unsure = isUnsure(answer)
  switch (answer.rcode) {
    case null:
      return {
        ...fault('error', 'STREAM_STALL', `No answer came through the circuit within ${answer.queryTimeoutMs} ms`),
        unsure,
      }
    case 0:
      return { ...classifyAddresses(answer), unsure }
    case 2:
      return { ...classifyFailure(answer, unsure), unsure }
    case 3:
      if (answer.mode === 'nxdomain') return { ...SUCCESS, unsure }
      return {
        ...fault('dns_fail', 'PERMANENT', 'The exit says that the name has no address (RCODE 3), but it has one'),
        unsure,
      }
    default:
      // An exit cannot cause these: its cells know an answer, a transient and a permanent failure.
      return {
        ...fault(
          'error',
          `CONTROL_DNSPORT_RCODE_${answer.rcode}`,
          `The DNSPort of our own Tor answered RCODE ${answer.rcode}`,
        ),
        unsure,
      }
  }
}

type Judgement = Omit<ExitAnswerVerdict, 'unsure'>

const SUCCESS: Judgement = { status: 'success', errorCode: null, error: null }

function fault(status: ExitStatus, errorCode: ExitErrorCode, error: string): Judgement {
  return { status, errorCode, error }
}

function isUnsure({ circuitRttMs, ownDelayMs, resolveTimeoutMs }: ExitAnswer): boolean {
  const boundMs = UNSURE_SHARE * resolveTimeoutMs
  return circuitRttMs === null || circuitRttMs > boundMs || ownDelayMs > boundMs
}

function classifyAddresses(answer: ExitAnswer): Judgement {
  const ofFamily = answer.addresses
    .map((address) => canonicalIp(address) ?? address)
    .filter((address) => address.includes(':') === (answer.queryType === 'AAAA'))
  if (ofFamily.length === 0) {
    return fault('dns_fail', 'NO_A_ANSWER', `The exit answered without an ${answer.queryType} address`)
  }
  switch (answer.mode) {
    case 'nxdomain':
      return fault('wrong_ip', 'NXDOMAIN_REWRITTEN', `The name does not exist, the exit gave ${list(ofFamily)}`)
    case 'stable': {
      const internal = ofFamily.filter((address) => answer.isInternal(address))
      if (internal.length === 0) return SUCCESS
      return fault('wrong_ip', 'INTERNAL_ADDRESS_SUSPECTED', `The exit gave the internal ${list(internal)}`)
    }
    case 'wildcard': {
      const wrong = ofFamily.filter((address) => !answer.expected.includes(address))
      if (wrong.length === 0) return SUCCESS
      const internal = wrong.every((address) => answer.isInternal(address))
      return fault(
        'wrong_ip',
        internal ? 'INTERNAL_ADDRESS_SUSPECTED' : 'WRONG_ADDRESS',
        `Expected ${list(answer.expected)}, got ${list(ofFamily)}`,
      )
    }
    default:
      return assertNever(answer.mode)
  }
}

function classifyFailure(answer: ExitAnswer, unsure: boolean): Judgement {
  const elapsedMs = answer.elapsedMs ?? Number.POSITIVE_INFINITY
  // The slower class accuses less: a resolver that gave no answer in time may be loaded or far away, one that failed at
  // once is broken. Unsure, we therefore take nothing off: the exit cannot have waited longer than we did.
  const roundTripMs = unsure || answer.circuitRttMs === null ? 0 : answer.circuitRttMs
  const resolverMs = elapsedMs - roundTripMs
  const share = resolverMs / answer.resolveTimeoutMs
  const afterText = `after ${Math.max(0, Math.round(resolverMs))} ms at the exit`
  if (share >= TIMEOUT_SHARE) {
    return fault('timeout', 'RESOLVER_TIMEOUT', `The resolver of the exit gave no answer (RCODE 2 ${afterText})`)
  }
  if (share >= QUICK_SHARE) {
    return fault('dns_fail', 'SERVFAIL_SLOW', `The exit could not resolve the name (RCODE 2 ${afterText})`)
  }
  return fault('dns_fail', 'SERVFAIL_CLASS', `The resolver of the exit failed at once (RCODE 2 ${afterText})`)
}

function list(addresses: readonly string[]): string {
  if (addresses.length === 0) return 'nothing'
  const shown = addresses.slice(0, ADDRESSES_IN_SENTENCE_MAX).join(', ')
  const more = addresses.length - ADDRESSES_IN_SENTENCE_MAX
  return more > 0 ? `${shown} and ${more} more` : shown
}
