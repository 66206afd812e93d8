/**
 * Why something did not work: the closed list of failures, the operation that failed, and whose side it was on.
 *
 * A network outcome is data, not an exception. An RCODE is a response and never stands here.
 *
 * Sources: OONI df-007 (names), Globalping (failure source). Format: docs/formats/failures.md
 */

/** The step that failed. Names follow OONI df-007 where it has one. */
export type Operation =
  | 'connect'
  | 'tls_handshake'
  | 'socks_handshake'
  | 'exchange'
  | 'circuit_build'
  | 'stream_attach'
  | 'listen'

/** Why a step failed. Spelled as in OONI df-007; anything else is `unknown_failure: …`, scrubbed of addresses. */
export type Failure =
  | 'address_in_use'
  | 'address_not_available'
  | 'connection_aborted'
  | 'connection_refused'
  | 'connection_reset'
  | 'dns_lookup_error'
  | 'eof_error'
  | 'generic_timeout_error'
  | 'host_unreachable'
  | 'http_protocol_error'
  | 'http_too_large'
  | 'http_unexpected_content_type'
  | `http_unexpected_status_code: ${number}`
  | 'interrupted'
  | 'message_size'
  | 'network_down'
  | 'network_unreachable'
  | 'permission_denied'
  | 'ssl_failed_handshake'
  | 'ssl_invalid_certificate'
  | 'ssl_invalid_hostname'
  | 'ssl_no_application_protocol'
  | 'ssl_unknown_authority'
  | 'too_many_open_files'
  | `unknown_failure: ${string}`

/** Whose side a failure was on: ours, the vantage's (a Tor exit), the resolver's, or the target's. */
export type Side = 'us' | 'vantage' | 'resolver' | 'target'
