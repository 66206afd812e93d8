/**
 * Delivers what is in the outbox: each channel in order, one message at a time, until it was acknowledged or given up.
 *
 * ```
 *   outbox ──► begin (disk) ──► send ──► acknowledged ──► sent (disk)
 *                                  └───► failed ──► retry later, or dead (disk)
 * ```
 *
 * Between the service taking a part and `sent` being on the disk lie the way of its answer and one synchronous write. A
 * process that is killed in there sends that one part again, with the same id; nothing else is ever sent twice.
 *
 * Invariant: a channel that hangs holds up no other channel, and nobody who adds messages waits for a delivery.
 */
import { BugError } from '../core/assert.ts'
import { formatIsoTime, sleep, withTimeout, type Clock, type Timer } from '../core/clock.ts'
import { RunError } from '../core/config-error.ts'
import type { Log } from '../core/log.ts'
import { randomInt, type Random } from '../core/random.ts'
import type { AlertOutbox, AlertSeverity, DueDelivery } from '../model/alert.ts'
import type { IncidentStore } from '../model/incident.ts'
import type { DeliveryOutcome } from './channel.ts'
import type { ConfiguredChannel } from './create-channels.ts'
import { composeDigest, type DigestNote } from './daily-digest.ts'
import { dayOf, isQuietTime, minuteOfDay, type QuietHours } from './quiet-hours.ts'
import { routeMessage } from './route-message.ts'

/** How often the outbox is looked at when nobody says that there is something new. */
const IDLE_MS = 1_000
/** Pauses after failures: 5, 10, 20, … seconds, each between half and whole. */
const BACKOFF_MS_FIRST = 5_000
const BACKOFF_MS_MAX = 1_800_000
/** With the longest pauses these are about three days; a process that dies at each attempt ends here as well. */
const ATTEMPTS_MAX = 200
/** What a channel itself does not end by its time-out is ended this much later. */
const GRACE_MS = 5_000
/** How long an attempt in flight may go on when the program ends. */
const ENDING_MS = 3_000
const PRUNE_EVERY_MS = 3_600_000
const SENT_KEPT_MS = 30 * 86_400_000
const DEAD_KEPT_MS = 90 * 86_400_000
const INCIDENTS_MAX = 10_000

/** When and how long. */
export interface DeliveryPolicy {
  /** For one attempt, in milliseconds. */
  readonly timeoutMs: number
  /** A delivery that is older is given up, in milliseconds. */
  readonly giveUpAfterMs: number
  /** `null` for none. Critical messages go out in them. */
  readonly quietHours: QuietHours | null
  /** Minute of the day after which the digest is made, and the zone of that day; `null` for no digest. */
  readonly digest: { readonly minute: number; readonly timeZone: string } | null
}

/** What the worker works with. */
export interface DeliveryParts {
  readonly outbox: AlertOutbox
  readonly incidents: Pick<IncidentStore, 'list'>
  readonly channels: readonly ConfiguredChannel[]
  readonly policy: DeliveryPolicy
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
  /** What campaigns have kept for the digest since a time, Unix milliseconds; newest first. */
  readonly notes?: ((sinceMs: number) => readonly DigestNote[]) | undefined
}

/** The worker. Only one may work on an outbox at a time: whoever starts it holds the lock of the data directory. */
export interface DeliveryWorker {
  /** Delivers until `signal` aborts; an attempt in flight then has three more seconds. */
  run(signal: AbortSignal): Promise<void>
  /** Delivers what is due now, waiting out no pause. @returns When nothing is due any more, or `signal` aborts. */
  drain(signal: AbortSignal): Promise<void>
  /** Says that there is something new, so that it leaves at once. */
  wake(): void
}

/** A worker for configured channels. */
export function createDeliveryWorker(parts: DeliveryParts): DeliveryWorker {
  const worker = new Worker(parts)
  return {
    run: (signal) => worker.run(signal),
    drain: (signal) => worker.drain(signal),
    wake: () => {
      worker.wake()
    },
  }
}

class Worker {
  readonly #parts: DeliveryParts
  /** Channel → when its next message may leave, by the monotonic clock. */
  readonly #nextAtMs = new Map<string, number>()
  #wakers: (() => void)[] = []
  #prunedAtMs = -Infinity
  #digestDay = ''
  /** Parts that were acknowledged while the disk could not take it: not sent again by this process. */
  readonly #acknowledged = new Map<number, number>()

  constructor(parts: DeliveryParts) {
    this.#parts = parts
  }

  wake(): void {
    const wakers = this.#wakers
    this.#wakers = []
    for (const wake of wakers) wake()
  }

