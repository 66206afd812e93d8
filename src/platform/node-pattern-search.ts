/**
 * Pattern search that V8 itself interrupts: the expressions run in a context of their own, under its time-out.
 *
 * **Invariant**: no text costs more than the time-out for each pattern that is stopped, and a pattern that was stopped ten
 * times is left out from then on. A pattern is blamed only when it takes too long alone.
 *
 * **Sources**: https://nodejs.org/api/vm.html (`timeout` of `runInContext`); irregexp looks for interrupts when it backtracks.
 */
import { createContext, Script } from 'node:vm'
import type { CreatePatternSearch } from '../core/pattern-search.ts'

/** A pattern needs microseconds for a page of 64 KiB. */
const TIMEOUT_MS = 500
/** So many pages are enough to know a pattern. */
const STOPS_MAX = 10

interface SearchState {
  at: number
  end: number
  text: string
  isFound: boolean
}

const SEARCH = new Script(
  'for (; state.at < state.end; state.at++) if (patterns[state.at].test(state.text)) { state.isFound = true; break }',
)

/** @param timeoutMs - What one pattern may take on one text. */
export function createNodePatternSearch(timeoutMs: number = TIMEOUT_MS): CreatePatternSearch {
  return (patterns) => {
    const state: SearchState = { at: 0, end: 0, text: '', isFound: false }
    const context = createContext({ patterns, state })
    const stops = new Map<number, number>()
    /** @returns Whether it came to an end by itself. */
    const run = (at: number, end: number): boolean => {
      state.at = at
      state.end = end
      try {
        SEARCH.runInContext(context, { timeout: timeoutMs })
        return true
      } catch (error) {
        if (!isTimeout(error)) throw error
        return false
      }
    }
    const isRetired = (at: number): boolean => (stops.get(at) ?? 0) >= STOPS_MAX
    return {
      findFirst: (text) => {
        const stopped: number[] = []
        state.text = text
        state.isFound = false
        let at = 0
        while (at < patterns.length) {
          let end = at
          while (end < patterns.length && !isRetired(end)) end++
          if (end === at) stopped.push(at++)
          else if (run(at, end)) {
            if (state.isFound) return { found: state.at, stopped }
            at = end
          } else {
            // All of them together took too long; whether it was this one shows when it runs alone.
            const suspect = state.at
            if (!run(suspect, suspect + 1)) {
              stops.set(suspect, (stops.get(suspect) ?? 0) + 1)
              stopped.push(suspect)
            } else if (state.isFound) return { found: suspect, stopped }
            at = suspect + 1
          }
        }
        return { found: null, stopped }
      },
    }
  }
}

/** The error may come from another context, where `Error` is another one. */
function isTimeout(error: unknown): boolean {
  return typeof error === 'object' && error !== null && 'code' in error && error.code === 'ERR_SCRIPT_EXECUTION_TIMEOUT'
}
