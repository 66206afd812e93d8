/** Published files as readers get them: the port between the directory of publication and the doors. */
import { NO_DOCUMENTS, type DocumentSource } from './document-source.ts'

/** One representation of a published file. */
export interface PublishedFile {
  readonly sizeOctets: number
  /** `gzip` when the octets are to be sent with `Content-Encoding: gzip`. */
  readonly encoding: 'gzip' | null
  /** Whether another reader may get another encoding under the same name. */
  readonly varies: boolean
  /** Strong validator of these octets, in quotes: the same octets, the same validator, for ever. */
  readonly etag: string
  /** Reads the octets: at once, or as a stream where they are many. */
  read(): Promise<Uint8Array<ArrayBuffer> | ReadableStream<Uint8Array<ArrayBuffer>>>
}

/**
 * Everything that is published, by its name. A name keeps answering after its file was compressed or put into a monthly
 * archive, until it is deleted.
 */
export interface PublishedSource extends DocumentSource {
  /**
   * Opens a file.
   *
   * @param acceptsGzip - Whether the reader can take `Content-Encoding: gzip`.
   * @returns `undefined` when no such name is published.
   */
  open(name: string, acceptsGzip: boolean): Promise<PublishedFile | undefined>
}

/** Nothing is published. */
export const NOTHING_PUBLISHED: PublishedSource = { ...NO_DOCUMENTS, open: () => Promise.resolve(undefined) }
