/**
 * Whether the server can do its work, and if not, why not.
 */
import { parseTime, type Clock } from '../core/clock.ts'
import type { DaemonControl } from '../model/daemon-control.ts'
import type { ExitArchive } from '../model/exit-archive.ts'
import type { Machine } from '../model/machine.ts'

/** A run that is this late is overdue, in milliseconds: jitter and a slow start come first. */
const OVERDUE_MS = 3_600_000
/** Below this, a run's journal and report may not fit. */
const FREE_OCTETS_MIN = 67_108_864

/** One thing that must be right. */
export interface ReadinessCheck {
  readonly name: 'archive' | 'disk' | 'schedule' | 'daemon'
  readonly ok: boolean
  /** One sentence. */
  readonly message: string
}

/** What is looked at; what is absent is not. */
export interface ReadinessSources {
  readonly clock: Clock
  readonly archive?: ExitArchive | undefined
  readonly control?: DaemonControl | undefined
  readonly machine?: Machine | undefined
}

/** Looks at everything. Never rejects. */
export async function checkReadiness(sources: ReadinessSources): Promise<readonly ReadinessCheck[]> {
  const { archive, control, machine, clock } = sources
  return [
    ...(archive === undefined ? [] : [await checkArchive(archive)]),
    ...(machine === undefined ? [] : [await checkDisk(machine)]),
    ...(control === undefined ? [] : [checkSchedule(control, clock), checkDaemon(control)]),
  ]
}

async function checkArchive(archive: ExitArchive): Promise<ReadinessCheck> {
  try {
    const latest = await archive.latest()
    const message = latest === undefined ? 'The archive is open and has no valid run yet.' : 'The archive is open.'
    return { name: 'archive', ok: true, message }
  } catch {
    return { name: 'archive', ok: false, message: 'The archive cannot be read; the log says why.' }
  }
}

async function checkDisk(machine: Machine): Promise<ReadinessCheck> {
  const free = await machine.freeOctets()
  if (free === undefined) return { name: 'disk', ok: true, message: 'The system does not say how much room there is.' }
  const room = `${Math.floor(free / 1_048_576)} MiB are free on the disk of the data directory`
  return free < FREE_OCTETS_MIN
    ? { name: 'disk', ok: false, message: `Only ${room}; 64 are needed.` }
    : { name: 'disk', ok: true, message: `${room}.` }
}

function checkSchedule(control: DaemonControl, clock: Clock): ReadinessCheck {
  const late = control
    .campaigns()
    .find(
      ({ nextRunAt, runningId }) =>
        nextRunAt !== null && runningId === null && clock.wallNowMs() - parseTime(nextRunAt) > OVERDUE_MS,
    )
  if (late !== undefined) {
    return {
      name: 'schedule',
      ok: false,
      message: `The run of ${late.campaign} planned for ${late.nextRunAt} is overdue.`,
    }
  }
  return { name: 'schedule', ok: true, message: 'No planned run is overdue.' }
}

function checkDaemon(control: DaemonControl): ReadinessCheck {
  const { problems, pendingSteps } = control.status()
  const failing = pendingSteps.find(({ attempts, message }) => attempts > 0 && message !== null)
  const [first] = problems
  if (first !== undefined) return { name: 'daemon', ok: false, message: first }
  if (failing !== undefined) {
    return { name: 'daemon', ok: false, message: `The step ${failing.step} of a run fails: ${failing.message}` }
  }
  return { name: 'daemon', ok: true, message: 'The daemon reports nothing wrong.' }
}
