/**
 * Supervised child processes: how they are, what they run with, what they say, and orders to them.
 */
import { z } from 'zod'
import type { Sidecar, SidecarStatus } from '../model/sidecar.ts'
import { COUNT } from './exit-schemas.ts'
import { defineOperation, refuse, type DeepReadonly, type Operation, type Refusal } from './operation.ts'

const PATH = '/api/v1/sidecars'

const SIDECAR = z
  .strictObject({
    name: z.string(),
    phase: z
      .enum(['stopped', 'starting', 'running', 'stopping', 'waiting', 'missing', 'refused'])
      .describe('waiting: it ended by itself and is started again; refused: there is no configuration for it.'),
    pid: z.number().int().nullable(),
    started_at: z.string().nullable(),
    adopted: z.boolean().describe('Whether an earlier controller had started this process.'),
    crashes: COUNT,
    last_end: z.string().nullable(),
    next_start_at: z.string().nullable(),
    reload_gap_ms: COUNT.nullable().describe('How long the newest reload left clients without an answer.'),
    problem: z.string().nullable(),
    observed: COUNT.describe('Answers with addresses, as its audit file says.'),
    malformed: COUNT,
  })
  .meta({ id: 'Sidecar' })
const NAME = z.strictObject({ name: z.string().regex(/^[a-z0-9-]{1,32}$/) })

/** Makes the operations. */
export function createSidecarsResource(sidecars: readonly Sidecar[]): readonly Operation[] {
  const find = (name: string): Sidecar | undefined => sidecars.find((sidecar) => sidecar.status().name === name)
  return [
    defineOperation({
      id: 'listSidecars',
      method: 'GET',
      path: PATH,
      summary: 'Child processes that the daemon supervises',
      status: 200,
      answer: z.strictObject({ items: z.array(SIDECAR) }),
      handle: () => ({ body: { items: sidecars.map((sidecar) => formatSidecar(sidecar.status())) } }),
    }),
    defineOperation({
      id: 'getSidecar',
      method: 'GET',
      path: `${PATH}/{name}`,
      summary: 'How a child process is',
      status: 200,
      pathParameters: NAME,
      answer: SIDECAR,
      handle: ({ path: { name } }) => {
        const sidecar = find(name)
        return sidecar === undefined ? absent() : { body: formatSidecar(sidecar.status()) }
      },
    }),
    defineOperation({
      id: 'getSidecarConfiguration',
      method: 'GET',
      path: `${PATH}/{name}/configuration`,
      summary: 'What a child process runs with, as it was generated',
      status: 200,
      pathParameters: NAME,
      answer: z.strictObject({ configuration: z.string().nullable() }),
      handle: ({ path: { name } }) => {
        const sidecar = find(name)
        return sidecar === undefined ? absent() : { body: { configuration: sidecar.configuration() } }
      },
    }),
    defineOperation({
      id: 'getSidecarLog',
      method: 'GET',
      path: `${PATH}/{name}/log`,
      summary: 'The newest lines of a child process, oldest first; addresses of clients are left out',
      status: 200,
      pathParameters: NAME,
      answer: z.strictObject({ lines: z.array(z.string()) }),
      handle: async ({ path: { name } }) => {
        const sidecar = find(name)
        return sidecar === undefined ? absent() : { body: { lines: await sidecar.log() } }
      },
    }),
    ...(['start', 'stop', 'reload'] as const).map((order) => giveOrder(order, find)),
  ]
}

function giveOrder(order: keyof typeof SUMMARIES, find: (name: string) => Sidecar | undefined): Operation {
  return defineOperation({
    id: `${order}Sidecar`,
    method: 'POST',
    path: `${PATH}/{name}/${order}`,
    summary: SUMMARIES[order],
    status: 200,
    problems: ['unavailable'],
    pathParameters: NAME,
    answer: SIDECAR,
    handle: async ({ path: { name } }) => {
      const sidecar = find(name)
      if (sidecar === undefined) return absent()
      await sidecar[order]()
      const status = sidecar.status()
      if (order !== 'stop' && status.phase !== 'running')
        return refuse('unavailable', status.problem ?? `It is ${status.phase}.`)
      return { body: formatSidecar(status) }
    },
  })
}

function absent(): Refusal {
  return refuse('not-found', 'There is no such child process.')
}

const SUMMARIES = {
  start: 'Starts a child process, or adopts the one that runs',
  stop: 'Ends a child process and keeps it ended until it is started or the daemon begins anew',
  reload: 'Ends a child process and starts it with the configuration of now',
} as const

function formatSidecar(status: SidecarStatus): DeepReadonly<z.output<typeof SIDECAR>> {
  const { startedAt, isAdopted, lastEnd, nextStartAt, reloadGapMs, ...rest } = status
  return {
    ...rest,
    started_at: startedAt,
    adopted: isAdopted,
    last_end: lastEnd,
    next_start_at: nextStartAt,
    reload_gap_ms: reloadGapMs,
  }
}