  async run(signal: AbortSignal): Promise<void> {
    const { channels, clock } = this.#parts
    // A bug in one loop ends all of them: whoever called knows then that nobody works on the outbox any more.
    const failing = new AbortController()
    const ending = AbortSignal.any([signal, failing.signal])
    const repeat = async (step: () => Promise<boolean>): Promise<void> => {
      try {
        while (!ending.aborted) {
          if (!(await this.#guard(step))) await this.#pause(IDLE_MS, ending)
        }
      } catch (error) {
        failing.abort()
        throw error
      }
    }
    const loops = await Promise.allSettled([
      repeat(async () => {
        await this.#prepare()
        if (clock.nowMs() - this.#prunedAtMs >= PRUNE_EVERY_MS) await this.#prune()
        return false
      }),
      ...channels.map((channel) => repeat(() => this.#step(channel, ending))),
    ])
    const failed = loops.find((loop) => loop.status === 'rejected')
    if (failed !== undefined) throw failed.reason
  }

  async drain(signal: AbortSignal): Promise<void> {
    await this.#prepare()
    await Promise.all(
      this.#parts.channels.map(async (channel) => {
        let isMore = true
        while (isMore && !signal.aborted) isMore = await this.#step(channel, signal)
      }),
    )
  }

  /** A disk that is full now may have room later; nothing is lost by waiting. */
  async #guard(step: () => Promise<boolean>): Promise<boolean> {
    try {
      return await step()
    } catch (error) {
      if (!(error instanceof RunError)) throw error
      this.#parts.log.error('alerts.outbox.failed', { reason: error.message })
      return false
    }
  }

  /** Gives new messages their deliveries, and makes the digest when its time has come. */
  async #prepare(): Promise<void> {
    const { outbox, channels, clock } = this.#parts
    await this.#makeDigest()
    let isNew = false
    for (let messages = await outbox.unrouted(); messages.length > 0; messages = await outbox.unrouted()) {
      isNew = true
      for (const message of messages) {
        await outbox.route(message.id, routeMessage(message, channels), clock.wallNowMs())
      }
    }
    if (isNew) this.wake()
  }

  async #makeDigest(): Promise<void> {
    const { outbox, incidents, policy, clock, notes } = this.#parts
    if (policy.digest === null) return
    const nowMs = clock.wallNowMs()
    const { minute, timeZone } = policy.digest
    if (minuteOfDay(nowMs, timeZone) < minute) return
    const day = dayOf(nowMs, timeZone)
    if (day === this.#digestDay) return
    const since = formatIsoTime(nowMs - 86_400_000)
    await outbox.add(
      composeDigest({
        day,
        nowMs,
        incidents: await incidents.list({ since, limit: INCIDENTS_MAX }),
        channels: await outbox.status(),
        notes: notes?.(nowMs - 86_400_000) ?? [],
      }),
    )
    this.#digestDay = day
  }

  async #prune(): Promise<void> {
    const { outbox, channels, policy, clock } = this.#parts
    const nowMs = clock.wallNowMs()
    await outbox.prune(nowMs - SENT_KEPT_MS, nowMs - DEAD_KEPT_MS)
    for (const { channel, oldestWaitingAtMs } of await outbox.status()) {
      if (channels.some(({ settings }) => settings.name === channel)) continue
      if (nowMs - (oldestWaitingAtMs ?? nowMs) >= policy.giveUpAfterMs) await outbox.abandon(channel, nowMs)
    }
    this.#prunedAtMs = clock.nowMs()
  }

