/**
 * Fetches pages from many addresses, each within the caps that hold for queries.
 *
 * **Invariant**: one fetch for each entry of the list; what was interrupted does not come out.
 */
import type { AddressPlan } from '../../core/address-plan.ts'
import type { Clock, Timer } from '../../core/clock.ts'
import { shuffle, type Random } from '../../core/random.ts'
import { fetchPage } from '../../enrich/fetch-page.ts'
import { AskQueues, type QueuedAsk } from '../../measure/engine/ask-queues.ts'
import type { SatelliteFetch } from '../../model/satellite-evidence.ts'
import type { Net } from '../../net/net.ts'
import { createAskPolicy, type AskCaps } from './dns-asker.ts'

const IN_FLIGHT_MAX = 64
const PATIENCE_MS = 100

/** What is fetched. */
export interface PagesPlan {
  readonly pages: readonly { readonly address: string; readonly domain: string }[]
  readonly caps: AskCaps
  readonly seed: string
  readonly timeoutMs: number
  readonly userAgent: string
  readonly signal: AbortSignal
}

interface PageAsk extends QueuedAsk {
  readonly address: string
  readonly domain: string
}

/** Fetches in an order that the seed gives. @returns What came, as it ends. */
export async function* fetchPages(
  machine: {
    readonly clock: Clock
    readonly net: Net
    readonly addressPlan: AddressPlan
    createRandom(seed: string): Random
  },
  plan: PagesPlan,
): AsyncGenerator<SatelliteFetch, void, void> {
  const { clock } = machine
  const addresses = [...new Set(plan.pages.map(({ address }) => address))]
  const places = new Map(addresses.map((address, place) => [address, place]))
  const policy = createAskPolicy(addresses, plan.caps, machine.addressPlan, { attempts: 1, timeoutMs: plan.timeoutMs })
  const queues = new AskQueues<PageAsk>(addresses.length, policy, clock.nowMs())
  for (const page of shuffle(machine.createRandom(`${plan.seed}:pages`), plan.pages)) {
    queues.push({ ...page, resolver: places.get(page.address) ?? 0, isUrgent: false, isStale: () => false })
  }
  const running = new Set<Promise<void>>()
  const done: SatelliteFetch[] = []
  let left = plan.pages.length
  const start = (ask: PageAsk): void => {
    const startedAtMs = clock.nowMs()
    const work = fetchPage(machine, { ...ask, timeoutMs: plan.timeoutMs, userAgent: plan.userAgent }).then((page) => {
      running.delete(work)
      queues.end(ask.resolver, 'neither', startedAtMs, clock.nowMs())
      done.push(page)
    })
    running.add(work)
  }
  while ((left > 0 && !plan.signal.aborted) || running.size > 0) {
    while (left > 0 && running.size < IN_FLIGHT_MAX && !plan.signal.aborted) {
      const ask = queues.next(clock.nowMs())
      if (ask === undefined) break
      left--
      start(ask)
    }
    yield* done.splice(0)
    if (left === 0 && running.size === 0) break
    await waitFor(
      clock,
      running,
      left > 0 && running.size < IN_FLIGHT_MAX ? Math.min(queues.idleMs, PATIENCE_MS) : undefined,
    )
  }
  yield* done.splice(0)
}

/** Until something ends, or so long; no time without a number. */
async function waitFor(clock: Clock, running: ReadonlySet<Promise<void>>, waitMs: number | undefined): Promise<void> {
  if (waitMs === undefined) {
    await Promise.race(running)
    return
  }
  let timer: Timer | undefined
  const pause = new Promise<void>((resolve) => {
    timer = clock.setTimer(waitMs, resolve)
  })
  await Promise.race([...running, pause])
  timer?.cancel()
}
