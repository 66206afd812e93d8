/**
 * The exit statuses of every command: the whole list, so that scripts can rely on it.
 *
 * Documentation: docs/manual/exit-status.md
 */

/** What a command ends with. */
export type CliStatus = 0 | 1 | 2 | 3 | 4 | 70 | 130

/** Done. */
export const STATUS_DONE = 0
/** The work could not be done: a data directory owned by another run, a zone that fails its pre-flight. */
export const STATUS_FAILED = 1
/** The command or the configuration cannot be used. */
export const STATUS_USAGE = 2
/** Incomplete; what was written is valid. */
export const STATUS_INCOMPLETE = 3
/** Findings at or above `--fail-on`. */
export const STATUS_FINDINGS = 4
/** A bug of Candor (EX_SOFTWARE of sysexits.h). */
export const STATUS_BUG = 70
/** Interrupted; partial results were written (128 + SIGINT). */
export const STATUS_INTERRUPTED = 130
