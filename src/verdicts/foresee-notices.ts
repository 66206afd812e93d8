/**
 * What would be told if a round's answers stood: the confirming rounds are taken to show the same.
 *
 * **Invariant**: pure; nothing of it is kept.
 */
import type { MonitoredName } from '../model/monitor-name.ts'
import type { MonitorRound } from '../model/monitor-round.ts'
import type { MonitorNotice, MonitorState } from '../model/monitor-state.ts'
import { judgeMonitorRound } from './monitor-judge.ts'

/** A candidate has four rounds. */
const ROUNDS_MAX = 4

/** Judges a round, and the same round again when each confirmation is due. Earliest notice first. */
export function foreseeNotices(
  before: MonitorState,
  monitored: MonitoredName,
  round: MonitorRound,
): readonly MonitorNotice[] {
  let judged = judgeMonitorRound(before, monitored, round)
  const notices = [...judged.notices]
  for (let count = 1; count < ROUNDS_MAX && judged.confirmAtMs !== null; count++) {
    const again = { ...round, atMs: judged.confirmAtMs, isConfirmation: true }
    judged = judgeMonitorRound(judged.state, monitored, again)
    notices.push(...judged.notices)
  }
  return notices
}
