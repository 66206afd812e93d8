/**
 * The Cloudflare Worker edition of the monitor: what the runtime calls, and what it is made of.
 *
 * **Invariant**: a configuration that cannot be used stops every invocation, and each says where it is wrong.
 */
import { publicAddressPlan } from '../core/address-plan.ts'
import { ConfigError } from '../core/config-error.ts'
import type { Log } from '../core/log.ts'
import { createSeededRandom } from '../core/random.ts'
import { createFetchHttp } from '../platform/fetch-http.ts'
import { webClock } from '../platform/web-clock.ts'
import { answerRequest } from './answer-request.ts'
import { createSnapshotLoader } from './load-snapshot.ts'
import { runInvocation } from './run-invocation.ts'
import { meterSubrequests } from './subrequests.ts'
import { createWorkerChannel, readWorkerConfig, type BundledFile, type WorkerEnvironment } from './worker-config.ts'
import { createWorkerMemory } from './worker-memory.ts'
import type { RequestParts } from './worker-request.ts'
import { createWorkerSite } from './worker-site.ts'

/** Bounds each question and each attempt to send a message. */
const TIMEOUT_MS = 5_000

/** What Cloudflare calls. */
export interface Worker {
  fetch(request: Request, environment: WorkerEnvironment): Promise<Response>
  /** `scheduledTime`: the minute of the cron, Unix milliseconds, which is the time of the rounds. */
  scheduled(controller: { readonly scheduledTime: number }, environment: WorkerEnvironment): Promise<void>
}

/** Makes the Worker. `documents`: those that pages lead to, by name (`monitor-classes.md`). */
export function createWorker(file: BundledFile, documents: Readonly<Record<string, string>>, log: Log): Worker {
  const memory = createWorkerMemory()
  const answering = { site: createWorkerSite(webClock, documents), snapshots: createSnapshotLoader(webClock) }
  const open = async (environment: WorkerEnvironment, nowMs: number): Promise<RequestParts> => {
    const config = readWorkerConfig(file, environment)
    const { plan, limits } = config
    const kv = environment.DNS_HISTORY
    if (kv === undefined)
      throw new ConfigError(
        'wrangler.jsonc',
        'no KV namespace is bound',
        '"kv_namespaces": [{ "binding": "DNS_HISTORY", … }]',
      )
    const subrequests = meterSubrequests(createFetchHttp(webClock), kv, limits.subrequests)
    const { http } = subrequests
    const channel = await createWorkerChannel(environment, { http, clock: webClock, timeoutMs: TIMEOUT_MS })
    const random = createSeededRandom(crypto.randomUUID())
    const asker = { http, random, addressPlan: publicAddressPlan, timeoutMs: TIMEOUT_MS }
    return { config, plan, limits, clock: webClock, channel, memory, subrequests, asker, log, environment, nowMs }
  }
  return {
    fetch: (request, environment) => {
      const nowMs = Math.round(webClock.wallNowMs())
      return answerRequest(answering, request, environment, () => open(environment, nowMs))
    },
    scheduled: async ({ scheduledTime }, environment) => {
      try {
        const parts = await open(environment, scheduledTime)
        const result = await runInvocation(parts, { atMs: scheduledTime, wanted: null })
        const { asked, messages, subrequests, writes } = result
        log.info('worker.round.done', { asked, messages, subrequests, writes })
      } catch (error) {
        if (!(error instanceof ConfigError)) throw error
        throw new Error(`${error.path}: ${error.message} (right: ${error.hint})`, { cause: error })
      }
    },
  }
}
