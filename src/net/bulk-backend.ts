/**
 * What carries datagrams for the bulk engine: the port; `platform/` has the sockets.
 *
 * Invariant: moves octets and times, decides nothing. Whatever arrives is handed over, known source or not.
 */

/** A resolver as the engine knows it; its place in the list is its number. */
export interface BulkResolver {
  /** Canonical IPv4 or IPv6 address. */
  readonly address: string
  readonly port: number
  /** Whether the pace for public resolvers holds for it. */
  readonly isPaced: boolean
}

/** Datagrams to be sent: columns, filled by the engine, read by the backend. */
export interface BulkBatch {
  /** Where all queries lie. */
  readonly wire: Uint8Array
  /** Every offset is a multiple of this. */
  readonly strideOctets: number
  /** Three numbers for each datagram: offset in `wire`, octets, number of the resolver. */
  readonly entries: Int32Array
}

/** The engine, as a backend drives it. */
export interface BulkDrive {
  /** Does what is due and sends. @returns For how many milliseconds there is nothing to do; negative at the end. */
  step(nowMs: number): number
  /**
   * Takes one datagram.
   *
   * @param resolver - Number of the resolver that it came from; −1 for anybody else.
   * @param atMs - When it arrived, on the clock of `step`.
   */
  accept(octets: Uint8Array, at: number, sizeOctets: number, resolver: number, atMs: number): void
}

/** Sockets and the loop over them. */
export interface BulkBackend {
  /** The clock of the engine: monotonic milliseconds. */
  nowMs(): number
  /** Sends the first `count` entries of the batch. @returns How many went out; the rest is offered again. */
  send(count: number): number
  /** Drives the engine until it ends. @throws {Error} What the engine throws. */
  run(drive: BulkDrive): Promise<void>
  close(): void
}
