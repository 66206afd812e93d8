/**
 * The network as a capability: the only way out of the process, and the only way in.
 *
 * `platform/` implements it over real sockets.
 *
 * Invariant: nothing here resolves names. Endpoints are addresses.
 */
import type { Failure, Operation } from '../model/failure.ts'

/** Where a server listens. */
export interface Endpoint {
  /** IPv4 or IPv6 address, without brackets. Never a host name. */
  readonly address: string
  /** 0 (any, for listening) to 65535. */
  readonly port: number
}

/** A Unix socket. */
export interface UnixEndpoint {
  readonly path: string
}

/** A bound UDP socket, not connected: it hears everybody. */
export interface UdpSocket {
  readonly local: Endpoint
  /** Hands a datagram to the system. @throws {NetError} */
  send(octets: Uint8Array, to: Endpoint): Promise<void>
  close(): void
}

/** What a UDP socket reports. */
export interface UdpHandlers {
  /** A datagram arrived; the octets are the receiver's to keep. */
  readonly onDatagram: (octets: Uint8Array, from: Endpoint) => void
  /** The socket failed and is closed. */
  readonly onError: (failure: Failure) => void
}

/** A byte stream: TCP, TLS or a Unix socket. */
export interface Connection {
  /** Our end; port 0 and address '' for Unix sockets. */
  readonly local: Endpoint
  readonly remote: Endpoint
  /**
   * Waits for octets. One read at a time.
   *
   * @returns At least one octet; `undefined` when the peer has finished sending or the connection was closed here.
   * @throws {NetError} When the connection broke.
   */
  read(): Promise<Uint8Array | undefined>
  /** Waits until the octets were handed to the system (back-pressure). @throws {NetError} */
  write(octets: Uint8Array): Promise<void>
  /** Says that we have finished sending; reading goes on. */
  finish(): void
  /** Ends both directions at once; a pending read returns `undefined`. */
  close(): void
}

/** How TLS is begun. */
export interface TlsOptions {
  /** Whom the certificate must be for: a host name, which goes to the server as SNI, or an address. */
  readonly serverName: string
  /** `strict` ends the handshake when the certificate does not verify; `opportunistic` takes any and says so. */
  readonly mode: 'strict' | 'opportunistic'
  /** Protocols that we offer, best first. */
  readonly alpn: readonly string[]
  /** Certificates (PEM) of the authorities that are trusted; without it those of the platform. */
  readonly authorities?: string
  /** What an earlier connection to the same server, with the same options, gave for resuming. */
  readonly ticket?: Uint8Array
  /** Called with each ticket that the server gives. */
  readonly onTicket?: (ticket: Uint8Array) => void
  /** Called when the TCP connection stands and the handshake begins. */
  readonly onHandshake?: () => void
}

/** What was agreed on. */
export interface TlsFacts {
  /** `TLSv1.3`. */
  readonly protocol: string
  /** As OpenSSL names it. */
  readonly cipher: string
  /** The protocol that the server chose; `null` for none. */
  readonly alpn: string | null
  /** Whether an earlier session was resumed. */
  readonly isResumed: boolean
  /** Why the certificate does not verify; `null` when it does. Always `null` in `strict` mode. */
  readonly distrust: Failure | null
  /** The certificate of the server itself; `null` where none was shown, as in a session that was resumed. */
  readonly leaf: TlsLeaf | null
}

/** The certificate of a server, not of those that signed it. */
export interface TlsLeaf {
  /** SHA-256 of its DER form, lower-case hexadecimal. */
  readonly sha256: string
  /** Whether it is for the name that was asked for, whoever signed it. */
  readonly isNameValid: boolean
}

/** A byte stream over TLS. */
export interface TlsConnection extends Connection {
  readonly tls: TlsFacts
}

/** A listening socket. */
export interface Listener {
  /** With the port that the system chose where 0 was asked for. */
  readonly local: Endpoint
  /** Stops listening; open connections go on. */
  close(): Promise<void>
}

/** The network. */
export interface Net {
  /** Binds a UDP socket; `udp6` sockets are IPv6 only. @throws {NetError} */
  bindUdp(local: Endpoint, handlers: UdpHandlers): Promise<UdpSocket>
  /** @throws {NetError} Also after `timeoutMs` (`generic_timeout_error`). */
  connectTcp(to: Endpoint, timeoutMs: number): Promise<Connection>
  /**
   * Connects over TCP and TLS (1.2 or newer).
   *
   * @throws {NetError} With the step that failed; also after `timeoutMs` for both steps together.
   */
  connectTls(to: Endpoint, options: TlsOptions, timeoutMs: number): Promise<TlsConnection>
  /** @throws {NetError} */
  connectUnix(to: UnixEndpoint, timeoutMs: number): Promise<Connection>
  /** @throws {NetError} For example when the port is in use. */
  listenTcp(local: Endpoint, onConnection: (connection: Connection) => void): Promise<Listener>
  /** Listens on a socket file with mode 0600, replacing a dead one. @throws {NetError} */
  listenUnix(local: UnixEndpoint, onConnection: (connection: Connection) => void): Promise<Listener>
}

/** A network operation failed for a reason that belongs into the record. */
export class NetError extends Error {
  override readonly name = 'NetError'
  readonly failure: Failure
  /** The step that failed, where the caller cannot know it. */
  readonly operation: Operation | undefined

  constructor(failure: Failure, options: ErrorOptions & { readonly operation?: Operation } = {}) {
    super(failure, options)
    this.failure = failure
    this.operation = options.operation
  }
}

/** Formats an endpoint as `192.0.2.1:53` or `[2001:db8::1]:53`. */
export function formatEndpoint(endpoint: Endpoint): string {
  return endpoint.address.includes(':')
    ? `[${endpoint.address}]:${endpoint.port}`
    : `${endpoint.address}:${endpoint.port}`
}
