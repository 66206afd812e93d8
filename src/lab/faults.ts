/**
 * Every fault that a laboratory exit can have, with what is right to say about it.
 *
 * The table is written from what Tor really does with such a resolver (docs/manual/laboratory.md), not from what the
 * scanner says. No room but the doors may import it.
 *
 * Invariant: a fault alone decides what is expected; nothing here depends on chance, load or another fault.
 */
import { RCODE_NOERROR, RCODE_NOTIMP, RCODE_NXDOMAIN, RCODE_REFUSED, RCODE_SERVFAIL } from '../dns/rcode.ts'
import type { ExitTruth } from '../model/run-view.ts'
import {
  CONTROL_NAMES,
  DECOY_LIE_ADDRESS,
  POISONED_ADDRESSES,
  PORTAL_ADDRESS,
  PRIVATE_ADDRESS,
  REWRITTEN_ADDRESSES,
  SEARCH_PAGE_ADDRESS,
} from './lab-addresses.ts'
import {
  RIGHT_BEHAVIOUR,
  type ResolverBehaviour,
  type ResolverReply,
  type ResolverStep,
  TRUTHFUL_STEP,
} from './resolver-behaviour.ts'

/** Longer than an exit waits for its resolver (2 s), shorter than a client waits for the exit. */
const TOO_SLOW_MS = 3_200
/** Between 0.45 and 0.9 of those 2 s. */
const SLOW_MS = 1_350

/** What stands in the exit's resolv.conf. */
export type NameServers = 'own' | 'dead_then_own' | 'closed_port' | 'central' | 'validating'

/** What happens to the relay itself. */
export type RelayState =
  | 'running'
  /** Its policy rejects everything; the authorities still vote Exit for it. */
  | 'rejecting'
  /** Stopped before anybody measures. */
  | 'frozen'
  /** Ended before anybody measures, still in the consensus. */
  | 'killed'
  /** Stopped at the first question that reaches its resolver. */
  | 'freezing_when_asked'
  /** Ended at that moment. */
  | 'dying_when_asked'

/** A (status, code) pair that is right. */
export type Expectation = ExitTruth['expected'][number]

/** A fault of an exit or of the resolver behind it. */
export interface Fault {
  /** Lower case with underscores; `right…` for exits without fault. */
  readonly name: string
  /** One sentence. */
  readonly description: string
  readonly behaviour: ResolverBehaviour
  readonly nameServers: NameServers
  readonly relay: RelayState
  /** Whether the exit also exits to IPv6. */
  readonly ipv6: boolean
  /** Every pair that is right for A. */
  readonly expected: readonly Expectation[]
  /** Every status that is right for AAAA; empty where the exit has no IPv6. */
  readonly expectedIpv6: readonly string[]
}

/** Stands for an exit that a run has no result of: it had stopped being an exit before. */
export const ABSENT_STATUS = 'absent'

const SUCCESS: readonly Expectation[] = [{ status: 'success', errorCode: null }]
const WRONG: readonly Expectation[] = [{ status: 'wrong_ip', errorCode: 'WRONG_ADDRESS' }]
const HIDDEN: readonly Expectation[] = [{ status: 'wrong_ip', errorCode: 'INTERNAL_ADDRESS_SUSPECTED' }]
const PERMANENT: readonly Expectation[] = [{ status: 'dns_fail', errorCode: 'PERMANENT' }]
const FAILS_AT_ONCE: readonly Expectation[] = [{ status: 'dns_fail', errorCode: 'SERVFAIL_CLASS' }]
const FAILS_SLOWLY: readonly Expectation[] = [{ status: 'dns_fail', errorCode: 'SERVFAIL_SLOW' }]
const TIMES_OUT: readonly Expectation[] = [{ status: 'timeout', errorCode: 'RESOLVER_TIMEOUT' }]
const UNREACHABLE: readonly Expectation[] = [{ status: 'circuit_fail', errorCode: 'EXIT_FAIL' }]
const NOT_EXITING: readonly Expectation[] = [{ status: 'circuit_fail', errorCode: 'NOT_EXITING' }]
const LOST_MIDWAY: readonly Expectation[] = [...UNREACHABLE, { status: 'error', errorCode: 'STREAM_STALL' }]
/** Tor's own test sees through this resolver after a minute or so, and then the relay stops being an exit. */
const HIJACKED: readonly Expectation[] = [
  ...WRONG,
  ...PERMANENT,
  ...NOT_EXITING,
  { status: ABSENT_STATUS, errorCode: null },
]

