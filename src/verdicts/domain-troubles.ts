/**
 * When people are told that resolvers of the domains campaign fail as a whole: (state, what holds, now) → (state, messages).
 *
 * A trouble is told when it has held for its time, and its end when it was away for five minutes; in between, coming and
 * going is one trouble.
 *
 * **Invariant**: pure; one message when it begins, one when it is over.
 *
 * Specification: docs/detectors/domain-guards.md
 */
import { formatCompactTime, formatIsoTime } from '../core/clock.ts'
import type { AlertMessage, AlertSeverity } from '../model/alert.ts'

const MINUTE_MS = 60_000
const OVER_AFTER_MS = 5 * MINUTE_MS

/** What can hold. */
export const DOMAIN_TROUBLES = ['pool_down', 'nx_guard'] as const
/** One of {@link DOMAIN_TROUBLES}. */
export type DomainTrouble = (typeof DOMAIN_TROUBLES)[number]

/** Where a trouble stands. */
export interface TroubleState {
  readonly sinceMs: number
  readonly seenMs: number
  readonly isTold: boolean
}

/** Troubles that hold, or held a moment ago. */
export type TroubleStates = Readonly<Partial<Record<DomainTrouble, TroubleState>>>

interface Words {
  readonly severity: AlertSeverity
  readonly afterMs: number
  readonly title: string
  readonly line: string
  readonly over: string
}

const WORDS: Readonly<Record<DomainTrouble, Words>> = {
  pool_down: {
    severity: 'high',
    afterMs: MINUTE_MS,
    title: 'no resolver of the domains campaign answers',
    line: 'Nothing is scored; addresses that were known are kept for 48 to 72 hours. To do: check the way to the upstreams.',
    over: 'resolvers of the domains campaign answer again',
  },
  nx_guard: {
    severity: 'medium',
    afterMs: 0,
    title: 'many domains that were well are denied, or a known name is',
    line: 'Denials score nothing and drop no address while this holds. To do: compare the answers of the resolvers (page /resolvers).',
    over: 'domains are no longer denied in great number',
  },
}

/** Judges what holds now. */
export function judgeDomainTroubles(
  before: TroubleStates,
  holds: Readonly<Record<DomainTrouble, boolean>>,
  nowMs: number,
): { readonly states: TroubleStates; readonly messages: readonly AlertMessage[] } {
  const states: Partial<Record<DomainTrouble, TroubleState>> = {}
  const messages: AlertMessage[] = []
  for (const trouble of DOMAIN_TROUBLES) {
    const known = before[trouble]
    const words = WORDS[trouble]
    if (holds[trouble]) {
      const sinceMs = Math.min(known?.sinceMs ?? nowMs, nowMs)
      const isDue = known?.isTold !== true && nowMs - sinceMs >= words.afterMs
      if (isDue) messages.push(compose(trouble, 'new', sinceMs, nowMs))
      states[trouble] = { sinceMs, seenMs: nowMs, isTold: known?.isTold === true || isDue }
    } else if (known !== undefined && nowMs >= known.seenMs && nowMs - known.seenMs < OVER_AFTER_MS) {
      states[trouble] = known
    } else if (known?.isTold === true) {
      messages.push(compose(trouble, 'recovered', known.sinceMs, nowMs))
    }
  }
  return { states, messages }
}

function compose(trouble: DomainTrouble, event: 'new' | 'recovered', sinceMs: number, nowMs: number): AlertMessage {
  const { severity, title, line, over } = WORDS[trouble]
  const isNew = event === 'new'
  return {
    id: `domains-${trouble}-${formatCompactTime(sinceMs)}-${event}`,
    event,
    severity,
    campaign: 'domains',
    createdAt: formatIsoTime(nowMs),
    title: isNew ? title : over,
    lines: [...(isNew ? [line] : []), `since ${formatIsoTime(sinceMs)}`],
    items: [],
    tags: ['domains', `trouble:${trouble}`],
    contacts: [],
  }
}
