/**
 * Counts what leaves one invocation, and stops it at the bound of the plan.
 *
 * **Invariant**: whatever the callers do, never more than the bound gets out. What is refused here is a failure like one of the
 * network, so that it becomes no state.
 */
import { RunError } from '../core/config-error.ts'
import type { HttpClient } from '../net/http-client.ts'

/** As much of Cloudflare's KV as is needed. */
export interface KvNamespace {
  get(key: string): Promise<string | null>
  put(key: string, value: string): Promise<void>
}

/** What one invocation may still do. */
export interface Subrequests {
  readonly http: HttpClient
  readonly kv: KvNamespace
  /** How many are left. */
  left(): number
  /** How many were made, and how many of them wrote to KV. */
  counts(): { readonly made: number; readonly writes: number }
}

/** Wraps what an invocation has. */
export function meterSubrequests(http: HttpClient, kv: KvNamespace, limit: number): Subrequests {
  let made = 0
  let writes = 0
  const take = (): void => {
    if (made >= limit) throw new RunError(`an invocation makes ${limit} subrequests at most`)
    made += 1
  }
  return {
    http: {
      request: async (request) => {
        if (made >= limit)
          return {
            kind: 'failure',
            operation: 'connect',
            failure: 'unknown_failure: no subrequest left',
            mayBeDelivered: false,
            elapsedMs: 0,
          }
        made += 1
        return http.request(request)
      },
    },
    kv: {
      get: async (key) => {
        take()
        return kv.get(key)
      },
      put: async (key, value) => {
        take()
        writes += 1
        return kv.put(key, value)
      },
    },
    left: () => limit - made,
    counts: () => ({ made, writes }),
  }
}