/** All faults; the first {@link FEW_FAULTS} are those of a small laboratory. */
export const FAULTS: readonly Fault[] = [
  right('right_ipv6', 'The resolver is right, and the exit has IPv6.', { ipv6: true, expectedIpv6: ['success'] }),
  fault('wrong_address', 'Another address is made up; nobody is asked.', WRONG, {
    behaviour: lies(never({ kind: 'address', address: REWRITTEN_ADDRESSES[0] })),
  }),
  fault('poisoned', 'The authority is asked, then another address is given.', WRONG, {
    behaviour: lies(after({ kind: 'address', address: POISONED_ADDRESSES[0] })),
  }),
  fault('nxdomain', 'Every name is said not to exist.', PERMANENT, { behaviour: lies(never(rcode(RCODE_NXDOMAIN))) }),
  fault('servfail', 'The resolver fails at once.', FAILS_AT_ONCE, { behaviour: lies(never(rcode(RCODE_SERVFAIL))) }),
  fault('black_hole', 'The resolver never answers.', TIMES_OUT, { behaviour: lies(never({ kind: 'silence' })) }),
  fault('private_after_asking', 'The authority is asked, then a private address is given.', HIDDEN, {
    behaviour: lies(after({ kind: 'address', address: PRIVATE_ADDRESS })),
  }),
  fault('rejects_all', 'The relay is listed as an exit and rejects everything.', NOT_EXITING, { relay: 'rejecting' }),

  right('right', 'The resolver is right, the exit has IPv4 only.'),
  fault('nodata', 'Every name is said to have no address.', PERMANENT, {
    behaviour: lies(never(rcode(RCODE_NOERROR))),
  }),
  fault('refused', 'The resolver refuses every question.', PERMANENT, { behaviour: lies(never(rcode(RCODE_REFUSED))) }),
  fault('notimp', 'The resolver says that it cannot answer such questions.', PERMANENT, {
    behaviour: lies(never(rcode(RCODE_NOTIMP))),
  }),
  fault('closed_port', 'Nobody listens where the resolver should be.', TIMES_OUT, { nameServers: 'closed_port' }),
  fault('slow', `The right answer comes after ${TOO_SLOW_MS} ms, when the exit has given up.`, TIMES_OUT, {
    behaviour: lies({ ...TRUTHFUL_STEP, delayMs: TOO_SLOW_MS }),
  }),
  fault('slow_servfail', `The resolver fails after ${SLOW_MS} ms.`, FAILS_SLOWLY, {
    behaviour: lies({ ...never(rcode(RCODE_SERVFAIL)), delayMs: SLOW_MS }),
  }),
  fault('truncated', 'Every answer is truncated, and TCP does not work.', FAILS_AT_ONCE, {
    behaviour: lies(never({ kind: 'truncated' })),
  }),
  right('first_name_server_dead', 'Of two name servers the first is dead.', { nameServers: 'dead_then_own' }),
  fault('private_without_asking', 'A private address is made up; nobody is asked.', FAILS_AT_ONCE, {
    behaviour: lies(never({ kind: 'address', address: PRIVATE_ADDRESS })),
  }),
  fault('ipv6_only', 'There are IPv6 addresses only.', [{ status: 'dns_fail', errorCode: 'NO_A_ANSWER' }], {
    behaviour: { ...RIGHT_BEHAVIOUR, a: [never(rcode(RCODE_NOERROR))] },
    ipv6: true,
    expectedIpv6: ['success'],
  }),
  right('ipv4_only', 'The exit has IPv6, its resolver gives IPv4 addresses only.', {
    behaviour: { ...RIGHT_BEHAVIOUR, aaaa: [never(rcode(RCODE_NOERROR))] },
    ipv6: true,
    expectedIpv6: ['dns_fail'],
  }),
  right('wrong_ipv6', 'IPv4 addresses are right, IPv6 addresses are made up.', {
    behaviour: { ...RIGHT_BEHAVIOUR, aaaa: [never({ kind: 'address', address: REWRITTEN_ADDRESSES[1] })] },
    ipv6: true,
    expectedIpv6: ['wrong_ip'],
  }),
  right('lower_cased_question', 'The authority is asked in lower case.', {
    behaviour: { ...RIGHT_BEHAVIOUR, asking: { ...RIGHT_BEHAVIOUR.asking, casing: 'lower' } },
  }),
  right('mixed_case', 'The authority is asked in random case (0x20).', {
    behaviour: { ...RIGHT_BEHAVIOUR, asking: { ...RIGHT_BEHAVIOUR.asking, casing: 'mixed' } },
  }),
  right('lower_cased_answer', 'Answers repeat the question in lower case, not as it was spelled.', {
    behaviour: { ...RIGHT_BEHAVIOUR, echo: 'lower' },
  }),
  right('intermittent', 'Odd attempts fail, even ones are answered rightly.', {
    behaviour: { ...RIGHT_BEHAVIOUR, a: [never(rcode(RCODE_SERVFAIL)), TRUTHFUL_STEP] },
  }),
  fault('intermittently_wrong', 'Odd attempts get another address, even ones the right one.', WRONG, {
    behaviour: {
      ...RIGHT_BEHAVIOUR,
      a: [never({ kind: 'address', address: REWRITTEN_ADDRESSES[0] }), TRUTHFUL_STEP],
    },
  }),
  right('nxdomain_rewriting', 'Names that do not exist lead to a search page; ours exist.', {
    behaviour: {
      ...RIGHT_BEHAVIOUR,
      noise: { kind: 'address', address: SEARCH_PAGE_ADDRESS },
      knownNames: CONTROL_NAMES,
    },
  }),
  fault('answers_everything_alike', 'Every question gets the same address, noise too.', HIJACKED, {
    behaviour: {
      ...lies(never({ kind: 'address', address: PORTAL_ADDRESS })),
      noise: { kind: 'address', address: PORTAL_ADDRESS },
    },
  }),
  right('lies_elsewhere', 'Right for the measured zone, wrong for the names of others.', {
    behaviour: { ...RIGHT_BEHAVIOUR, elsewhere: { kind: 'address', address: DECOY_LIE_ADDRESS } },
  }),
  right('client_subnet', 'The resolver tells the authority whom it asks for.', {
    behaviour: {
      ...RIGHT_BEHAVIOUR,
      asking: { ...RIGHT_BEHAVIOUR.asking, clientSubnet: { address: '192.0.2.0', sourceBits: 24 } },
    },
  }),
  right('minimising', 'The resolver asks for the parents of a name first.', {
    behaviour: { ...RIGHT_BEHAVIOUR, asking: { ...RIGHT_BEHAVIOUR.asking, minimises: true } },
  }),
  right('without_edns', 'The resolver knows no EDNS.', {
    behaviour: { ...RIGHT_BEHAVIOUR, asking: { ...RIGHT_BEHAVIOUR.asking, edns: false } },
  }),
  right('validating', 'A real resolver that validates DNSSEC (unbound).', { nameServers: 'validating' }),
  right('central', 'The resolver is right, and several exits share it.', { nameServers: 'central' }),
  right('central_too', 'Another exit behind the shared resolver.', { nameServers: 'central' }),
  fault('killed', 'The relay is gone, but still in the consensus.', UNREACHABLE, { relay: 'killed' }),
  fault('dies_when_asked', 'The relay ends at the first question to its resolver.', LOST_MIDWAY, {
    relay: 'dying_when_asked',
  }),
  fault('frozen', 'The relay is stopped: it answers nothing.', UNREACHABLE, { relay: 'frozen' }),
  fault('freezes_when_asked', 'The relay is stopped at the first question to its resolver.', LOST_MIDWAY, {
    relay: 'freezing_when_asked',
  }),
]

/** How many faults a small laboratory has: each class of verdict once, none that takes a minute to see. */
export const FEW_FAULTS = 8

/** What is right to say about an exit with this fault. */
export function truthOf({ name, description, expected }: Fault): ExitTruth {
  return { fault: name, description, expected }
}

function right(name: string, description: string, more: Partial<Fault> = {}): Fault {
  return fault(name, description, SUCCESS, more)
}

function fault(name: string, description: string, expected: readonly Expectation[], more: Partial<Fault> = {}): Fault {
  return {
    name,
    description,
    behaviour: RIGHT_BEHAVIOUR,
    nameServers: 'own',
    relay: 'running',
    ipv6: false,
    expected,
    expectedIpv6: [],
    ...more,
  }
}

/** The same step for A and AAAA. */
function lies(step: ResolverStep): ResolverBehaviour {
  return { ...RIGHT_BEHAVIOUR, a: [step], aaaa: [step] }
}

function never(reply: ResolverReply): ResolverStep {
  return { asks: false, reply, delayMs: 0 }
}

function after(reply: ResolverReply): ResolverStep {
  return { asks: true, reply, delayMs: 0 }
}

function rcode(value: number): ResolverReply {
  return { kind: 'rcode', rcode: value }
}
