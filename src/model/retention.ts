/**
 * How long what was measured is kept, and what keeping the bounds came to: the port between the archive and whoever
 * drives it (a command, the daemon's schedule).
 */

/** How long each level of a run is kept; ages in days. */
export interface RetentionPolicy {
  /** Whole evidence of every relay. */
  readonly evidenceDays: number
  /** Whole evidence of what was no untroubled success. */
  readonly failureEvidenceDays: number
  /** One row per relay and run. */
  readonly rowDays: number
  /** Counts per relay and day. */
  readonly relayDayDays: number
  /** What the archive may take on the disk, in octets. */
  readonly budgetOctets: number
}

/** How full the budget is: up to 80 %, above, above 90 % although everything was given up that may be. */
export type BudgetState = 'within' | 'warning' | 'exceeded'

/** What was given up, or would be. */
export interface RetentionOutcome {
  readonly dryRun: boolean
  /** Runs whose evidence of sound relays went. */
  readonly evidenceRuns: number
  /** Runs whose evidence of failures went. */
  readonly failureEvidenceRuns: number
  /** Runs whose rows became counts per relay and day. */
  readonly rowRuns: number
  /** Counts per relay and day that went. */
  readonly relayDays: number
  /** How many of these runs went before their age because of the budget. */
  readonly earlyRuns: number
  /** Octets that the archive is smaller now; in a dry run, about how many it would be. */
  readonly freedOctets: number
  readonly usedOctets: number
  readonly budgetOctets: number
  readonly budget: BudgetState
  /** Whether it was stopped before its end; the next time goes on. */
  readonly interrupted: boolean
}

/** What the archive holds. */
export interface ArchiveUsage {
  /** Reports: runs, and parts of runs. */
  readonly runs: number
  readonly invalidRuns: number
  /** Ids of the first and the last run; `null` in an empty archive. */
  readonly oldestRun: string | null
  readonly newestRun: string | null
  readonly runsWithRows: number
  readonly runsWithEvidence: number
  readonly runsWithFailureEvidence: number
  readonly relays: number
  /** Octets in use, and octets of the file, in which there may be free pages. */
  readonly usedOctets: number
  readonly fileOctets: number
}

/** Something in the archive that is not as it should be. */
export interface ArchiveFault {
  /** Id of the run; `null` for the file as a whole. */
  readonly runId: string | null
  /** One sentence. */
  readonly message: string
}
