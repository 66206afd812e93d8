/**
 * TLS over the machine's own sockets.
 *
 * Invariant: in strict mode no octet of a request leaves before the certificate was checked, chain and name.
 *
 * Sources: node:tls; RFC 8310 (usage profiles).
 */
import { isIP } from 'node:net'
import { checkServerIdentity, connect, type ConnectionOptions, type TLSSocket } from 'node:tls'
import type { Failure, Operation } from '../model/failure.ts'
import { NetError, type Endpoint, type TlsConnection, type TlsLeaf, type TlsOptions } from '../net/net.ts'
import { wrapSocket } from './node-connection.ts'
import { errorCode, failureOf } from './node-failure.ts'

/** Connects over TCP and TLS. @throws {NetError} With the step that failed. */
export function connectTls(to: Endpoint, options: TlsOptions, timeoutMs: number): Promise<TlsConnection> {
  return new Promise((resolve, reject) => {
    let operation: Operation = 'connect'
    const socket = connect(toNodeOptions(to, options))
    socket.setNoDelay(true)
    const fail = (failure: Failure, cause?: Error): void => {
      clearTimeout(timeout)
      socket.destroy()
      reject(new NetError(failure, { operation, ...(cause === undefined ? {} : { cause }) }))
    }
    const failed = (error: Error): void => {
      fail(tlsFailureOf(error), error)
    }
    const timeout = setTimeout(() => {
      fail('generic_timeout_error')
    }, timeoutMs)
    socket.once('error', failed)
    socket.once('connect', () => {
      operation = 'tls_handshake'
      options.onHandshake?.()
    })
    socket.on('session', (ticket) => {
      options.onTicket?.(new Uint8Array(ticket))
    })
    socket.once('secureConnect', () => {
      clearTimeout(timeout)
      socket.off('error', failed)
      resolve({ ...wrapSocket(socket), tls: factsOf(socket, options.serverName) })
    })
  })
}

function toNodeOptions({ address, port }: Endpoint, options: TlsOptions): ConnectionOptions {
  const { serverName, mode, alpn, authorities, ticket } = options
  // The declarations of types lack `allowHalfOpen`, which the documentation of `tls.connect` has.
  const halfOpen: ConnectionOptions & { readonly allowHalfOpen: boolean } = {
    allowHalfOpen: true,
    host: address,
    port,
    minVersion: 'TLSv1.2',
    // An address is no name for SNI (RFC 6066 section 3).
    servername: isIP(serverName) === 0 ? serverName : '',
    checkServerIdentity: (_host, certificate) => checkServerIdentity(serverName, certificate),
    rejectUnauthorized: mode === 'strict',
    ALPNProtocols: [...alpn],
    ...(authorities === undefined ? {} : { ca: authorities }),
    ...(ticket === undefined ? {} : { session: Buffer.from(ticket) }),
  }
  return halfOpen
}

function factsOf(socket: TLSSocket, serverName: string): TlsConnection['tls'] {
  const alpn = socket.alpnProtocol
  return {
    protocol: socket.getProtocol() ?? 'unknown',
    cipher: socket.getCipher().name,
    alpn: typeof alpn === 'string' ? alpn : null,
    isResumed: socket.isSessionReused(),
    distrust: socket.authorized ? null : certificateFailure(String(socket.authorizationError)),
    leaf: leafOf(socket, serverName),
  }
}

function leafOf(socket: TLSSocket, serverName: string): TlsLeaf | null {
  const certificate = socket.getPeerX509Certificate()
  if (certificate === undefined) return null
  const matched = isIP(serverName) === 0 ? certificate.checkHost(serverName) : certificate.checkIP(serverName)
  return { sha256: certificate.fingerprint256.replaceAll(':', '').toLowerCase(), isNameValid: matched !== undefined }
}

/** Codes of OpenSSL and Node that say what is wrong with a certificate. */
const CERTIFICATE_FAILURES: Readonly<Record<string, Failure>> = {
  CERT_HAS_EXPIRED: 'ssl_invalid_certificate',
  CERT_NOT_YET_VALID: 'ssl_invalid_certificate',
  CERT_SIGNATURE_FAILURE: 'ssl_invalid_certificate',
  CERT_UNTRUSTED: 'ssl_unknown_authority',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'ssl_unknown_authority',
  ERR_TLS_CERT_ALTNAME_INVALID: 'ssl_invalid_hostname',
  INVALID_CA: 'ssl_unknown_authority',
  SELF_SIGNED_CERT_IN_CHAIN: 'ssl_unknown_authority',
  UNABLE_TO_GET_ISSUER_CERT: 'ssl_unknown_authority',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'ssl_unknown_authority',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'ssl_unknown_authority',
}

/** The alert of a server that speaks none of the protocols that we offered (RFC 7301 section 3.2). */
const NO_PROTOCOL = 'ERR_SSL_TLSV1_ALERT_NO_APPLICATION_PROTOCOL'

function certificateFailure(code: string): Failure {
  return CERTIFICATE_FAILURES[code] ?? 'ssl_invalid_certificate'
}

/** The failure that an error of a TLS socket stands for, before and after the handshake. */
export function tlsFailureOf(error: Error): Failure {
  const code = errorCode(error)
  const known = CERTIFICATE_FAILURES[code]
  if (known !== undefined) return known
  if (code === NO_PROTOCOL) return 'ssl_no_application_protocol'
  if (code === 'EPROTO' || code.startsWith('ERR_SSL_') || code.startsWith('ERR_TLS_')) return 'ssl_failed_handshake'
  return failureOf(error)
}
