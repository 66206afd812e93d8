/** The archive of a daemon: how much it takes, and what is done so that it takes no more than it may. */
import { formatIsoTime } from '../core/clock.ts'
import { RunError } from '../core/config-error.ts'
import type { Chore } from '../daemon/chore.ts'
import type { ArchiveState } from '../model/daemon-control.ts'
import type { RetentionPolicy } from '../model/retention.ts'
import type { ExitArchiveStore } from '../store/exit-archive.node.ts'
import type { CliContext } from './cli-context.ts'

/** The archive while a daemon runs. */
export interface ServedArchive {
  readonly store: ExitArchiveStore
  state(): ArchiveState
  /** Looks how much it takes now. */
  measure(): Promise<void>
  /** Gives up what is older than the settings allow. */
  readonly retention: Chore
}

/** Puts it around an open archive. `policy` gives the settings that are in force. */
export async function createServedArchive(
  { clock, log }: CliContext,
  store: ExitArchiveStore,
  policy: () => RetentionPolicy,
): Promise<ServedArchive> {
  let { usedOctets } = await store.usage()
  let retainedAt: string | null = null
  const retain = async (signal: AbortSignal): Promise<void> => {
    const outcome = await store.retain({ policy: policy(), nowMs: clock.wallNowMs(), dryRun: false, signal })
    const { budget, budgetOctets, freedOctets } = outcome
    usedOctets = outcome.usedOctets
    const fields = { budget, used_octets: usedOctets, budget_octets: budgetOctets, freed_octets: freedOctets }
    log[budget === 'within' ? 'info' : 'warn']('daemon.archive.retained', fields)
    if (outcome.interrupted) return
    retainedAt = formatIsoTime(clock.wallNowMs())
    if (budget === 'exceeded') {
      throw new RunError(
        `the archive takes ${usedOctets} of ${budgetOctets} octets although everything was given up that may be`,
        'retention.disk_budget with more MiB',
      )
    }
  }
  return {
    store,
    state: () => ({ usedOctets, budgetOctets: policy().budgetOctets, retainedAt }),
    measure: async () => {
      ;({ usedOctets } = await store.usage())
    },
    retention: { name: 'archive', run: retain },
  }
}
