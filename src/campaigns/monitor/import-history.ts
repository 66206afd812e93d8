/**
 * Puts histories into the states of watched names.
 *
 * Invariant: names that nobody watches are left out and counted; asks nobody.
 */
import type { AddressPlan } from '../../core/address-plan.ts'
import { formatMonitorKey, type MonitorPlan } from '../../model/monitor-name.ts'
import type { MonitorHistory, MonitorStateStore } from '../../model/monitor-state.ts'
import { addHistory } from '../../verdicts/monitor-history.ts'
import { describeValues } from './read-monitor-answer.ts'

/** Imports. @returns How many names were found among the watched ones, and how many were not. */
export async function importHistory(
  addressPlan: AddressPlan,
  { names, sinkholes }: MonitorPlan,
  store: Pick<MonitorStateStore, 'update'>,
  entries: readonly MonitorHistory[],
): Promise<{ readonly taken: number; readonly left: number }> {
  const watched = new Set(names.map(formatMonitorKey))
  let taken = 0
  for (const { domain, type, values, areSets, ttl } of entries) {
    const key = `${domain}/${type}`
    if (!watched.has(key) || values.length === 0) continue
    const isAddress = type === 'A' || type === 'AAAA'
    const sets = isAddress || areSets ? values.map((each) => [each]) : [values]
    const seen = sets.map((set) => ({
      units: describeValues(
        type,
        set.flatMap(({ value }) => value.split('\n')),
        addressPlan,
        sinkholes,
      ),
      firstSeenMs: Math.min(...set.map(({ firstSeenMs }) => firstSeenMs)),
      lastSeenMs: Math.max(...set.map(({ lastSeenMs }) => lastSeenMs)),
    }))
    await store.update(key, (before) => ({ state: addHistory(before, seen, ttl), result: undefined }))
    taken += 1
  }
  return { taken, left: entries.length - taken }
}
