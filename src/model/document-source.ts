/** Named documents that pages hand on as they are: published reports, the pages about detectors. */

/** A flat set of documents. */
export interface DocumentSource {
  /** Names, sorted; at most 1,000. */
  names(): Promise<readonly string[]>
  /** @returns The octets of a document of that exact name; `undefined` when there is none. */
  read(name: string): Promise<Uint8Array | undefined>
}

/** A set without documents. */
export const NO_DOCUMENTS: DocumentSource = {
  names: () => Promise.resolve([]),
  read: () => Promise.resolve(undefined),
}
