/** Where a bulk run stands: what an engine says and a journal keeps. */

/** Where a run stands, for the journal. */
export interface BulkCheckpoint {
  /** Octets of output that hold the records of everything before `nextIndex` that is not unfinished. */
  readonly outputOctets: number
  readonly nextIndex: number
  /** Numbers of queries before `nextIndex` without a record, ascending. */
  readonly unfinished: Float64Array
}
