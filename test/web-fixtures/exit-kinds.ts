/** The kinds of exits in the fixture run: what is wrong with them, and what the scanner said. */
import type { ExitErrorCode, ExitFlag, ExitStatus } from '../../src/model/exit-result.ts'

/** The address of the fixture's zone. */
export const EXPECTED_ADDRESS = '203.0.113.5'

/** A kind of exit. */
export interface Kind {
  readonly fault: string
  readonly description: string
  readonly status: ExitStatus
  readonly code: ExitErrorCode | null
  readonly latencyMs: number | null
  readonly rcode: number | null
  readonly address?: string
  readonly flags?: readonly ExitFlag[]
  readonly wrong?: 'poisoned' | 'rewritten'
  readonly asked?: boolean
  readonly circuits?: number
  /** What would be right, where the verdict is not. */
  readonly right?: { readonly status: ExitStatus; readonly errorCode: ExitErrorCode | null }
}

/** An exit without fault. */
export const RIGHT: Kind = {
  fault: 'right',
  description: 'The resolver answers as it should.',
  status: 'success',
  code: null,
  latencyMs: 6,
  rcode: 0,
  address: EXPECTED_ADDRESS,
  circuits: 1,
}

/** Every fault of the fixture. */
export const KINDS: readonly Kind[] = [
  {
    fault: 'wrong-address-after-asking',
    description: 'The resolver asks our authority and puts another address in the answer.',
    status: 'wrong_ip',
    code: 'WRONG_ADDRESS',
    latencyMs: 7,
    rcode: 0,
    address: '198.51.100.66',
    wrong: 'poisoned',
  },
  {
    fault: 'wrong-address',
    description: 'The resolver answers everything with its own address and asks nobody.',
    status: 'wrong_ip',
    code: 'WRONG_ADDRESS',
    latencyMs: 3.4,
    rcode: 0,
    address: '198.51.100.67',
    wrong: 'rewritten',
    asked: false,
    flags: ['inconsistent'],
  },
  {
    fault: 'private-address',
    description: 'The resolver asks and answers with an address of 10/8, which Tor throws away.',
    status: 'wrong_ip',
    code: 'INTERNAL_ADDRESS_SUSPECTED',
    latencyMs: 5,
    rcode: 2,
    wrong: 'poisoned',
    flags: ['suspected'],
  },
  {
    fault: 'nxdomain',
    description: 'The resolver says that no name exists.',
    status: 'dns_fail',
    code: 'PERMANENT',
    latencyMs: 5.2,
    rcode: 3,
    asked: false,
  },
  {
    fault: 'nodata',
    description: 'The resolver says that the name has no address.',
    status: 'dns_fail',
    code: 'PERMANENT',
    latencyMs: 4.8,
    rcode: 3,
    asked: false,
  },
  {
    fault: 'servfail',
    description: 'The resolver fails at once.',
    status: 'dns_fail',
    code: 'SERVFAIL_CLASS',
    latencyMs: 6.1,
    rcode: 2,
    asked: false,
  },
  {
    fault: 'slow-servfail',
    description: 'The resolver fails after 1.2 seconds.',
    status: 'dns_fail',
    code: 'SERVFAIL_SLOW',
    latencyMs: 1_215,
    rcode: 2,
    asked: false,
    flags: ['unsure'],
  },
  {
    fault: 'ipv6-only',
    description: 'The resolver answers AAAA and leaves A empty.',
    status: 'dns_fail',
    code: 'NO_A_ANSWER',
    latencyMs: 6,
    rcode: 0,
  },
  {
    fault: 'black-hole',
    description: 'The resolver never answers.',
    status: 'timeout',
    code: 'RESOLVER_TIMEOUT',
    latencyMs: 2_012,
    rcode: 2,
    asked: false,
  },
  {
    fault: 'slow',
    description: 'The resolver answers after 3 seconds, later than an exit waits.',
    status: 'timeout',
    code: 'RESOLVER_TIMEOUT',
    latencyMs: 2_009,
    rcode: 2,
  },
  {
    fault: 'frozen-exit',
    description: 'The relay stands still from the first second of the scan on.',
    status: 'circuit_fail',
    code: 'EXIT_FAIL',
    latencyMs: null,
    rcode: null,
    asked: false,
  },
  {
    fault: 'rejects-everything',
    description: 'The exit policy of the relay has changed to reject everything.',
    status: 'circuit_fail',
    code: 'NOT_EXITING',
    latencyMs: 4,
    rcode: 3,
    asked: false,
  },
  {
    fault: 'intermittent',
    description: 'The first question fails, the next two are answered right.',
    status: 'dns_fail',
    code: 'SERVFAIL_CLASS',
    latencyMs: 6,
    rcode: 2,
    flags: ['unconfirmed'],
    right: { status: 'success', errorCode: null },
  },
  {
    fault: 'stalled',
    description: 'The stream is taken and never answered.',
    status: 'error',
    code: 'STREAM_STALL',
    latencyMs: null,
    rcode: null,
    asked: false,
  },
  {
    fault: 'scanner-bug',
    description: 'The scanner is made to fail at this relay.',
    status: 'exception',
    code: 'EXCEPTION',
    latencyMs: null,
    rcode: null,
    asked: false,
  },
  {
    fault: 'too-late',
    description: 'The deadline of the run comes before its turn.',
    status: 'not_tested',
    code: 'DEADLINE',
    latencyMs: null,
    rcode: null,
    asked: false,
  },
]
