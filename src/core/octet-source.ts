/** Octets that are taken at once, as they are wanted: no event, no promise. */

/** Where octets come from. */
export interface OctetSource {
  /**
   * Reads into `octets` from `at` on.
   *
   * @returns How many octets; 0 when there is nothing now, −1 at the end.
   */
  read(octets: Uint8Array, at: number): number
}
