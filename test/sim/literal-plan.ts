/**
 * The plan as it was first written down, taken literally, to compare with: points without floors, decay, guards, operators or
 * votes; a check every 24 h, 6 h or 24 h by state, hard quarantine with one probe a day; the live pass for what is not in
 * quarantine.
 */
import type { AttemptOutcome } from '../../src/model/domain.ts'

const HOUR = 1
const DAY = 24 * HOUR
const POINTS = { ok: 8, nx2: -15, nx1: -7, timeout: -3, temporary: -2 } as const

/** A domain in that plan. */
export interface LiteralDomain {
  readonly name: string
  score: number
  /** In hours. */
  nextAt: number
}

/** What a resolver says. */
export type LiteralAsk = (name: string, resolver: number) => AttemptOutcome

/** Whether the plan leaves a domain alone. */
export function isLiterallyQuarantined({ score }: LiteralDomain): boolean {
  return score < -10
}

/** Checks a domain. @returns The attempts that it took. */
export function checkLiterally(
  domain: LiteralDomain,
  ask: LiteralAsk,
  turn: number,
  nowHours: number,
  ttlHours: number,
): number {
  const outcomes: AttemptOutcome[] = []
  while (outcomes.length < 2) {
    outcomes.push(ask(domain.name, turn + outcomes.length))
    if (outcomes.at(-1) === 'ok') break
  }
  const has = (outcome: AttemptOutcome): boolean => outcomes.includes(outcome)
  const denials = outcomes.filter((outcome) => outcome === 'nxdomain').length
  if (has('ok')) domain.score = isLiterallyQuarantined(domain) ? 0 : Math.min(40, domain.score + POINTS.ok)
  else if (denials >= 2) domain.score += POINTS.nx2
  else if (denials === 1) domain.score += POINTS.nx1
  else domain.score += has('temporary') ? POINTS.temporary : POINTS.timeout
  domain.score = Math.max(-40, domain.score)
  const state = domain.score < -10 ? DAY : domain.score < 5 ? 6 * HOUR : DAY
  domain.nextAt = nowHours + (isLiterallyQuarantined(domain) ? state : Math.min(state, ttlHours))
  return outcomes.length
}
