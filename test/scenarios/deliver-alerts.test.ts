import { describe, expect, onTestFinished, test } from 'vitest'
import type { DeliveryOutcome } from '../../src/alerts/channel.ts'
import type { ConfiguredChannel } from '../../src/alerts/create-channels.ts'
import { createDeliveryWorker, type DeliveryPolicy, type DeliveryWorker } from '../../src/alerts/delivery-worker.ts'
import { BugError } from '../../src/core/assert.ts'
import { createSeededRandom } from '../../src/core/random.ts'
import { silentLog } from '../../src/core/log.ts'
import type { AlertMessage, AlertOutbox } from '../../src/model/alert.ts'
import type { ChannelSettings } from '../../src/model/channel-settings.ts'
import type { AlertStores } from '../../src/store/alert-stores.node.ts'
import { exampleMessage, exampleSettings, openTestStores } from '../alert-fixtures/alert-parts.ts'
import { createVirtualClock, type VirtualClock } from '../sim/virtual-clock.ts'

const MINUTE_MS = 60_000
const HOUR_MS = 3_600_000
const POLICY: DeliveryPolicy = { timeoutMs: 10_000, giveUpAfterMs: 72 * HOUR_MS, quietHours: null, digest: null }

/** A channel that writes down what it is given, and does what a test says. */
class Recorder {
  readonly sent: string[] = []
  readonly times: number[] = []
  behave: (part: string, attempt: number) => DeliveryOutcome | Promise<DeliveryOutcome> = () => ({ kind: 'sent' })
  readonly configured: ConfiguredChannel

  constructor(clock: VirtualClock, settings: Partial<ChannelSettings> = {}, partsOf = (id: string) => [id]) {
    this.configured = {
      settings: exampleSettings(settings),
      optedIn: new Set(),
      channel: {
        format: (message: AlertMessage) => partsOf(message.id),
        send: async (part, { recipient }) => {
          this.times.push(clock.wallNowMs())
          const outcome = await this.behave(part, this.times.length)
          if (outcome.kind === 'sent') this.sent.push(recipient === '' ? part : `${part}>${recipient}`)
          return outcome
        },
      },
    }
  }
}

interface Scene {
  readonly clock: VirtualClock
  readonly stores: AlertStores
  readonly worker: DeliveryWorker
}

async function start(
  clock: VirtualClock,
  recorders: readonly Recorder[],
  policy: Partial<DeliveryPolicy> = {},
  wrap: (outbox: AlertOutbox) => AlertOutbox = (outbox) => outbox,
): Promise<Scene> {
  const stores = await openTestStores()
  const worker = createDeliveryWorker({
    incidents: stores.incidents,
    outbox: wrap(stores.outbox),
    channels: recorders.map(({ configured }) => configured),
    policy: { ...POLICY, ...policy },
    clock,
    random: createSeededRandom('deliver-alerts'),
    log: silentLog,
  })
  const ending = new AbortController()
  const running = worker.run(ending.signal)
  onTestFinished(async () => {
    ending.abort()
    await clock.advance(HOUR_MS)
    await running
  })
  return { clock, stores, worker }
}

async function tell({ stores, worker, clock }: Scene, ...messages: readonly AlertMessage[]): Promise<void> {
  for (const message of messages) await stores.outbox.add(message)
  worker.wake()
  await clock.advance(2_000)
}

