import { describe, expect, onTestFinished, test } from 'vitest'
import type { DnsMessage } from '../../src/dns/message.ts'
import { laboratoryAddressPlan } from '../../src/lab/lab-address-plan.ts'
import { serveDns } from '../../src/lab/serve-dns.ts'
import type { Measurement } from '../../src/model/daemon-control.ts'
import { nodeNet } from '../../src/platform/node-net.ts'
import { startDaemon, type RunningDaemon } from './serve-daemon.ts'

type Answered = Pick<Measurement, 'id' | 'state' | 'record' | 'message'>

/** Starts a resolver that the plan of a laboratory calls public. @returns How it is named. */
async function startResolver(): Promise<string> {
  const server = await serveDns(nodeNet, { address: '127.33.0.1', port: 0 }, (query): Promise<DnsMessage> =>
    Promise.resolve({ ...query, header: { ...query.header, response: true } }),
  )
  onTestFinished(() => server.close())
  return `127.33.0.1#${server.endpoint.port}`
}

/** Asks over the socket, and waits for the outcome. */
async function measure({ client }: RunningDaemon, question: object): Promise<Answered> {
  const { status, text } = await client.post('/api/v1/measurements', question)
  expect({ status, text }).toMatchObject({ status: 202 })
  const { id } = JSON.parse(text) as Answered
  const read = async (): Promise<Answered> =>
    JSON.parse((await client.get(`/api/v1/measurements/${id}`)).text) as Answered
  await expect.poll(async () => (await read()).state, { timeout: 15_000 }).toMatch(/^(?:done|failed)$/)
  return await read()
}

const startInLaboratory = (): Promise<RunningDaemon> =>
  startDaemon('', undefined, {}, { addressPlan: laboratoryAddressPlan })

describe('measurements of candor serve', () => {
  test('ask a resolver that is public, and give the record of candor query', async () => {
    const resolver = await startResolver()
    const daemon = await startInLaboratory()
    expect(await measure(daemon, { name: 'www.zone.example', type: 'AAAA', resolver })).toMatchObject({
      state: 'done',
      message: null,
      record: {
        query_name: 'www.zone.example.',
        query_type: 'AAAA',
        status: 'NOERROR',
        resolver: { address: '127.33.0.1', source: null },
      },
    })
  })

  test.each([
    ['127.0.0.1#53', 'the address is not public'],
    ['10.0.0.1', 'the address is not public'],
    ['[::1]:53', 'the address is not public'],
    ['https://169.254.169.254/dns-query', 'the address is not public'],
    ['2130706433', 'it names no resolver'],
  ])('leave the resolver %s alone', async (resolver, reason) => {
    const daemon = await startInLaboratory()
    const { state, message } = await measure(daemon, { name: 'www.zone.example', resolver })
    expect({ state, message }).toEqual({ state: 'failed', message: expect.stringContaining(reason) as string })
  })

  test.each([
    [{ name: '@127.33.0.1' }, 'name'],
    [{ name: 'a..b' }, 'name'],
    [{ name: 'www.zone.example', type: 'NOTYPE' }, 'type'],
  ])('refuse %j with a reason', async (question, reason) => {
    const daemon = await startInLaboratory()
    const { state, message } = await measure(daemon, { resolver: '127.33.0.1', ...question })
    expect({ state, message }).toEqual({ state: 'failed', message: expect.stringMatching(`^${reason}: `) as string })
  })

  test('need a token over TCP', async () => {
    const daemon = await startInLaboratory()
    const answer = await fetch(`${daemon.url}api/v1/measurements`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ name: 'www.zone.example' }),
    })
    expect(answer.status).toBe(401)
  })
})
