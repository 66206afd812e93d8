/**
 * Files as a capability. Modes are octal numbers: 0o600 for state, journals, sockets and keys, 0o644 for what is
 * published.
 */

/** A file that only grows. */
export interface AppendFile {
  /** Length in octets after everything written so far. */
  readonly sizeOctets: number
  /** Hands octets to the operating system. @throws {FileError} For example when the disk is full. */
  append(octets: Uint8Array): Promise<void>
  /** Waits until everything appended is on the disk (fsync). @throws {FileError} */
  sync(): Promise<void>
  close(): Promise<void>
}

/** A file that is read from its beginning on, while somebody else may write to it. */
export interface ReadFile {
  /** @returns The next octets, at most `maxOctets`; empty at the end of what is there now. @throws {FileError} */
  read(maxOctets: number): Promise<Uint8Array>
  /** @returns Whether a path leads to this file, and the file is at least as long as what was read. @throws {FileError} */
  isAt(path: string): Promise<boolean>
  close(): Promise<void>
}

/** What a name in a directory is. */
export interface FileInfo {
  readonly kind: 'file' | 'directory' | 'socket' | 'other'
  readonly sizeOctets: number
  /** Permission bits, `mode & 0o777`. */
  readonly mode: number
  /** Last modification, Unix milliseconds. */
  readonly modifiedAtMs: number
}

/** The file system, as everything outside `platform/` sees it. Paths are absolute or relative to the working directory. */
export interface Files {
  /** @throws {FileError} When there is no such file, it cannot be read, or it is longer than `maxOctets`. */
  read(path: string, maxOctets: number): Promise<Uint8Array>
  /** Reads a part of a file. @returns At most `octets` from `offset` on; fewer at its end. @throws {FileError} */
  readPart(path: string, offset: number, octets: number): Promise<Uint8Array<ArrayBuffer>>
  /** Opens a file for reading in parts, whatever its length. @throws {FileError} */
  openRead(path: string): Promise<ReadFile>
  /** Replaces a file as a whole: temporary file beside it, fsync, rename, fsync of the directory. @throws {FileError} */
  writeAtomic(path: string, content: Uint8Array | string, mode: number): Promise<void>
  /** Opens for appending, creating the file with `mode`; `truncateTo` cuts it to that length first. @throws {FileError} */
  openAppend(path: string, mode: number, truncateTo?: number): Promise<AppendFile>
  /** @returns `undefined` when there is nothing of that name. Follows links. @throws {FileError} */
  info(path: string): Promise<FileInfo | undefined>
  /** Names in a directory, sorted; empty when there is no such directory. @throws {FileError} */
  list(directory: string): Promise<readonly string[]>
  /** Creates a directory and its parents; sets `mode` on the last one when it is new. @throws {FileError} */
  makeDirectory(path: string, mode: number): Promise<void>
  /** Removes a file or a whole directory; does nothing when it is not there. @throws {FileError} */
  remove(path: string): Promise<void>
  /** @returns The absolute path of something that is there, without links. @throws {FileError} */
  resolve(path: string): Promise<string>
  /** @throws {FileError} */
  rename(from: string, to: string): Promise<void>
}

/** A file operation failed. `code` is the operating system's (`ENOENT`, `EACCES`, `ENOSPC`), or `TOO_LARGE`. */
export class FileError extends Error {
  override readonly name = 'FileError'
  readonly code: string
  readonly path: string

  constructor(code: string, path: string, options?: ErrorOptions) {
    super(`${path}: ${code}`, options)
    this.code = code
    this.path = path
  }
}

/** Reads a UTF-8 file. Malformed sequences become U+FFFD. @throws {FileError} As {@link Files.read}. */
export async function readText(files: Files, path: string, maxOctets: number): Promise<string> {
  return new TextDecoder().decode(await files.read(path, maxOctets))
}

/** Joins path parts with single slashes. */
export function joinPath(...parts: readonly string[]): string {
  return parts
    .filter((part) => part !== '')
    .join('/')
    .replaceAll(/\/{2,}/g, '/')
}