describe('createDeliveryWorker', () => {
  test('delivers in order, once, and says so', async () => {
    const clock = createVirtualClock()
    const ops = new Recorder(clock)
    const scene = await start(clock, [ops])
    await tell(scene, exampleMessage('a'), exampleMessage('b'), exampleMessage('a'))
    await clock.advance(HOUR_MS)
    expect(ops.sent).toEqual(['a', 'b'])
    expect(await scene.stores.outbox.status()).toMatchObject([{ waiting: 0, sent: 2, dead: 0, lastError: null }])
  })

  test('lets a channel that hangs hold up no other one', async () => {
    const clock = createVirtualClock()
    const dead = new Recorder(clock, { name: 'dead' })
    const ops = new Recorder(clock)
    dead.behave = () => new Promise(() => {})
    const scene = await start(clock, [dead, ops])
    await tell(scene, ...['a', 'b', 'c'].map((id) => exampleMessage(id)))
    expect(ops.sent).toEqual(['a', 'b', 'c'])
    await clock.advance(MINUTE_MS)
    expect(await scene.stores.outbox.status()).toMatchObject([
      { channel: 'dead', waiting: 3, lastError: 'generic_timeout_error' },
      { channel: 'ops', waiting: 0 },
    ])
  })

  test('tries again with growing pauses, and loses nothing over eight hours without the service', async () => {
    const clock = createVirtualClock()
    const ops = new Recorder(clock)
    ops.behave = () => ({ kind: 'retry', error: 'http_unexpected_status_code: 500' })
    const scene = await start(clock, [ops])
    await tell(scene, exampleMessage('a'))
    await clock.advance(8 * HOUR_MS)
    const pauses = ops.times.slice(1).map((time, index) => (time - (ops.times[index] ?? 0)) / 1000)
    for (const [index, pause] of pauses.slice(0, 9).entries()) {
      // Between half and whole of 5, 10, 20 … seconds, up to half an hour; the outbox is looked at every second.
      const whole = Math.min(5 * 2 ** index, 1800)
      expect(pause).toBeGreaterThanOrEqual(whole / 2)
      expect(pause).toBeLessThanOrEqual(whole + 1)
    }
    expect(Math.max(...pauses)).toBeLessThanOrEqual(1801)
    ops.behave = () => ({ kind: 'sent' })
    await clock.advance(HOUR_MS)
    expect(ops.sent).toEqual(['a'])
  })

  test('waits as long as the service says', async () => {
    const clock = createVirtualClock()
    const ops = new Recorder(clock)
    ops.behave = (_part, attempt) =>
      attempt === 1 ? { kind: 'retry', error: 'limited', afterMs: 300_000 } : { kind: 'sent' }
    const scene = await start(clock, [ops])
    await tell(scene, exampleMessage('a'))
    await clock.advance(290_000)
    expect(ops.sent).toEqual([])
    await clock.advance(20_000)
    expect(ops.sent).toEqual(['a'])
  })

  test('gives up what is too old, keeps it, and sends it when asked', async () => {
    const clock = createVirtualClock()
    const ops = new Recorder(clock)
    ops.behave = () => ({ kind: 'retry', error: 'connection_refused' })
    const scene = await start(clock, [ops], { giveUpAfterMs: 6 * HOUR_MS })
    await tell(scene, exampleMessage('a'))
    await clock.advance(7 * HOUR_MS)
    expect(await scene.stores.outbox.list(['dead'], 10)).toMatchObject([
      { messageId: 'a', error: 'connection_refused' },
    ])
    const attempts = ops.times.length
    expect(attempts).toBeLessThan(40)
    await clock.advance(2 * HOUR_MS)
    expect(ops.times).toHaveLength(attempts)
    ops.behave = () => ({ kind: 'sent' })
    await scene.stores.outbox.revive(null, clock.wallNowMs())
    await clock.advance(5_000)
    expect(ops.sent).toEqual(['a'])
  })

  test('buries what the service will never take, and goes on at once', async () => {
    const clock = createVirtualClock()
    const ops = new Recorder(clock)
    ops.behave = (part) => (part === 'a' ? { kind: 'refused', error: 'too long' } : { kind: 'sent' })
    const scene = await start(clock, [ops])
    await tell(scene, exampleMessage('a'), exampleMessage('b'))
    expect(ops.sent).toEqual(['b'])
    expect(await scene.stores.outbox.list(['dead'], 10)).toMatchObject([{ messageId: 'a', error: 'too long' }])
  })

  test('sends no faster than the channel may', async () => {
    const clock = createVirtualClock()
    const ops = new Recorder(clock, { perMinute: 20 })
    const scene = await start(clock, [ops])
    await tell(scene, ...Array.from({ length: 30 }, (_, index) => exampleMessage(`m${index}`)))
    await clock.advance(10 * MINUTE_MS)
    expect(ops.sent).toHaveLength(30)
    const pauses = ops.times.slice(1).map((time, index) => time - (ops.times[index] ?? 0))
    expect(Math.min(...pauses)).toBeGreaterThanOrEqual(3_000)
  })

  test('goes on with the part of a long message that was not acknowledged', async () => {
    const clock = createVirtualClock()
    const ops = new Recorder(clock, {}, (id) => [`${id}1`, `${id}2`, `${id}3`])
    ops.behave = (part, attempt) => (part === 'a2' && attempt < 5 ? { kind: 'retry', error: 'no' } : { kind: 'sent' })
    const scene = await start(clock, [ops])
    await tell(scene, exampleMessage('a'))
    await clock.advance(HOUR_MS)
    expect(ops.sent).toEqual(['a1', 'a2', 'a3'])
  })

  test('does not send again what was acknowledged while the disk was full', async () => {
    const clock = createVirtualClock()
    const ops = new Recorder(clock)
    let isFull = true
    const { RunError } = await import('../../src/core/config-error.ts')
    const scene = await start(clock, [ops], {}, (outbox) => ({
      ...outbox,
      sent: async (sequence, nowMs) => {
        if (isFull) throw new RunError('alerts could not be kept: database or disk is full')
        await outbox.sent(sequence, nowMs)
      },
    }))
    await tell(scene, exampleMessage('a'), exampleMessage('b'))
    await clock.advance(MINUTE_MS)
    expect(ops.sent).toEqual(['a'])
    isFull = false
    await clock.advance(5_000)
    expect(ops.sent).toEqual(['a', 'b'])
  })

  test('holds back in quiet hours over midnight, except what is critical', async () => {
    const clock = createVirtualClock(Date.parse('2026-01-31T21:59:00Z'))
    const ops = new Recorder(clock)
    const quietHours = { fromMinute: 22 * 60, toMinute: 7 * 60, timeZone: 'UTC' }
    const scene = await start(clock, [ops], { quietHours })
    await tell(scene, exampleMessage('before'))
    await clock.advance(2 * MINUTE_MS)
    await tell(scene, exampleMessage('held1', { severity: 'high' }), exampleMessage('page', { severity: 'critical' }))
    await clock.advance(3 * HOUR_MS)
    await tell(scene, exampleMessage('held2'))
    expect(ops.sent).toEqual(['before', 'page'])
    await clock.advance(Date.parse('2026-02-01T06:59:58Z') - clock.wallNowMs())
    expect(ops.sent).toEqual(['before', 'page'])
    await clock.advance(4_000)
    expect(ops.sent).toEqual(['before', 'page', 'held1', 'held2'])
  })

  test('makes one digest a day, in the zone that was asked for', async () => {
    const clock = createVirtualClock(Date.parse('2026-01-31T06:59:00Z'))
    const ops = new Recorder(clock)
    await start(clock, [ops], { digest: { minute: 8 * 60, timeZone: 'Europe/Berlin' } })
    await clock.advance(HOUR_MS)
    expect(ops.sent).toEqual(['digest-2026-01-31'])
    await clock.advance(24 * HOUR_MS)
    expect(ops.sent).toEqual(['digest-2026-01-31', 'digest-2026-02-01'])
    expect(ops.times.map((time) => new Date(time).toISOString().slice(11, 16))).toEqual(['07:00', '07:00'])
  })

  test('routes by severity, event and subscription', async () => {
    const clock = createVirtualClock()
    const high = new Recorder(clock, { name: 'high', minSeverity: 'high' })
    const ends = new Recorder(clock, { name: 'ends', events: ['recovered'] })
    const family = new Recorder(clock, { name: 'family', subscribe: ['family:ab12', 'contact:EXAMPLE.org'] })
    const scene = await start(clock, [high, ends, family])
    await tell(
      scene,
      exampleMessage('plain'),
      exampleMessage('high', { severity: 'high' }),
      exampleMessage('over', { event: 'recovered' }),
      exampleMessage('kin', { tags: ['family:AB12', 'family:CD34'] }),
      exampleMessage('contact', { tags: ['contact:tor at example.org, please'] }),
      exampleMessage('other', { tags: ['family:CD34', 'contact:somebody'] }),
    )
    expect(high.sent).toEqual(['high'])
    expect(ends.sent).toEqual(['over'])
    expect(family.sent).toEqual(['kin', 'contact'])
  })

  test('writes to operators who opted in, and to nobody else', async () => {
    const clock = createVirtualClock()
    const mail = new Recorder(clock, { to: ['noc@example.org'] })
    const only = new Recorder(clock, { name: 'only' })
    const optedIn = new Set(['tor@a.example'])
    const scene = await start(clock, [
      Object.assign(mail, { configured: { ...mail.configured, optedIn } }),
      Object.assign(only, { configured: { ...only.configured, optedIn } }),
    ])
    await tell(scene, exampleMessage('m', { contacts: ['tor@a.example', 'tor@b.example'] }), exampleMessage('n'))
    expect(mail.sent).toEqual(['m', 'm>tor@a.example', 'n'])
    expect(only.sent).toEqual(['m>tor@a.example'])
  })

  test('gives up what waits for a channel that was removed', async () => {
    const clock = createVirtualClock()
    const scene = await start(clock, [], { giveUpAfterMs: 2 * HOUR_MS })
    await scene.stores.outbox.add(exampleMessage('a'))
    await scene.stores.outbox.route('a', [{ channel: 'gone', recipient: '' }], clock.wallNowMs())
    await clock.advance(4 * HOUR_MS)
    expect(await scene.stores.outbox.list(['dead'], 10)).toMatchObject([{ error: 'channel_not_configured' }])
  })

  test('leaves a channel with a defect to itself', async () => {
    const clock = createVirtualClock()
    const broken = new Recorder(clock, { name: 'broken' })
    broken.behave = () => {
      throw new TypeError('token 123:SECRET is not a function')
    }
    const ops = new Recorder(clock)
    const scene = await start(clock, [broken, ops])
    await tell(scene, exampleMessage('a'))
    expect(ops.sent).toEqual(['a'])
    expect(await scene.stores.outbox.status()).toMatchObject([{ lastError: 'channel_defect' }, { lastError: null }])
  })

  test('ends as a whole, and says so, when a message cannot be put into form', async () => {
    const clock = createVirtualClock()
    const broken = new Recorder(clock, { name: 'broken' }, () => {
      throw new BugError('a part holds at least one character')
    })
    const ops = new Recorder(clock)
    const stores = await openTestStores()
    const worker = createDeliveryWorker({
      ...stores,
      channels: [ops.configured, broken.configured],
      policy: POLICY,
      clock,
      random: createSeededRandom('bug'),
      log: silentLog,
    })
    await stores.outbox.add(exampleMessage('a'))
    const ended = worker.run(new AbortController().signal).then(
      () => 'ended',
      (error: unknown) => error,
    )
    await clock.advance(5_000)
    expect(await ended).toBeInstanceOf(BugError)
    const sent = ops.sent.length
    await stores.outbox.add(exampleMessage('b'))
    await clock.advance(MINUTE_MS)
    expect(ops.sent).toHaveLength(sent)
  })

  test('lets an answer that is on its way arrive when the program ends', async () => {
    const clock = createVirtualClock()
    const ops = new Recorder(clock)
    const stores = await openTestStores()
    ops.behave = () =>
      new Promise((resolve) => {
        clock.setTimer(2_000, () => {
          resolve({ kind: 'sent' })
        })
      })
    const worker = createDeliveryWorker({
      ...stores,
      channels: [ops.configured],
      policy: POLICY,
      clock,
      random: createSeededRandom('end'),
      log: silentLog,
    })
    await stores.outbox.add(exampleMessage('a'))
    const ending = new AbortController()
    const running = worker.run(ending.signal)
    await clock.advance(1_000)
    ending.abort()
    await clock.advance(5_000)
    await running
    expect(ops.sent).toEqual(['a'])
    expect(await stores.outbox.status()).toMatchObject([{ sent: 1, waiting: 0 }])
  })
})
