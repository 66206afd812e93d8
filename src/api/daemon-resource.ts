/**
 * The daemon itself: its version, the configuration in force, what waits and what is wrong.
 */
import { z } from 'zod'
import type { DaemonControl } from '../model/daemon-control.ts'
import { COUNT } from './exit-schemas.ts'
import { defineOperation, type Operation } from './operation.ts'

const DAEMON = z
  .strictObject({
    version: z.string(),
    started_at: z.string(),
    configuration: z.strictObject({
      loaded_at: z.string(),
      refused: z
        .strictObject({ place: z.string(), message: z.string(), hint: z.string() })
        .nullable()
        .describe('Why the newest configuration is not in force; null when it is.'),
      restart_needed: z.array(z.string()).describe('Settings whose new value waits for a restart.'),
    }),
    pending_steps: z.array(
      z.strictObject({
        run_id: z.string(),
        step: z.string(),
        attempts: COUNT,
        message: z.string().nullable(),
      }),
    ),
    stores: z
      .array(
        z.strictObject({
          name: z.string(),
          synced_at: z.string().nullable().describe('When it last had everything, since the daemon began.'),
          failure: z.string().nullable().describe('Why the newest sync left something.'),
        }),
      )
      .describe('Object stores that published files go to.'),
    archive: z.strictObject({
      used_octets: COUNT,
      budget_octets: COUNT,
      retained_at: z.string().nullable().describe('When it last gave up what was old, since the daemon began.'),
    }),
    problems: z.array(z.string()),
  })
  .meta({ id: 'Daemon' })

/** Makes the operations. */
export function createDaemonResource(control: DaemonControl): readonly Operation[] {
  return [
    defineOperation({
      id: 'getDaemon',
      method: 'GET',
      path: '/api/v1/daemon',
      summary: 'How the daemon is',
      status: 200,
      answer: DAEMON,
      handle: () => {
        const { version, startedAt, configuration, pendingSteps, stores, archive, problems } = control.status()
        return {
          body: {
            version,
            started_at: startedAt,
            configuration: {
              loaded_at: configuration.loadedAt,
              refused: configuration.refused,
              restart_needed: configuration.restartNeeded,
            },
            pending_steps: pendingSteps.map(({ runId, ...step }) => ({ run_id: runId, ...step })),
            stores: stores.map(({ name, syncedAt, failure }) => ({ name, synced_at: syncedAt, failure })),
            archive: {
              used_octets: archive.usedOctets,
              budget_octets: archive.budgetOctets,
              retained_at: archive.retainedAt,
            },
            problems,
          },
        }
      },
    }),
  ]
}
