/** What a resolver that clients use was seen to answer: the port between `sidecars/` and `campaigns/domains`. */

/** One answer with addresses. */
export interface RuntimeObservation {
  /** Lower case, without a dot at the end. */
  readonly name: string
  /** Canonical IPv4 or IPv6 addresses. */
  readonly addresses: readonly string[]
  /** When it was answered, Unix milliseconds. */
  readonly atMs: number
}
