/** Files that come into being with mode 0600, where the call that makes them takes no mode: sockets. */
import { isMainThread } from 'node:worker_threads'

/**
 * Runs an action that makes a file, so that nobody else can open it before its mode is set. Worker threads cannot change
 * the mask: there the action runs as it is, and the caller sets the mode afterwards.
 */
export function makePrivately(action: () => void): void {
  const before = isMainThread ? process.umask(0o177) : undefined
  try {
    action()
  } finally {
    if (before !== undefined) process.umask(before)
  }
}
