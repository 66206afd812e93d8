/**
 * Measurements: one question, asked when somebody wants to know.
 */
import { z } from 'zod'
import type { DaemonControl, Measurement } from '../model/daemon-control.ts'
import { LINK } from './exit-schemas.ts'
import { defineOperation, refuse, type DeepReadonly, type Operation } from './operation.ts'

const PATH = '/api/v1/measurements'

const QUESTION = z.strictObject({
  name: z
    .string()
    .regex(/^[\x21-\x7e]{1,1024}$/)
    .describe('Domain name in presentation form.'),
  type: z
    .string()
    .regex(/^[A-Za-z0-9]{1,20}$/)
    .default('A')
    .describe('A, AAAA, …, TYPE65280.'),
  resolver: z
    .string()
    .regex(/^[\x21-\x7e]{1,300}$/)
    .nullable()
    .default(null)
    .describe('IP[#port], tls://host or https://host/path, public ones only; null for the resolver of the host.'),
  via: z
    .string()
    .regex(/^tor:[0-9A-Fa-f]{40}$/)
    .nullable()
    .default(null)
    .describe('tor:FINGERPRINT; null for asking from this host.'),
})

const MEASUREMENT = z
  .strictObject({
    id: z.string(),
    state: z.enum(['waiting', 'running', 'done', 'failed']),
    request: z.strictObject({
      name: z.string(),
      type: z.string(),
      resolver: z.string().nullable(),
      via: z.string().nullable(),
    }),
    requested_at: z.string(),
    record: z.unknown().describe('As candor query writes it; null until done.'),
    message: z.string().nullable(),
    url: LINK,
  })
  .meta({ id: 'Measurement' })

/** Makes the operations. */
export function createMeasurementsResource(control: DaemonControl): readonly Operation[] {
  return [
    defineOperation({
      id: 'startMeasurement',
      method: 'POST',
      path: PATH,
      summary: 'Asks one question',
      status: 202,
      problems: ['unavailable'],
      body: QUESTION,
      answer: MEASUREMENT,
      handle: ({ body }) => {
        const measurement = control.measure(body)
        if (measurement === undefined) return refuse('unavailable', 'Too many questions wait already.')
        return { location: `${PATH}/${measurement.id}`, body: formatMeasurement(measurement) }
      },
    }),
    defineOperation({
      id: 'getMeasurement',
      method: 'GET',
      path: `${PATH}/{id}`,
      summary: 'A question that was asked, with its answer',
      status: 200,
      pathParameters: z.strictObject({ id: z.string().regex(/^[A-Za-z0-9_.-]{1,100}$/) }),
      answer: MEASUREMENT,
      handle: ({ path: { id } }) => {
        const measurement = control.measurement(id)
        if (measurement === undefined) return refuse('not-found', 'There is no such measurement (any more).')
        return { body: formatMeasurement(measurement) }
      },
    }),
  ]
}

function formatMeasurement(measurement: Measurement): DeepReadonly<z.output<typeof MEASUREMENT>> {
  const { id, state, request, requestedAt, record, message } = measurement
  return { id, state, request: { ...request }, requested_at: requestedAt, record, message, url: `${PATH}/${id}` }
}
