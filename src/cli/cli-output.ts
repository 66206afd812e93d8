/** Where a command writes: stdout for records, stderr for everything else. */

/** A stream that text is written to. */
export interface CliOutput {
  readonly isTerminal: boolean
  /** Width in characters; 80 where it is not known. */
  readonly columns: number
  /**
   * Waits until the text was handed to the system (back-pressure).
   *
   * @throws {OutputClosedError} When the reader of stdout is gone (`candor … | head`). stderr never rejects.
   */
  write(text: string): Promise<void>
}

/** The reader of stdout went away: no mistake of anybody. Ends the command quietly. */
export class OutputClosedError extends Error {
  override readonly name = 'OutputClosedError'
}
