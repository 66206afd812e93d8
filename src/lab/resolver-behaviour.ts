/**
 * How a laboratory resolver behaves: what it does with a question, as data.
 *
 * Invariant: no chance. What depends on something depends on the attempt that the query name says.
 */
import { RCODE_NXDOMAIN } from '../dns/rcode.ts'

/** What comes back. */
export type ResolverReply =
  /** What the authority says; a resolver that did not ask it fails. */
  | { readonly kind: 'truth' }
  /** Another address; for the question type whose family it has. */
  | { readonly kind: 'address'; readonly address: string }
  /** An RCODE without records; 0 is NODATA. */
  | { readonly kind: 'rcode'; readonly rcode: number }
  /** TC = 1 over UDP, and TCP does not answer. */
  | { readonly kind: 'truncated' }
  | { readonly kind: 'silence' }

/** One way to treat a question. */
export interface ResolverStep {
  /** Whether the authority is asked first. */
  readonly asks: boolean
  readonly reply: ResolverReply
  /** How long the reply is held back, in milliseconds. */
  readonly delayMs: number
}

/** How a resolver asks the authority. */
export interface AskingStyle {
  /** Whether queries carry an OPT record. */
  readonly edns: boolean
  /** Spelling of the name: as it came, in lower case, or with random case (0x20). */
  readonly casing: 'kept' | 'lower' | 'mixed'
  /** The client subnet that is given away; `null` for none. */
  readonly clientSubnet: { readonly address: string; readonly sourceBits: number } | null
  /** Whether parents of the name are asked for first (RFC 9156). */
  readonly minimises: boolean
  /** RD: set when the one asked is itself a resolver. */
  readonly recursionDesired: boolean
}

/** A resolver's character. */
export interface ResolverBehaviour {
  /** For A questions below the laboratory's zones; attempt n takes step (n − 1) modulo their number. */
  readonly a: readonly [ResolverStep, ...ResolverStep[]]
  /** The same for AAAA. */
  readonly aaaa: readonly [ResolverStep, ...ResolverStep[]]
  /** For names in zones that are not measured: pages, decoys; `undefined` treats them like the others. */
  readonly elsewhere: ResolverReply | undefined
  /** For names outside of the laboratory, such as the noise of an exit that looks for hijackers. */
  readonly noise: ResolverReply
  /** Names outside of the laboratory that exist for this resolver, with their address. */
  readonly knownNames: ReadonlyMap<string, string>
  readonly asking: AskingStyle
  /** How the question is spelled in the response. */
  readonly echo: 'exact' | 'lower'
}

/** A step that does as it should. */
export const TRUTHFUL_STEP: ResolverStep = { asks: true, reply: { kind: 'truth' }, delayMs: 0 }

/** A resolver without fault. */
export const RIGHT_BEHAVIOUR: ResolverBehaviour = {
  a: [TRUTHFUL_STEP],
  aaaa: [TRUTHFUL_STEP],
  elsewhere: undefined,
  noise: { kind: 'rcode', rcode: RCODE_NXDOMAIN },
  knownNames: new Map(),
  asking: { edns: true, casing: 'kept', clientSubnet: null, minimises: false, recursionDesired: false },
  echo: 'exact',
}
