/**
 * One pass over everything that is due now: waves until nothing is left.
 *
 * Invariant: every domain is judged once at most. A pool that is down for long ends the pass; what was judged before is
 * kept.
 */
import { sleep, type Clock } from '../../core/clock.ts'
import type { DomainCampaign, WaveReport } from './domain-campaign.ts'

/** How often a pool that is down is tried again… */
const RETRY_MS = 5_000
/** … and for how long: the first three rests of a resolver fit. */
const DOWN_MAX_MS = 240_000

/** How a pass ended. */
export type SyncEnd = 'done' | 'interrupted' | 'pool_down'

/** Runs the pass. `onWave` hears of each wave when it is kept. @throws {RunError} When a wave cannot be kept. */
export async function syncDomains(
  campaign: DomainCampaign,
  clock: Clock,
  signal: AbortSignal,
  onWave: (report: WaveReport) => Promise<void>,
): Promise<SyncEnd> {
  const startMs = Math.floor(clock.wallNowMs())
  let downSinceMs: number | null = null
  while (!signal.aborted) {
    const report = await campaign.runWave(startMs, signal)
    if (report.judged > 0) {
      downSinceMs = null
      await onWave(report)
      continue
    }
    if (signal.aborted) break
    if (report.taken === 0) return report.weather.isPoolDown ? 'pool_down' : 'done'
    downSinceMs ??= clock.nowMs()
    // Where nobody ever answered, waiting is for nothing.
    if (!campaign.hasAnswers || clock.nowMs() - downSinceMs > DOWN_MAX_MS) return 'pool_down'
    await sleep(clock, RETRY_MS, signal)
  }
  return 'interrupted'
}
