/** The operator's mistakes: what happened, why, and the corrected form. Printed by `cli/` in three parts; exit status 2. */

/** Something that a person typed or configured cannot be used. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError'
  /** What is wrong: an option (`--shard`), a file and line (`exits.txt:3`), a key (`exits.domain`). */
  readonly path: string
  /** How to solve this: the corrected command or line. */
  readonly hint: string

  constructor(path: string, message: string, hint: string, options?: ErrorOptions) {
    super(message, options)
    this.path = path
    this.hint = hint
  }
}

/**
 * The work cannot be done for a reason that is neither a bug nor a mistake in the command: a data directory owned by
 * another run, a zone that fails its pre-flight. Exit status 1.
 */
export class RunError extends Error {
  override readonly name = 'RunError'
  /** How to solve this; empty when there is nothing to add. */
  readonly hint: string

  constructor(message: string, hint = '', options?: ErrorOptions) {
    super(message, options)
    this.hint = hint
  }
}

/** Another run holds what this one needs; `--skip-if-busy` makes it no failure. Exit status 1 otherwise. */
export class BusyError extends RunError {}
