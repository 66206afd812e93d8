/** What archives need of the platform: tar, gzip as a stream, and a hash that grows. */

/** A file in a tar. */
export interface TarEntry {
  /** As the tar names it: not to be trusted. */
  readonly name: string
  readonly octets: Uint8Array<ArrayBuffer>
}

/** SHA-256 over octets that come in pieces. */
export interface GrowingHash {
  update(octets: Uint8Array): void
  /** @returns 64 hexadecimal digits. Ends the hash. */
  finish(): string
}

/** The platform's part of archives. */
export interface ArchiveCodec {
  /** The 512 octets in front of a file in a tar: a plain file, mode 0644, owner root. */
  encodeHeader(name: string, sizeOctets: number, modifiedAtMs: number): Promise<Uint8Array<ArrayBuffer>>
  /**
   * Reads the files of a `.tar.gz`, in order.
   *
   * @param fileOctetsMax - A longer file ends the reading.
   * @throws {ArchiveError} When it is damaged, cut off, or a file in it is too long.
   */
  readFiles(path: string, fileOctetsMax: number): AsyncIterable<TarEntry>
  createSha256(): GrowingHash
}

/** An archive cannot be read. */
export class ArchiveError extends Error {
  override readonly name = 'ArchiveError'
}
