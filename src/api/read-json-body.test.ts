import { describe, expect, test } from 'vitest'
import { nodeClock } from '../platform/node-clock.ts'
import { createVirtualClock } from '../../test/sim/virtual-clock.ts'
import { readJsonBody } from './read-json-body.ts'

function createRequest(body: BodyInit, headers: Record<string, string> = {}): Request {
  const init = { method: 'POST', body, headers: { 'content-type': 'application/json', ...headers }, duplex: 'half' }
  return new Request('http://127.0.0.1/', init)
}

describe('readJsonBody', () => {
  test('reads JSON', async () => {
    expect(await readJsonBody(createRequest('{"a":[1]}'), nodeClock)).toEqual({ ok: true, value: { a: [1] } })
  })

  test.each([
    ['a body that is no JSON', '{', {}, 'bad-body'],
    ['no body', '', {}, 'bad-body'],
    ['octets that are no UTF-8', Uint8Array.of(0x22, 0xff, 0x22), {}, 'bad-body'],
    ['another type', '{}', { 'content-type': 'text/plain' }, 'unsupported-type'],
    ['a form', 'a=1', { 'content-type': 'application/x-www-form-urlencoded' }, 'unsupported-type'],
    ['a compressed body', '{}', { 'content-encoding': 'gzip' }, 'unsupported-type'],
    ['a body above the bound', `"${'a'.repeat(65_536)}"`, {}, 'body-too-large'],
    ['a length above the bound', '{}', { 'content-length': '99999999' }, 'body-too-large'],
  ])('refuses %s', async (_what, body, headers, problem) => {
    expect(await readJsonBody(createRequest(body, headers as Record<string, string>), nodeClock)).toMatchObject({
      ok: false,
      problem,
    })
  })

  test('ends an endless body at the bound', async () => {
    let given = 0
    const body = new ReadableStream<Uint8Array>({
      pull: (controller) => {
        given += 1
        controller.enqueue(new Uint8Array(8_192).fill(0x20))
      },
    })
    expect(await readJsonBody(createRequest(body), nodeClock)).toMatchObject({ problem: 'body-too-large' })
    expect(given).toBeLessThan(15)
  })

  test('gives up on a body that does not arrive', async () => {
    const clock = createVirtualClock()
    const read = readJsonBody(
      createRequest(new ReadableStream<Uint8Array>({ pull: () => new Promise(() => {}) })),
      clock,
    )
    await clock.advance(10_000)
    expect(await read).toMatchObject({ ok: false, problem: 'body-too-slow' })
  })
})
