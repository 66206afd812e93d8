/**
 * Regular expressions of strangers, searched in texts of strangers, as a capability: whoever searches can be stopped.
 *
 * **Invariant**: a search ends. A pattern that takes too long on a text is stopped and named, and the others go on.
 */

/** What one search gave. */
export interface PatternSearchOutcome {
  /** Place of the first pattern that was found, in the order in which they were given; `null` for none. */
  readonly found: number | null
  /** Places of the patterns that were stopped, or left out since they were stopped too often. */
  readonly stopped: readonly number[]
}

/** Searches one list of patterns. */
export interface PatternSearch {
  findFirst(text: string): PatternSearchOutcome
}

/** Makes a search of a list of patterns. */
export type CreatePatternSearch = (patterns: readonly RegExp[]) => PatternSearch