  /** Sends the next message of a channel. @returns Whether there was one that is due. */
  async #step(configured: ConfiguredChannel, signal: AbortSignal): Promise<boolean> {
    const { outbox, clock, policy } = this.#parts
    const { name } = configured.settings
    const nowMs = clock.wallNowMs()
    const isQuiet = policy.quietHours !== null && isQuietTime(policy.quietHours, nowMs)
    const lowest: AlertSeverity = isQuiet ? 'critical' : 'info'
    const due = await outbox.next(name, nowMs, lowest)
    if (due === undefined) return false
    await this.#deliver(configured, due, signal)
    return true
  }

  async #deliver(configured: ConfiguredChannel, due: DueDelivery, signal: AbortSignal): Promise<void> {
    const { outbox, clock, log } = this.#parts
    const { sequence, messageId, attempts } = due.delivery
    const facts = { channel: configured.settings.name, message: messageId, attempt: attempts + 1 }
    const outcome = await this.#sendParts(configured, due, signal)
    if (outcome === undefined) return
    const nowMs = clock.wallNowMs()
    if (outcome.kind === 'sent') {
      log.info('alerts.message.sent', facts)
      return
    }
    const { error } = outcome
    if (outcome.kind === 'refused' || this.#isOver(due, nowMs)) {
      await outbox.bury(sequence, error, nowMs)
      log.error('alerts.message.dead', { ...facts, error })
      return
    }
    const pauseMs = Math.max(this.#backoffMs(attempts), outcome.afterMs ?? 0)
    await outbox.retry(sequence, error, nowMs, nowMs + pauseMs)
    log.warn('alerts.message.failed', { ...facts, error, retry_after_ms: pauseMs })
  }

  /** @returns What became of it; `undefined` when the program ends before anything was begun. */
  async #sendParts(
    { settings, channel }: ConfiguredChannel,
    { delivery, message }: DueDelivery,
    signal: AbortSignal,
  ): Promise<DeliveryOutcome | undefined> {
    const { outbox, clock } = this.#parts
    const { sequence, recipient } = delivery
    const texts = channel.format(message)
    const doneBefore = Math.max(delivery.partsDone, this.#acknowledged.get(sequence) ?? 0)
    for (let index = doneBefore; index < texts.length; index++) {
      await this.#awaitTurn(settings.name, settings.perMinute, signal)
      if (signal.aborted) return undefined
      if (index === doneBefore) await outbox.begin(sequence)
      const id = texts.length === 1 ? message.id : `${message.id}.${index + 1}`
      const outcome = await this.#attempt(channel, texts[index] ?? '', { id, recipient }, signal)
      if (outcome.kind !== 'sent') return outcome
      this.#acknowledged.set(sequence, index + 1)
      if (index + 1 < texts.length) await outbox.progress(sequence, index + 1)
    }
    await outbox.sent(sequence, clock.wallNowMs())
    this.#acknowledged.delete(sequence)
    return { kind: 'sent' }
  }

  /** One part; a channel that neither answers nor ends is left behind. */
  async #attempt(
    channel: ConfiguredChannel['channel'],
    text: string,
    { id, recipient }: { readonly id: string; readonly recipient: string },
    signal: AbortSignal,
  ): Promise<DeliveryOutcome> {
    const { clock, policy, log } = this.#parts
    const controller = new AbortController()
    let ending: Timer | undefined
    const end = (): void => {
      // What is in flight may still be acknowledged; only what was acknowledged is never sent again.
      ending = clock.setTimer(ENDING_MS, () => {
        controller.abort()
      })
    }
    signal.addEventListener('abort', end, { once: true })
    try {
      const sending = channel.send(text, { id, recipient, signal: controller.signal })
      const outcome = await withTimeout(clock, sending, policy.timeoutMs + GRACE_MS)
      return outcome ?? { kind: 'retry', error: 'generic_timeout_error' }
    } catch (error) {
      if (error instanceof BugError) throw error
      // A defect of one channel must not stop the others; its text may hold an address, its name cannot.
      log.error('alerts.channel.defect', { name: error instanceof Error ? error.name : 'unknown' })
      return { kind: 'retry', error: 'channel_defect' }
    } finally {
      signal.removeEventListener('abort', end)
      ending?.cancel()
      controller.abort()
    }
  }

  /** The rate of a channel: messages are spaced evenly. */
  async #awaitTurn(name: string, perMinute: number, signal: AbortSignal): Promise<void> {
    const { clock } = this.#parts
    const waitMs = (this.#nextAtMs.get(name) ?? -Infinity) - clock.nowMs()
    if (waitMs > 0) await sleep(clock, waitMs, signal)
    this.#nextAtMs.set(name, clock.nowMs() + 60_000 / perMinute)
  }

  #isOver({ delivery }: DueDelivery, nowMs: number): boolean {
    return delivery.attempts + 1 >= ATTEMPTS_MAX || nowMs - delivery.createdAtMs >= this.#parts.policy.giveUpAfterMs
  }

  #backoffMs(attemptsBefore: number): number {
    const fullMs = Math.min(BACKOFF_MS_FIRST * 2 ** Math.min(attemptsBefore, 16), BACKOFF_MS_MAX)
    return Math.ceil(fullMs / 2) + randomInt(this.#parts.random, Math.floor(fullMs / 2) + 1)
  }

  #pause(delayMs: number, signal: AbortSignal): Promise<void> {
    const controller = new AbortController()
    const abort = (): void => {
      controller.abort()
    }
    this.#wakers.push(abort)
    signal.addEventListener('abort', abort, { once: true })
    return sleep(this.#parts.clock, delayMs, controller.signal).finally(() => {
      signal.removeEventListener('abort', abort)
    })
  }
}
