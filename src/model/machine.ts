/** What the process may know of the machine that it runs on. */

/** The machine. */
export interface Machine {
  /** Memory of the process, in octets. */
  residentOctets(): number
  /** Room on the disk of the data directory, in octets; `undefined` when the system does not say. */
  freeOctets(): Promise<number | undefined>
}
