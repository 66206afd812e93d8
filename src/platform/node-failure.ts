/**
 * Error codes of Node and the operating system → names of our closed list.
 *
 * Invariant: the message of an error never reaches a record, since it may hold an address; only its code does.
 *
 * Format: docs/formats/failures.md
 */
import type { Failure } from '../model/failure.ts'

const FAILURES: Readonly<Record<string, Failure>> = {
  EACCES: 'permission_denied',
  EADDRINUSE: 'address_in_use',
  EADDRNOTAVAIL: 'address_not_available',
  EAFNOSUPPORT: 'address_not_available',
  ECANCELED: 'interrupted',
  ECONNABORTED: 'connection_aborted',
  ECONNREFUSED: 'connection_refused',
  ECONNRESET: 'connection_reset',
  EHOSTDOWN: 'host_unreachable',
  EHOSTUNREACH: 'host_unreachable',
  EMFILE: 'too_many_open_files',
  EMSGSIZE: 'message_size',
  ENETDOWN: 'network_down',
  ENETUNREACH: 'network_unreachable',
  ENFILE: 'too_many_open_files',
  // A Unix socket that is not there: nobody listens.
  ENOENT: 'connection_refused',
  EPERM: 'permission_denied',
  // We wrote to a peer that is gone; which of the two codes comes depends on timing alone.
  EPIPE: 'connection_reset',
  ERR_SOCKET_DGRAM_NOT_RUNNING: 'interrupted',
  ERR_STREAM_DESTROYED: 'interrupted',
  ERR_STREAM_PREMATURE_CLOSE: 'interrupted',
  ERR_STREAM_WRITE_AFTER_END: 'interrupted',
  ETIMEDOUT: 'generic_timeout_error',
}

/** The failure that an error of Node's sockets stands for. */
export function failureOf(error: unknown): Failure {
  const code = errorCode(error)
  return FAILURES[code] ?? `unknown_failure: ${code}`
}

/** The code of an error of Node (`ENOENT`); `UNKNOWN` when it has none. */
export function errorCode(error: unknown): string {
  const code: unknown = error instanceof Error && 'code' in error ? error.code : undefined
  return typeof code === 'string' ? code : 'UNKNOWN'
}
