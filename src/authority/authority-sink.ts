/** Where the authority's records go: a file, a list in the laboratory, or nowhere. */
import type { AuthorityQuery } from '../model/authority-query.ts'

/** Takes one record after the other. */
export interface AuthoritySink {
  /**
   * Takes a record; never blocks and never throws. A sink that cannot keep up drops records and counts them.
   *
   * @param ofRun - Whether the name has the form of an exits run: such records are dropped last.
   */
  record(query: AuthorityQuery, ofRun: boolean): void
}
