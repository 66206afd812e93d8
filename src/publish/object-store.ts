/** An object store: where published files lie for everybody. The port; `s3-store.ts` speaks to real ones. */

/** An object, as a list shows it. */
export interface StoredObject {
  readonly sizeOctets: number
  /** The store's own validator, without quotes. Another content has another one; what it is made of is the store's affair. */
  readonly etag: string
}

/** How an object is to be served. */
export interface ObjectHeaders {
  readonly contentType: string
  readonly cacheControl: string
  /** For files that are compressed and have the type of what is inside. */
  readonly contentEncoding: 'gzip' | null
}

/** What an operation came to: never an exception, because networks fail. */
export type StoreResult<T> =
  | { readonly ok: true; readonly value: T }
  /** One sentence without secret or address: `PUT x.json: 403 SignatureDoesNotMatch`. */
  | { readonly ok: false; readonly reason: string }

/** A store. Each operation has its retries behind it when it fails. */
export interface ObjectStore {
  /** What the operator calls it. */
  readonly name: string
  /** All objects whose key is on the list of published names, by that name. */
  list(): Promise<StoreResult<ReadonlyMap<string, StoredObject>>>
  /** The SHA-256 that the object was stored with, hexadecimal; `null` when it has none, or there is no such object. */
  readDigest(name: string): Promise<StoreResult<string | null>>
  /** Stores octets. @returns The validator that the list will show. */
  put(
    name: string,
    octets: Uint8Array<ArrayBuffer>,
    digest: string,
    headers: ObjectHeaders,
  ): Promise<StoreResult<string>>
  /** Removes an object; one that is not there is removed already. */
  remove(name: string): Promise<StoreResult<null>>
}
