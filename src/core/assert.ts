/** Bugs: what must be true and is not. Nothing catches these but the process boundary (exit status 70). */

/** A defect of Candor itself. */
export class BugError extends Error {
  override readonly name = 'BugError'
}

/** @throws {BugError} When `condition` is false. */
export function assert(condition: boolean, message: string): asserts condition {
  if (!condition) throw new BugError(message)
}

/** Marks a branch that the types say cannot be reached. @throws {BugError} Always. */
export function assertNever(value: never): never {
  throw new BugError(`unexpected value ${JSON.stringify(value)}`)
}
