/** What answering one request of the Worker needs. */
import type { InvocationParts } from './invocation-parts.ts'
import type { WorkerConfig, WorkerEnvironment } from './worker-config.ts'

/** Configuration, memory and network of one request. */
export interface RequestParts extends InvocationParts {
  readonly config: WorkerConfig
  readonly environment: WorkerEnvironment
  /** Unix milliseconds. */
  readonly nowMs: number
}
