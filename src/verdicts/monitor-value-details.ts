/**
 * What a new record set does that the old one did not: lead to another zone, let more authorities issue certificates,
 * or accept mail that was refused before.
 *
 * **Invariant**: pure, over presentation forms; what cannot be read weakens nothing.
 */
import type { MonitorType } from '../model/monitor-name.ts'
import type { KnownUnit } from '../model/monitor-state.ts'
import type { ValueDetail } from './monitor-severity.ts'

type Units = Readonly<Record<string, KnownUnit>>

/** Compares new record sets with the known ones. */
export function findValueDetails(type: MonitorType, known: Units, fresh: Units): readonly ValueDetail[] {
  const [before, after] = [linesOf(known), linesOf(fresh)]
  if (type === 'CNAME') {
    const zones = new Set(Object.values(known).map(({ zone }) => zone))
    return Object.values(fresh).some(({ zone }) => !zones.has(zone)) ? ['new_zone'] : []
  }
  if (type === 'CAA') return isCaaWidened(before, after) ? ['caa_widened'] : []
  const isWeaker = spfStrength(after) < spfStrength(before) || dmarcStrength(after) < dmarcStrength(before)
  return type === 'TXT' && isWeaker ? ['mail_policy_weakened'] : []
}

/** RFC 8659: without any record that allows somebody, everybody may issue. */
function isCaaWidened(before: readonly string[], after: readonly string[]): boolean {
  const allowing = (lines: readonly string[]): readonly string[] =>
    lines.filter((line) => / issue(?:wild)? /i.test(line))
  const isFree = allowing(before).length > 0 && allowing(after).length === 0
  return isFree || allowing(after).some((line) => !before.includes(line))
}

function linesOf(units: Units): readonly string[] {
  return Object.keys(units).flatMap((text) => text.split('\n'))
}

/** RFC 7208: 0 without a policy, 4 where everybody else is refused. */
function spfStrength(lines: readonly string[]): number {
  const record = lines.find((line) => /^"?v=spf1[\s"]/i.test(line))
  if (record === undefined) return 0
  const sign = /([-~?+]?)all\b/i.exec(record)?.[1]
  return sign === '-' ? 4 : sign === '~' ? 3 : sign === '?' ? 2 : 1
}

/** RFC 7489: 0 without a policy, 3 for `reject`. */
function dmarcStrength(lines: readonly string[]): number {
  const record = lines.find((line) => /^"?v=DMARC1\b/i.test(line))
  const policy = /\bp\s*=\s*(none|quarantine|reject)/i.exec(record ?? '')?.[1]?.toLowerCase() ?? ''
  return ['', 'none', 'quarantine', 'reject'].indexOf(policy)
}
