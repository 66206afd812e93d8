/** The outcomes of a pair in words, for the terminal and for pages. */
import type { SatelliteOutcome } from './satellite-finding.ts'

/** One phrase each, without a full stop. */
export const OUTCOME_TEXT: Readonly<Record<SatelliteOutcome, string>> = {
  error: 'no response came',
  rcode: 'the resolver answered with an error code',
  no_answer: 'the response had no address',
  bogus_address: 'an address that no public name can have',
  control_address: 'an address that the control has too',
  valid_certificate: 'a server with a valid certificate for the domain',
  untrusted_certificate: 'a certificate for the domain that nobody vouches for',
  wrong_certificate: 'a certificate for another name',
  block_page: 'a known block page',
  control_as: 'an address in a network where the control has one',
  tls_failure: 'a server without a TLS handshake',
  unconfirmed: 'another address than the control, and nothing more is known',
}
